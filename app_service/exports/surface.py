"""The surface of one structure as binary STL, for printing and planning. Runs in the sandbox's child.

Surface nets (Gibson 1998, "Constrained Elastic Surface Nets"): a vertex in every cell of eight neighbouring voxels
that the surface passes through, in the middle of the cell's cut edges, and four corners around every cut edge. It is
closed by construction, needs no table of cases, and suits label maps. Forty lines of NumPy stand against scikit-image
(with SciPy, tens of megabytes for this tier) or VTK.
"""

import itertools
from typing import Any

import nibabel
import numpy as np
from isal import igzip
from numpy.typing import NDArray

from app_service.intake.image import Picture
from app_service.intake.limits import Limits
from portal_wire.errors import Unprocessable

MOST_TRIANGLES = 500_000  # 25 MB; a finer mask is made coarser until it fits
# Where 3D Slicer looks for the axes. An STL file that begins with "solid" would be taken for text.
HEADER = b"Lightbox. SPACE=LPS, millimetres. For research use."
LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
LEVEL = 0.5
Field = NDArray[np.float32]
TRIANGLE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attributes", "<u2")])


def from_request(data: bytes, limits: Limits) -> Picture:
    """`data` is a gzipped NIfTI mask. Raises Unprocessable `no_structure` for one without a voxel."""
    image = nibabel.Nifti1Image.from_bytes(igzip.decompress(data))
    corners = triangles(np.asarray(image.dataobj) > 0, np.asarray(image.affine, np.float64))
    return Picture("model/stl", (len(corners),), stl(corners), [])


def triangles(mask: NDArray[np.bool_], affine: NDArray[np.float64], most: int = MOST_TRIANGLES) -> Field:
    """The closed surface between mask and no mask, (n, 3, 3): corners in mm to the left, back and head of the patient
    (DICOM's axes), counter-clockwise from outside.

    `affine` leads from voxels to NIfTI's right, front and head.
    """
    inside = np.argwhere(mask.any(axis=(1, 2))), np.argwhere(mask.any(axis=(0, 2))), np.argwhere(mask.any(axis=(0, 1)))
    if not all(len(each) for each in inside):
        raise Unprocessable("This structure has no voxel, so it has no surface.", code="no_structure")
    low, high = ([int(each[end, 0]) for each in inside] for end in (0, -1))
    field = mask[tuple(slice(first, last + 1) for first, last in zip(low, high, strict=True))]
    steps, coarse = np.ones(3, int), np.pad(field, 1)
    while 2 * _cut_edges(coarse) > most:
        sides = np.linalg.norm(affine[:3, :3], axis=0) * steps
        steps = np.where(sides < 1.5 * sides.min(), 2 * steps, steps)  # the finest axes first
        coarse = np.pad(_means(field, steps), 1)
    vertices, quads = _net(coarse)
    voxels = (vertices - 1) * steps + (steps - 1) / 2 + low
    to_patient = LPS_FROM_RAS @ affine
    placed = voxels @ to_patient[:3, :3].T + to_patient[:3, 3]
    if np.linalg.det(to_patient[:3, :3]) < 0:
        quads = quads[:, ::-1]
    split = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    return np.asarray(placed.astype(np.float32)[split])


def stl(corners: Field) -> bytes:
    made = np.zeros(len(corners), TRIANGLE)
    made["corners"] = corners
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    made["normal"] = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    return HEADER.ljust(80, b"\0") + len(made).to_bytes(4, "little") + made.tobytes()


def _cut_edges(field: NDArray[Any]) -> int:
    inside = field > LEVEL
    return sum(int(np.count_nonzero(np.diff(inside, axis=axis))) for axis in range(3))


def _means(field: NDArray[np.bool_], steps: NDArray[np.int_]) -> Field:
    """Of blocks of `steps` voxels; what lies beyond the field's end is not of the structure."""
    counts = [-(-side // int(step)) for side, step in zip(field.shape, steps, strict=True)]
    room = [(0, count * int(step) - side) for count, step, side in zip(counts, steps, field.shape, strict=True)]
    blocks = np.pad(field, room).reshape(*(each for pair in zip(counts, steps.tolist(), strict=True) for each in pair))
    return np.asarray(blocks.mean(axis=(1, 3, 5), dtype=np.float32))


def _net(field: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Vertices (n, 3) in voxels of `field`, whose rim is empty, and (m, 4) corners of quads around each cut edge."""
    inside = field > LEVEL
    some, every = inside[:-1, :-1, :-1].copy(), inside[:-1, :-1, :-1].copy()
    for start in _CUBE[1:]:
        corner = inside[tuple(slice(o, o + side) for o, side in zip(start, some.shape, strict=True))]
        some |= corner
        every &= corner
    cells = np.argwhere(some & ~every)
    shape, flat = some.shape, np.ravel_multi_index(tuple(cells.T), some.shape)  # rising
    total, count = np.zeros((len(cells), 3)), np.zeros(len(cells))
    quads = []
    for axis, along in enumerate(np.eye(3, dtype=int)):
        for at in (np.array(at) for at in _CUBE if at[axis] == 0):
            first, last = (field[tuple((cells + end).T)].astype(np.float32) for end in (at, at + along))
            crossed = np.flatnonzero((first > LEVEL) != (last > LEVEL))
            share = (LEVEL - first[crossed]) / (last[crossed] - first[crossed])
            total[crossed] += cells[crossed] + at + share[:, None] * along
            count[crossed] += 1
        edges = np.argwhere(np.diff(inside, axis=axis))
        one, two = np.roll(np.eye(3, dtype=int), -axis - 1, axis=0)[:2]  # the next axes: right-handed with this one
        around = [np.ravel_multi_index(tuple((edges - back).T), shape) for back in (one + two, two, 0 * one, one)]
        corners = np.searchsorted(flat, np.stack(around, axis=1))
        leaving = inside[tuple(edges.T)]  # the surface looks along the axis
        quads.append(np.where(leaving[:, None], corners, corners[:, ::-1]))
    return total / count[:, None], np.concatenate(quads)


_CUBE = list(itertools.product((0, 1), repeat=3))
