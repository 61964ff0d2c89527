"""How well two masks agree: volumes by DSC (Dice 1945), surfaces by NSD (Nikolov and others, J Med Internet Res 2021,
23(7):e26151, "surface Dice"), by the rules of the MedSAM challenge (CVPR 2024).

The paper's own library, `surface-distance`, is not kept up; tests hold numbers that it gave.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, find_objects

from command_line.surface_elements import surface_pieces

Mask = NDArray[np.bool_]
TOLERANCE_MM = 2.0
FAR_OFF_DSC = 0.2  # at or below this the challenge gives no credit for surfaces


def scores(truth: NDArray[Any], answer: NDArray[Any], spacing_mm: Sequence[float]) -> tuple[float, float]:
    """Returns mean DSC and NSD over the labels that the truth has. `spacing_mm` is in the order of the arrays' axes.

    Raises ValueError for masks of different shapes, or a truth that is empty.
    """
    if truth.shape != answer.shape:
        raise ValueError("the masks differ in shape")
    labels = [label for label in np.unique(truth) if label]
    if not labels:
        raise ValueError("the truth is empty")
    found = float(np.mean([dsc(truth == label, answer == label) for label in labels]))
    if found <= FAR_OFF_DSC:
        return found, 0.0
    return found, float(np.mean([nsd(truth == label, answer == label, spacing_mm) for label in labels]))


def dsc(truth: Mask, answer: Mask) -> float:
    """Returns 2 |A and B| / (|A| + |B|)."""
    return float(2 * np.count_nonzero(truth & answer) / (np.count_nonzero(truth) + np.count_nonzero(answer)))


def nsd(truth: Mask, answer: Mask, spacing_mm: Sequence[float], tolerance_mm: float = TOLERANCE_MM) -> float:
    """Returns the share of both surfaces that lies within the tolerance of the other; 0 where one has none."""
    first, second = (surface_pieces(mask, spacing_mm) for mask in _cropped(truth, answer))
    if not (first.any() and second.any()):
        return 0.0
    near = sum(
        float(own[distance_transform_edt(other == 0, sampling=spacing_mm) <= tolerance_mm].sum(dtype=np.float64))
        for own, other in ((first, second), (second, first))
    )
    return near / float(first.sum(dtype=np.float64) + second.sum(dtype=np.float64))


def _cropped(*masks: Mask) -> list[Mask]:
    """Returns the part that holds something of any of them."""
    held = find_objects(np.any(masks, axis=0).astype(np.uint8))
    return [mask[held[0]] for mask in masks] if held else list(masks)
