"""Runs a finished network over sets of images and says what came out."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml_service.manifest import Calibration, Typical
from ml_service.ood import TypicalFeatures
from ml_service.runtime import Network
from ml_service.tasks.decode import Grey, grey_plane
from ml_service.tasks.film import Pixels
from ml_service.training.calibrate import Line
from ml_service.training.scores import Classes, Floats, scores

IMAGES = (".jpg", ".jpeg", ".png", ".tif", ".gif")
BATCH = 64
NOISE_IMAGES = 60


@dataclass(frozen=True)
class Judge:
    """A network with its scaling and its idea of what is typical."""

    network: Network
    task: ModuleType
    typical: TypicalFeatures
    calibration: Calibration
    limit: Typical

    def prepared(self, planes: Iterable[Grey]) -> Pixels:
        """Returns films as served, (n, side, side, 1)."""
        return np.stack([self.task.prepare(plane, self.network.side) for plane in planes])

    def probabilities(self, pixels: Pixels) -> Floats:
        """Returns calibrated probabilities, (n,)."""
        line = Line(self.calibration.scale, self.calibration.offset)
        return line(run(self.network, pixels)[0])

    def score(self, pixels: Pixels, classes: Classes) -> dict[str, Any]:
        """Returns the scores, and what the uncertain band does."""
        probabilities = self.probabilities(pixels)
        cut = self.calibration.operating_point
        low, high = self.calibration.uncertain_band
        sure = (probabilities < low) | (probabilities > high)
        right = (probabilities >= cut) == (classes == 1)
        return scores(probabilities, classes, cut) | {
            "uncertain_share": round(float(1 - sure.mean()), 4),
            "accuracy_when_certain": round(float(right[sure].mean()), 4),
        }

    def refusals(self, pixels: Pixels) -> dict[str, Any]:
        """Returns how many images the model refuses, and what it would have said of the rest."""
        logits, features, _ = run(self.network, pixels)
        refused = self.typical.distance(features) > self.limit.threshold
        probabilities = Line(self.calibration.scale, self.calibration.offset)(logits)
        answered = probabilities[~refused]
        positive = float((answered >= self.calibration.operating_point).mean()) if len(answered) else None
        return {
            "n": len(pixels),
            "refused_share": round(float(refused.mean()), 4),
            "positive_share_of_answered": None if positive is None else round(positive, 4),
        }


def run(network: Network, pixels: Pixels) -> tuple[Floats, Floats, Floats]:
    """Returns first logits (n,), features (n, C), and each image's highest activation (n,)."""
    logits, features, peaks = [], [], []
    for at in range(0, len(pixels), BATCH):
        out = network(pixels[at : at + BATCH])
        logits.append(out.logits[:, 0])
        features.append(out.features)
        peaks.append(out.heat[..., 0].max(axis=(1, 2)))
    return np.concatenate(logits), np.concatenate(features), np.concatenate(peaks)


def read_others(folder: Path, most: int = 300) -> list[NDArray[np.uint8]]:
    """Returns up to `most` images of a folder, spread evenly over its sorted files."""
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGES)
    step = max(1, len(files) // most)
    return [grey_plane(path.read_bytes()) for path in files[::step][:most]]


def noise(seed: int = 3000) -> list[NDArray[np.uint8]]:
    """Returns random images: fine, blocky and smooth noise."""
    rng = np.random.default_rng(seed)
    images = []
    for index in range(NOISE_IMAGES):
        grain = (1, 4, 16)[index % 3]
        cells = rng.integers(0, 256, (224 // grain, 224 // grain), dtype=np.uint8)
        images.append(np.kron(cells, np.ones((grain, grain), np.uint8)))
    return images


def turned(planes: Iterable[Grey]) -> dict[str, list[Grey]]:
    """Returns films lying on their side, upside down, and as negatives: none of them may be answered."""
    films = list(planes)
    return {
        "quarter turn": [np.ascontiguousarray(np.rot90(film)) for film in films],
        "upside down": [np.ascontiguousarray(film[::-1]) for film in films],
        "inverted": [(255 - film).astype(np.uint8) for film in films],
    }
