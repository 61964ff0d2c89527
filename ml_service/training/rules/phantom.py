"""A drawn body in a CT, whose every voxel's tissue is known: nobody's."""

from typing import Any, NamedTuple

import nibabel
import numpy as np
from numpy.typing import NDArray

from ml_service.tasks.ct_tissue import LABELS

SHAPE = (96, 72, 40)  # columns, rows, slices
SPACING_MM = (3.0, 4.0, 5.0)
AIR, LUNG, FAT, SOFT, BONE = (number + 1 for number in range(len(LABELS)))
LEVELS = {0: -1000, AIR: -1000, LUNG: -820, FAT: -100, SOFT: 40, BONE: 600}
TABLE_HU = -150


class Phantom(NamedTuple):
    """Values in Hounsfield units, what each voxel is, (columns, rows, slices) both, and the affine."""

    values: NDArray[np.int16]
    truth: NDArray[np.uint8]
    affine: NDArray[np.float64]


def drawn(noise: float = 12.0, seed: int = 4000) -> Phantom:
    """Returns a trunk of fat around muscle, with two lungs above, a spine, a windpipe and a bubble in the bowel; a thin
    table under it. Spacing differs along all axes, which are oblique to the scanner's."""
    x, y, z = np.meshgrid(*(np.linspace(-1, 1, length) for length in SHAPE), indexing="ij")
    truth = np.zeros(SHAPE, np.uint8)
    truth[_inside(x, y, 0, 0, 0.82, 0.72)] = FAT
    truth[_inside(x, y, 0, 0, 0.72, 0.6)] = SOFT
    for side in (-0.36, 0.36):
        truth[_inside(x, y, side, 0.05, 0.26, 0.42) & (z > -0.2)] = LUNG
    truth[_inside(x, y, 0, -0.42, 0.11, 0.13)] = BONE
    truth[_inside(x, y, 0, 0.15, 0.07, 0.09) & (z > 0.3)] = AIR
    truth[_inside(x, y, 0.25, 0.2, 0.12, 0.14) & (abs(z + 0.6) < 0.15)] = AIR
    values = np.choose(truth, list(LEVELS.values())).astype(np.float64)
    values[(truth == 0) & (abs(y + 0.85) < 0.02)] = TABLE_HU
    values += np.random.default_rng(seed).normal(0, noise, SHAPE)
    return Phantom(np.clip(np.rint(values), -1024, 3071).astype(np.int16), truth, _affine())


def packed(phantom: Phantom) -> bytes:
    """Returns the phantom as .nii, which packs to the same bytes everywhere."""
    image = nibabel.Nifti1Image(phantom.values, phantom.affine)
    return bytes(image.to_bytes())


def _inside(x: Any, y: Any, middle_x: float, middle_y: float, half_x: float, half_y: float) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = ((x - middle_x) / half_x) ** 2 + ((y - middle_y) / half_y) ** 2 < 1
    return inside


def _affine() -> NDArray[np.float64]:
    angle = np.deg2rad(9)
    turn = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([-SPACING_MM[0], SPACING_MM[1], SPACING_MM[2]])
    affine[:3, 3] = (120.5, -88.25, 31.0)
    return affine
