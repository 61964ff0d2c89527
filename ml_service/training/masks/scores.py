"""How well a mask agrees with another: overlap and surface, with intervals that know that films share patients."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion, distance_transform_edt

Mask = NDArray[np.bool_]
DRAWS = 2000


def dice(came: Mask, truth: Mask) -> float:
    """Returns the Dice coefficient; 1 for two empty masks."""
    both = int(came.sum()) + int(truth.sum())
    return 1.0 if both == 0 else 2 * int((came & truth).sum()) / both


def surface(came: Mask, truth: Mask, tolerance: float, spacing: tuple[float, ...] | None = None) -> float:
    """Returns the share of both outlines that lies within `tolerance` of the other one (normalised surface Dice).

    Nikolov et al. 2018 (https://arxiv.org/abs/1809.04430). `spacing` and `tolerance` in the same unit, pixels by
    default; an outline is the mask's own pixels that touch its outside or the image's edge.
    """
    edges = [mask & ~binary_erosion(mask) for mask in (came, truth)]
    total = sum(int(edge.sum()) for edge in edges)
    if total == 0:
        return 1.0
    if not all(edge.any() for edge in edges):
        return 0.0
    away = [distance_transform_edt(~edge, sampling=spacing) for edge in edges]
    near = int((away[1][edges[0]] <= tolerance).sum()) + int((away[0][edges[1]] <= tolerance).sum())
    return near / total


def apart(came: Mask, truth: Mask, spacing: tuple[float, ...] | None = None) -> float:
    """Returns the mean distance of each outline's pixels to the other outline (average symmetric surface distance), in
    `spacing`'s unit, pixels by default; NaN where one mask is empty."""
    edges = [mask & ~binary_erosion(mask) for mask in (came, truth)]
    if not all(edge.any() for edge in edges):
        return float("nan")
    away = [distance_transform_edt(~edge, sampling=spacing) for edge in edges]
    return float(np.concatenate([away[1][edges[0]], away[0][edges[1]]]).mean())


def by_patient(values: NDArray[np.float64], patients: list[str], seed: int = 0) -> dict[str, float]:
    """Returns the mean over films with a 95 % interval of bootstraps that draw patients, not films."""
    groups = [values[[patient == each for patient in patients]] for each in sorted(set(patients))]
    rng = np.random.default_rng(seed)
    means = [
        float(np.concatenate([groups[pick] for pick in rng.integers(0, len(groups), len(groups))]).mean())
        for _ in range(DRAWS)
    ]
    low, high = np.percentile(means, [2.5, 97.5])
    return {"value": round(float(values.mean()), 4), "low": round(float(low), 4), "high": round(float(high), 4)}
