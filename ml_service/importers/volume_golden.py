"""A drawn volume that an imported network's version is checked with at every load. It fits in one window, because that
is read at each start."""

from pathlib import Path

import nibabel
import numpy as np
from numpy.typing import NDArray

from ml_service import manifest as manifests
from ml_service.manifest import Golden, GoldenCase, Volumetric
from ml_service.served_volume import ServedVolume
from ml_service.sliding_window.plan import Plan

FILE = "drawn.nii"
SHARE = 0.8  # of a window's side
TOLERANCE = 5e-3  # of a structure's share of the volume: engines and processors round differently
LOGIT_TOLERANCE = 5e-3


def made(draft: Volumetric, folder: Path) -> Golden:
    """Draws the volume, asks the version about it and returns what it must say from now on."""
    (folder / manifests.GOLDEN).mkdir()
    study = drawn(draft.plan)
    (folder / manifests.GOLDEN / FILE).write_bytes(study)
    served = ServedVolume(draft, folder)
    with served.meter.silent():
        seen = served.see_study(study, wait_s=60)
    served.close()
    if seen.outlined is None:
        raise RuntimeError("the drawn volume was refused")
    case = GoldenCase(
        file=FILE,
        label=seen.verdicts[0].label,
        probability=None,
        ood_score=0.0,
        logits=tuple(round(float(logit), 5) for logit in seen.logits[0]),
        shares=tuple(row["share"] for row in seen.outlined.measurements),
    )
    return Golden(tolerance=TOLERANCE, logit_tolerance=LOGIT_TOLERANCE, cases=(case,))


def drawn(plan: Plan) -> bytes:
    """Returns a body of three tissues in air with noise, as .nii: oblique, and its axes in another order than the
    network's, so that the ways there and back are checked as well."""
    spacing = np.array(plan.spacing_mm or (1.0, 1.0, 1.0))[[1, 0, 2]] * (1.1, 0.9, 1.2)
    sides = np.maximum(2, np.array(plan.size)[[1, 0, 2]] * SHARE / (1.1, 0.9, 1.2)).astype(int)
    x, y, z = np.meshgrid(*(np.linspace(-1, 1, side) for side in sides), indexing="ij")
    low, high = plan.levels
    values = np.full(x.shape, min(low, -1000.0))
    for middle, radius, level in ((0.0, 0.9, 0.4), (-0.3, 0.4, 0.6), (0.35, 0.3, 0.9)):
        inside = (x - middle) ** 2 + (y + middle / 2) ** 2 + (z / 1.1 - middle / 3) ** 2 < radius**2
        values[inside] = low + level * (high - low)
    values += np.random.default_rng(7).normal(0, 0.03 * (high - low), x.shape)
    return bytes(nibabel.Nifti1Image(values.astype(np.float32), _affine(spacing)).to_bytes())


def _affine(spacing: NDArray[np.float64]) -> NDArray[np.float64]:
    angle = np.deg2rad(11)
    turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    swapped = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])  # the first axis leads forwards, the second to the left
    affine = np.eye(4)
    affine[:3, :3] = turn @ swapped @ np.diag(spacing)
    affine[:3, 3] = (40.0, -25.5, 12.0)
    return affine
