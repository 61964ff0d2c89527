"""What an image looks like, told from the pixels that a network reads and from no network: some networks give noise and
photographs the same features as films. Two measures of one description, both fitted to training images:

* the Mahalanobis distance of the description to the training images' mean;
* the log odds that the image lies on its side, is upside down or is a negative, from logistic regression between the
  training images and such variants of them (after Golan & El-Yaniv 2018, https://arxiv.org/abs/1805.10917).

The description (358 numbers, about 0.1 ms): how much of the image's edges runs which way in which part of it (Dalal &
Triggs 2005, "Histograms of oriented gradients for human detection"), a thumbnail, the power in five octaves of a
Laplacian pyramid (Burt & Adelson 1983), and the share that is black.
"""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ml_service.ood import TypicalFeatures
from ml_service.tasks.film import Pixels

Floats = NDArray[np.float32]
GRID, CELL = 6, 8  # parts across and down; pixels across a part
DIRECTIONS = 8  # in which brightness rises
THUMBNAIL = 8  # pixels
OCTAVES = 5
BLACK = -1.69  # equalised levels below have no rank
_ANGLES = np.arange(DIRECTIONS) * 2 * np.pi / DIRECTIONS
_TOWARDS = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)]).astype(np.float32)  # (2, DIRECTIONS)


def described(pixels: Pixels) -> Floats:
    """Returns a row for each prepared image: (B, side, side, 1) -> (B, 358)."""
    return np.stack([_description(np.ascontiguousarray(image[:, :, 0])) for image in pixels])


def _description(image: Floats) -> Floats:
    black = np.float32(np.count_nonzero(image < BLACK) / image.size)
    thumbnail = cv2.resize(image, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA)
    return np.concatenate([thumbnail.ravel(), _octaves(image), [black], _edges(image)]).astype(np.float32)


def _octaves(image: Floats) -> list[float]:
    """Returns the log power that each halving of the size takes away."""
    powers = []
    for _ in range(OCTAVES):
        smaller = cv2.pyrDown(image).astype(np.float32, copy=False)
        lost = cv2.norm(image, cv2.pyrUp(smaller, dstsize=image.shape[::-1]), cv2.NORM_L2SQR) / image.size
        powers.append(float(np.log(lost + 1e-4)))
        image = smaller
    return powers


def _edges(image: Floats) -> Floats:
    """Returns for each part and direction the square root of its share of all that brightness rises by: (288,)."""
    size = GRID * CELL
    small = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
    small = cv2.copyMakeBorder(small, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    rises = np.stack([small[1:-1, 2:] - small[1:-1, :-2], small[2:, 1:-1] - small[:-2, 1:-1]], axis=-1)
    along = np.maximum(rises.reshape(-1, 2) @ _TOWARDS, 0).reshape(size, size, DIRECTIONS)
    parts = cv2.resize(along, (GRID, GRID), interpolation=cv2.INTER_AREA).ravel() * CELL**2
    shares: Floats = np.sqrt(parts / (parts.sum() + 1e-3))
    return shares


class Appearance:
    """The training images' descriptions, and the weights (358,) and bias of being wrongly stored."""

    def __init__(self, typical: TypicalFeatures, weights: Floats, bias: float) -> None:
        self.typical = typical
        self.weights = weights.astype(np.float32)
        self.bias = np.float32(bias)

    @classmethod
    def load(cls, path: Path) -> "Appearance":
        """Reads what `save` wrote."""
        with np.load(path, allow_pickle=False) as arrays:
            typical = TypicalFeatures(arrays["mean"], arrays["precision"])
            return cls(typical, arrays["weights"], float(arrays["bias"]))

    def save(self, path: Path) -> None:
        """Writes mean, precision, weights and bias as .npz."""
        arrays = {"mean": self.typical.mean, "precision": self.typical.precision}
        np.savez_compressed(path, weights=self.weights, bias=self.bias, **arrays)  # type: ignore[arg-type]

    def measures(self, pixels: Pixels) -> Floats:
        """Returns both measures of each image, (B, 2); both rise with its strangeness."""
        rows = described(pixels)
        return np.stack([self.typical.distance(rows), rows @ self.weights + self.bias], axis=1)
