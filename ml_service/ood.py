"""How far an image is from what the network was trained on: Mahalanobis distance of the pooled features
(Lee et al. 2018, https://arxiv.org/abs/1807.03888). Scores made from the logits were tried and do not
separate photographs or noise from films; this one does.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray


class TypicalFeatures:
    """Means (M, C), one of all training images or one of each class, and precision (C, C) of their features."""

    def __init__(self, mean: NDArray[np.float32], precision: NDArray[np.float32]) -> None:
        self.mean = np.atleast_2d(mean).astype(np.float64)
        self.precision = precision.astype(np.float64)

    @classmethod
    def load(cls, path: Path) -> "TypicalFeatures":
        """Reads `mean` and `precision` from an .npz."""
        with np.load(path, allow_pickle=False) as arrays:
            return cls(arrays["mean"], arrays["precision"])

    def distance(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns the distance of each row to the nearest mean: (B, C) -> (B,)."""
        away = features.astype(np.float64)[:, np.newaxis] - self.mean  # (B, M, C)
        squared = (away @ self.precision * away).sum(axis=2).min(axis=1)  # (B,)
        distances: NDArray[np.float32] = np.sqrt(np.maximum(squared, 0)).astype(np.float32)
        return distances
