"""How far an image is from what the network was trained on: Mahalanobis distance of the pooled features
(Lee et al. 2018, https://arxiv.org/abs/1807.03888), to the training images' mean, to the nearest class's mean, or to
the nearest training image. Scores made from the logits were tried and do not separate photographs or noise from
films; this one does for most networks, and `ml_service/appearance.py` catches what their features cannot tell.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray


class TypicalFeatures:
    """Points that are typical, (C,) or (M, C), and the precision (C, C) of the training images' features."""

    def __init__(self, mean: NDArray[np.float32], precision: NDArray[np.float32]) -> None:
        self.mean = np.atleast_2d(mean).astype(np.float32)
        self.precision = precision.astype(np.float32)
        self._centre = self.mean.mean(axis=0)  # small numbers keep the sums below exact
        shares, axes = np.linalg.eigh(precision.astype(np.float64))  # rounding may leave a share a little below 0
        self._whiten = (axes * np.sqrt(np.maximum(shares, 0))).astype(np.float32)
        self._points = (self.mean - self._centre) @ self._whiten  # (M, C), in which distance is the plain one
        self._squares = (self._points**2).sum(axis=1)  # (M,)

    @classmethod
    def load(cls, path: Path) -> "TypicalFeatures":
        """Reads `mean` and `precision` from an .npz."""
        with np.load(path, allow_pickle=False) as arrays:
            return cls(arrays["mean"], arrays["precision"])

    def save(self, path: Path) -> None:
        """Writes what `load` reads; points beyond a few in half precision."""
        mean = self.mean.astype(np.float16) if len(self.mean) > 100 else self.mean
        np.savez_compressed(path, mean=mean, precision=self.precision)

    def distance(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns the distance of each row to the nearest point: (B, C) -> (B,)."""
        at = (features.astype(np.float32) - self._centre) @ self._whiten  # (B, C)
        squared = (at**2).sum(axis=1) + (self._squares - 2 * at @ self._points.T).min(axis=1)
        distances: NDArray[np.float32] = np.sqrt(np.maximum(squared, 0))
        return distances
