"""The box around a structure, in millimetres along the patient's axes, whatever way a file's own axes run."""

import gzip
import io

import numpy as np
import pytest

from app_service.masks import own_volume, volume
from app_service.masks.corrected import corrected_volume, measured
from tests.app_service.intake.test_volume import AFFINES, nifti

SHAPE = (12, 34, 40)  # slices, rows, columns
# Of the box: 5 slices, 11 rows, 7 columns, of 2.5, 0.9 and 0.7 mm, by the patient's axes (tests/.../test_volume.py).
SIDES = {"plain": [4.9, 9.9, 12.5], "flipped": [4.9, 9.9, 12.5], "turned": [12.5, 4.9, 9.9]}


def packed(values: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]", name: str) -> bytes:
    return gzip.compress(nifti(values, AFFINES[name]))


@pytest.mark.parametrize("name", SIDES)
def test_sides_are_told_by_the_patient_s_axes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Structures that lie apart, or in one another's box, have a box each; pieces end anywhere between two rows."""
    monkeypatch.setattr(volume, "_CHUNK_BYTES", 1000)
    monkeypatch.setattr(own_volume, "_PIECE", 1000)
    values = np.zeros(SHAPE, np.uint8)
    values[3, 10, 20] = values[7, 20, 26] = 1  # two opposite corners
    values[5, 15, 22:24] = 2
    study, mask = packed(np.arange(values.size, dtype=np.uint8).reshape(SHAPE), name), packed(values, name)
    parted = volume.part(mask, io.BytesIO(study), [1, 2, 3])
    assert parted.extents_mm[1] == pytest.approx(SIDES[name]) and parted.extents_mm[3] is None
    assert sorted(parted.extents_mm[2] or []) == pytest.approx([0.9, 1.4, 2.5])
    # The same by a person's correction, which is counted from the portal's own files.
    other = volume.part(packed(np.roll(values * (values == 2), 3, axis=2), name), io.BytesIO(study), [2]).combined
    made = corrected_volume(io.BytesIO(parted.combined), io.BytesIO(other), [2], None)
    one, two = measured(made, {1: "one", 2: "two"}, "volume", [0.9, 0.7, 2.5])
    assert one.extent_mm == pytest.approx(SIDES[name]) and sorted(two.extent_mm or []) == pytest.approx([0.9, 1.4, 2.5])
