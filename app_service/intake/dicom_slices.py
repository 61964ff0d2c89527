"""Where the frames of DICOM files lie, by the headers of single slices or the functional groups of many frames."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset

from app_service.intake.dicom_header import number_of_frames, positive
from app_service.intake.dicom_pixels import Values, frame, modality_values, padding

# PS3.3 C.7.6.16.2: what each group holds that a single slice has at the top of its header.
GROUPS = (
    "PixelMeasuresSequence",
    "PlaneOrientationSequence",
    "PlanePositionSequence",
    "PixelValueTransformationSequence",
    "FrameVOILUTSequence",
)
STRAIGHT = 1e-3


@dataclass(frozen=True)
class Slice:
    """A frame. `place` is its first value's centre in mm (left, back, head), `axes` are the directions of a row and of
    a column, `spacing` lies between rows and between columns; None where the file does not say. `meaning` is the
    frame's own header. `load` reads the file again, so that no more than one is unpacked at a time."""

    load: Callable[[], FileDataset]
    index: int
    meaning: Dataset
    size: tuple[int, int]
    place: NDArray[np.float64] | None
    axes: NDArray[np.float64] | None
    spacing: tuple[float, ...] | None

    def values(self) -> tuple[Values, NDArray[np.bool_] | None]:
        """Values with a meaning, and where there is no picture. Raises Unprocessable."""
        stored = frame(self.load(), self.index)
        return modality_values(stored, self.meaning), padding(stored, self.meaning)


def slices_of(header: FileDataset, load: Callable[[], FileDataset]) -> list[Slice]:
    """The frames of one file."""
    return [_slice(header, load, index) for index in range(number_of_frames(header))]


def meaning_of(header: FileDataset, index: int) -> Dataset:
    """The header of one frame: what its functional groups say goes over what the file says."""
    shared, own = header.get("SharedFunctionalGroupsSequence"), header.get("PerFrameFunctionalGroupsSequence")
    if not shared and not own:
        return header
    meaning = Dataset()
    meaning.update({tag: element for tag, element in header.items() if tag not in (0x7FE00010, 0x52009229, 0x52009230)})
    for groups in (shared[0] if shared else None, own[index] if own and index < len(own) else None):
        for name in GROUPS:
            if groups is not None and groups.get(name):
                meaning.update(groups[name][0])
    return meaning


def _slice(header: FileDataset, load: Callable[[], FileDataset], index: int) -> Slice:
    meaning = meaning_of(header, index)
    place, directions = (
        _numbers(meaning.get("ImagePositionPatient"), 3),
        _numbers(meaning.get("ImageOrientationPatient"), 6),
    )
    axes = None if directions is None else _axes(directions.reshape(2, 3))
    size = (int(header.Rows), int(header.Columns))
    return Slice(load, index, meaning, size, place, axes, positive(meaning.get("PixelSpacing"), 2))


def _axes(directions: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Made exactly square, as headers round them; None for directions that are none."""
    lengths = np.linalg.norm(directions, axis=1)
    if (np.abs(lengths - 1) > 0.01).any() or abs(directions[0] @ directions[1]) > 0.01:
        return None
    row = directions[0] / lengths[0]
    column = directions[1] - (directions[1] @ row) * row
    return np.stack([row, column / np.linalg.norm(column)])


def _numbers(values: Any, count: int) -> NDArray[np.float64] | None:
    try:
        found = np.array([float(value) for value in values or ()])
    except (TypeError, ValueError):
        return None
    return found if found.shape == (count,) and np.isfinite(found).all() and np.abs(found).max() < 1e6 else None
