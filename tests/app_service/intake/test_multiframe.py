"""Many frames in one DICOM file: each has its place and its rescale in the functional groups (PS3.3 C.7.6.16)."""

from typing import Any

import numpy as np
import pytest

from portal_wire.errors import Unprocessable
from tests.app_service.intake.dicom_maker import enhanced
from tests.app_service.intake.test_volume import AFFINES, VALUES, taken_in

__all__ = ["taken_in"]
SHUFFLED = [int(number) for number in np.random.default_rng(3).permutation(len(VALUES))]


@pytest.mark.parametrize("name", AFFINES)
def test_each_frame_lies_in_its_own_place_with_its_own_rescale(taken_in: Any, name: str) -> None:
    """Frames stand in the file in any order; each one's rescale is another."""
    affine = AFFINES[name]
    ((study, image),) = taken_in(enhanced(VALUES, affine, SHUFFLED))
    assert (study.kind, study.modality, study.shape, study.warnings) == ("volume", "CT", (34, 40, 12), [])
    normal = np.cross(affine[:3, 0], affine[:3, 1])
    turned = normal @ affine[:3, 2] < 0  # slices are sorted along the normal of their plane
    expected = VALUES + (np.arange(len(VALUES)) - 24)[:, None, None]
    np.testing.assert_array_equal(np.asarray(image.dataobj), expected[::-1].T if turned else expected.T)
    first = affine[:3, 3] + (len(VALUES) - 1) * affine[:3, 2] if turned else affine[:3, 3]
    np.testing.assert_allclose(image.affine[:3, 3], first, atol=1e-4)
    np.testing.assert_allclose(image.affine[:3, :3], affine[:3, :3] * (1, 1, -1 if turned else 1), atol=1e-4)


def test_two_frames_in_one_place_are_not_sorted_by_chance(taken_in: Any) -> None:
    twice = enhanced(np.concatenate([VALUES, VALUES]), AFFINES["plain"], [*range(12), *range(12)])
    with pytest.raises(Unprocessable) as caught:
        taken_in(twice)
    assert caught.value.code == "duplicate_positions"


def test_frames_without_a_place_are_a_film_and_refused(taken_in: Any) -> None:
    with pytest.raises(Unprocessable) as caught:
        taken_in(enhanced(VALUES, AFFINES["plain"], SHUFFLED, PerFrameFunctionalGroupsSequence=None))
    assert caught.value.code == "multiframe_not_allowed"
