"""A scan's grid and the one that a network was trained on: there by linear interpolation, back by the nearest voxel.

As MONAI's Orientation and Spacing do by default (https://docs.monai.io/en/stable/transforms.html#spacing): axes are put
in order and turned round, never rotated, so an oblique scan stays oblique; the first voxel of each axis keeps its
place, and what lies beyond the last voxel has its value.
"""

from typing import NamedTuple

import nibabel
import numpy as np
from numpy.typing import NDArray

from ml_service.label_maps import LabelMap
from ml_service.sliding_window.plan import Plan, Three
from ml_service.volume import Volume

MOST_VOXELS = 2**27  # of the network's grid; a CT of 512 x 512 x 300 mm at 1 mm has a little more than half of them
Floats = NDArray[np.float32]


class Line(NamedTuple):
    """One axis of a volume's values beside the network's."""

    length: int  # voxels of the volume
    others: int  # voxels of the network's grid
    step: float  # voxels of the volume from one of the network's to the next
    turned: bool  # whether the network counts from the other end

    def places(self) -> NDArray[np.float64]:
        """Returns where the network's voxels lie, in voxels of the volume: (others,)."""
        at: NDArray[np.float64] = np.minimum(np.arange(self.others) * self.step, self.length - 1)
        return self.length - 1 - at if self.turned else at

    def nearest(self) -> NDArray[np.intp]:
        """Returns the network's voxel that is nearest to each of the volume: (length,)."""
        at = np.arange(self.length, dtype=np.float64)
        at = self.length - 1 - at if self.turned else at
        return np.clip(np.rint(at / self.step), 0, self.others - 1).astype(np.intp)


class Grid(NamedTuple):
    """`lines` belong to the axes of `Volume.values`; the network's axis `n` is their axis `order[n]`."""

    lines: tuple[Line, Line, Line]
    order: Three

    @property
    def shape(self) -> Three:
        """The network's, along its own axes."""
        first, second, third = (self.lines[axis].others for axis in self.order)
        return first, second, third


def grid(volume: Volume, plan: Plan) -> Grid:
    """Returns how a volume lies in the network's axes and spacing. Raises ValueError where it is too large there."""
    affine = volume.header.get_best_affine()
    ways = nibabel.orientations.ornt_transform(
        nibabel.orientations.io_orientation(affine), nibabel.orientations.axcodes2ornt(tuple(plan.axes))
    )  # for each axis of the file (columns, rows, slices) the network's axis, and whether it is turned round
    steps = np.linalg.norm(affine[:3, :3], axis=0)  # mm
    lines, order = [], [0, 0, 0]
    for axis in range(3):
        other = int(ways[2 - axis, 0])
        length, step = volume.values.shape[axis], 1.0
        if plan.spacing_mm is not None:
            step = plan.spacing_mm[other] / float(steps[2 - axis])
        others = int(np.rint((length - 1) / step)) + 1 if step > 0 and np.isfinite(step) else MOST_VOXELS + 1
        lines.append(Line(length, others, step, bool(ways[2 - axis, 1] < 0)))
        order[other] = axis
    if float(lines[0].others) * lines[1].others * lines[2].others > MOST_VOXELS:
        raise ValueError("Expected a volume that is not so large in millimetres. Check its spacing.")
    return Grid((lines[0], lines[1], lines[2]), (order[0], order[1], order[2]))


def resampled(volume: Volume, to: Grid) -> Floats:
    """Returns the volume's levels on the network's grid, its axes in the network's order; slice after slice, so that
    little but the result is in memory."""
    slices, rows, columns = (_between(line) for line in to.lines)
    found = np.empty([line.others for line in to.lines], np.float32)
    for number, (below, above, share) in enumerate(zip(*slices, strict=True)):
        plane = volume.levels(below, 0)
        if share:
            plane += share * (volume.levels(above, 0) - plane)
        for axis, (before, after, shares) in enumerate((rows, columns)):
            weights = shares[:, None] if axis == 0 else shares[None]
            start = plane.take(before, axis)
            plane = start + weights * (plane.take(after, axis) - start)
        found[number] = plane
    return found.transpose(to.order)


def back(labels: LabelMap, of: Grid) -> LabelMap:
    """Returns a label map of the network's grid as one of the volume's values."""
    slices, rows, columns = (line.nearest() for line in of.lines)
    here = labels.transpose(np.argsort(of.order))
    found = np.empty([line.length for line in of.lines], np.uint8)
    for number, slice_ in enumerate(slices):
        found[number] = here[slice_][np.ix_(rows, columns)]
    return found


def _between(line: Line) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats]:
    """Returns the two voxels that each of the network's lies between, and how near it is to the second."""
    places = line.places()
    below = np.floor(places).astype(np.intp)
    return below, np.minimum(below + 1, line.length - 1), (places - below).astype(np.float32)
