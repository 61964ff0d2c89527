"""Whether a version answers about an image: one number from the features of its network and from the pixels."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml_service import manifest as manifests
from ml_service.appearance import Appearance
from ml_service.manifest import Manifest
from ml_service.ood import TypicalFeatures
from ml_service.tasks.film import Pixels

Floats = NDArray[np.float32]


class Refusal:
    """How strange an image is; the manifest's `typical` says up to where it is answered."""

    def __init__(
        self,
        typical: TypicalFeatures,
        appearance: Appearance | None = None,
        spans: tuple[tuple[float, float], ...] | None = None,
        together: bool = False,
    ) -> None:
        self.typical = typical
        self.appearance = appearance
        self.spans = np.array(spans, np.float32) if spans is not None else None  # (3, 2)
        self.together = together  # the two distances as one; the first versions have each by itself

    @classmethod
    def load(cls, folder: Path, manifest: Manifest) -> "Refusal":
        """Reads a version's files. The first versions have no appearance."""
        typical, spans = TypicalFeatures.load(folder / manifests.TYPICAL), manifest.typical.spans
        seen = Appearance.load(folder / manifests.APPEARANCE) if spans else None
        return cls(typical, seen, spans, manifest.typical.together)

    def save(self, folder: Path) -> None:
        """Writes what `load` reads."""
        self.typical.save(folder / manifests.TYPICAL)
        if self.appearance is not None:
            self.appearance.save(folder / manifests.APPEARANCE)

    def measures(self, features: Floats, pixels: Pixels) -> Floats:
        """Returns each image's distance and, with an appearance, its two measures: (B, 1) or (B, 3)."""
        distance = self.typical.distance(features)[:, np.newaxis]
        return distance if self.appearance is None else np.hstack([distance, self.appearance.measures(pixels)])

    def score(self, features: Floats, pixels: Pixels) -> Floats:
        """Returns how strange each image is: features (B, C) and prepared pixels (B, side, side, 1) -> (B,)."""
        return self.scaled(self.measures(features, pixels))

    def scaled(self, found: Floats) -> Floats:
        """Returns the score of each image's measures, (B, 1) or (B, 3): the largest, where each has its own scale.
        With `together`, the distances of features and of pixels are two sides of a right angle, and count by how far
        that leads: what is somewhat strange in both is strange."""
        if self.spans is not None:
            found = (found - self.spans[:, 0]) / (self.spans[:, 1] - self.spans[:, 0])
            if self.together:
                both = np.linalg.norm(np.maximum(found[:, :2], 0), axis=1, keepdims=True)
                found = np.hstack([both, found[:, 2:]])
        highest: Floats = found.max(axis=1)  # a NaN stays one, and is refused
        return highest
