"""A series that is not one whole stack of slices: with a gap, of two stacks, with files twice."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pydicom
import pytest

from portal_wire.errors import Unprocessable
from tests.app_service.intake.test_volume import AFFINES, VALUES, slices, taken_in, zipped

__all__ = ["taken_in"]  # the fixture of test_volume
TakenIn = Callable[[bytes], list[tuple[Any, Any]]]


def codes(study: Any) -> list[str]:
    return [notice.code for notice in study.warnings]


def by_place(values: Any) -> list[bytes]:
    """One file a slice, from the first place to the last."""
    files = slices(AFFINES["plain"], values)
    return sorted(files.values(), key=lambda file: float(pydicom.dcmread(io.BytesIO(file)).ImagePositionPatient[2]))


def without(first: int, count: int) -> bytes:
    """An archive of a series of which so many slices in a row are missing."""
    files = by_place(VALUES)
    return zipped({f"{n}.dcm": file for n, file in enumerate(files) if not first <= n < first + count})


def test_a_few_missing_slices_are_put_in_between(taken_in: TakenIn) -> None:
    ((study, image),) = taken_in(without(4, 3))
    assert codes(study) == ["slices_interpolated"] and image.shape == (40, 34, 12)
    between = np.rint(VALUES[3] * 0.75 + VALUES[7] * 0.25)
    np.testing.assert_allclose(np.asarray(image.dataobj)[..., 4], between.T, atol=1)  # halves round either way


def test_a_series_with_a_wide_gap_is_refused(taken_in: TakenIn) -> None:
    """What would stand in it was never seen."""
    with pytest.raises(Unprocessable) as caught:
        taken_in(without(4, 4))
    assert caught.value.code == "gap_in_series"


def test_slices_of_two_directions_in_one_series_are_two_volumes(taken_in: TakenIn) -> None:
    """As scanners send reformatted planes along; each study says that it is not all."""
    lying, upright = slices(AFFINES["plain"], VALUES), slices(AFFINES["turned"], VALUES[:5])
    found = taken_in(zipped(lying | {f"upright-{name}": file for name, file in upright.items()}))
    assert [(study.kind, codes(study)) for study, _ in found] == [("volume", ["series_divided"])] * 2
    pictures = {image.shape: np.asarray(image.dataobj) for _, image in found}
    np.testing.assert_array_equal(pictures[40, 34, 12], VALUES.T)
    turned = pictures[40, 34, 5]  # sorted along its normal, which may be the other way
    assert any(np.array_equal(each, VALUES[:5].T) for each in (turned, turned[..., ::-1]))


@pytest.mark.parametrize("again", [range(12), [5]], ids=["all", "one"])
def test_of_slices_that_came_twice_the_last_are_kept(taken_in: TakenIn, again: list[int]) -> None:
    """The same object twice; where what came first differs, it had been sent anew."""
    files = by_place(VALUES)
    earlier = {f"earlier-{n}.dcm": _darker(files[n]) for n in again}
    ((study, image),) = taken_in(zipped(earlier | {f"{n}.dcm": file for n, file in enumerate(files)}))
    assert codes(study) == ["duplicates_dropped"]
    np.testing.assert_array_equal(np.asarray(image.dataobj), VALUES.T)


def _darker(file: bytes) -> bytes:
    dataset = pydicom.dcmread(io.BytesIO(file))
    dataset.PixelData = (dataset.pixel_array - 9).tobytes()
    changed = io.BytesIO()
    dataset.save_as(changed)
    return changed.getvalue()
