"""A finished network as it will be served, run over whole sets of images."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from ml_service.calibration import calibrated, decided
from ml_service.engines import Network
from ml_service.manifest import Manifest
from ml_service.measures import Floats
from ml_service.refusal import Refusal
from ml_service.tasks.decode import Grey
from ml_service.tasks.film import Pixels
from ml_service.training.datasets import Split
from ml_service.training.scores import scores

BATCH = 64


@dataclass(frozen=True)
class Judge:
    """A network with its manifest (scaling, operating point, limit) and its measure of strangeness."""

    network: Network
    task: ModuleType
    manifest: Manifest
    refusal: Refusal

    def prepared(self, planes: Iterable[Grey]) -> Pixels:
        """Returns films as served, (n, side, side, 1)."""
        return np.stack([self.task.prepare(plane, self.manifest.side) for plane in planes])

    def probabilities(self, pixels: Pixels) -> Floats:
        """Returns calibrated probabilities, (n, classes)."""
        return calibrated(run(self.network, pixels)[0], self.manifest.calibration)

    def score(self, pixels: Pixels, images: Split) -> dict[str, Any]:
        """Returns the scores of a split's images, prepared."""
        fit, names = self.manifest.calibration, self.manifest.classes
        return scores(self.probabilities(pixels), images.classes, fit, names, images.patients)

    def refused(self, pixels: Pixels) -> "np.ndarray[Any, np.dtype[np.bool_]]":
        """Returns which prepared images get no answer, (n,)."""
        return self.beyond(run(self.network, pixels)[1], pixels)

    def beyond(self, features: Floats, pixels: Pixels) -> "np.ndarray[Any, np.dtype[np.bool_]]":
        """Returns which images score higher than the limit; a score that is no number does, too."""
        return ~(self.refusal.score(features, pixels) <= self.manifest.typical.threshold)

    def refusals(self, planes: Sequence[Grey]) -> dict[str, Any]:
        """Returns how many images the model refuses, and how many of the rest it would have called positive."""
        pixels = self.prepared(planes)
        logits, features, _ = run(self.network, pixels)
        refused = self.beyond(features, pixels)
        answers = decided(calibrated(logits, self.manifest.calibration), self.manifest.calibration)[~refused]
        return {
            "n": len(pixels),
            "refused_share": round(float(refused.mean()), 4),
            "positive_share_of_answered": round(float((answers > 0).mean()), 4) if len(answers) else None,
        }


def run(network: Network, pixels: Pixels) -> tuple[Floats, Floats, Floats]:
    """Returns logits (n, labels), features (n, C), and each heat map's highest value (n, labels)."""
    parts = [network(pixels[at : at + BATCH]) for at in range(0, len(pixels), BATCH)]
    return (
        np.concatenate([part.logits for part in parts]),
        np.concatenate([part.features for part in parts]),
        np.concatenate([part.heat.max(axis=(1, 2)) for part in parts]),
    )


def prepared_split(split: Split, task: ModuleType, side: int) -> Pixels:
    """Returns a split's films as served, (n, side, side, 1)."""
    return np.stack([task.prepare(film, side) for film in split.films])
