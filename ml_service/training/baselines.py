"""What needs no network: a linear model on 32 x 32 pixels and one on the grey levels alone.

A set of images can often be told apart by framing or by the scanner's grey levels, which are no signs of illness. A
network counts by how far it beats these two on the same images.
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from ml_service.calibration import decided
from ml_service.manifest import Calibration
from ml_service.measures import Floats
from ml_service.training.datasets import Split
from ml_service.training.scores import auc

SIDE = 32  # pixels
BINS = 64  # grey levels
HALF = Calibration(scale=1, offset=0, operating_point=0.5, uncertain_band=(0.5, 0.5))


def pixels(films: NDArray[np.uint8]) -> Floats:
    """Returns (n, SIDE * SIDE) grey levels of films (n, height, width)."""
    small = [cv2.resize(film, (SIDE, SIDE), interpolation=cv2.INTER_AREA).ravel() for film in films]
    levels: Floats = np.stack(small).astype(np.float32) / np.float32(255)
    return levels


def histogram(films: NDArray[np.uint8]) -> Floats:
    """Returns (n, BINS) shares of grey levels of films (n, height, width)."""
    counts = [np.bincount(film.ravel() // (256 // BINS), minlength=BINS) for film in films]
    shares: Floats = np.stack(counts).astype(np.float32) / np.float32(films[0].size)
    return shares


LOOKS = {"linear, 32 x 32 pixels": pixels, "linear, grey-level histogram": histogram}


def fitted(train: Split) -> dict[str, Pipeline]:
    """Returns each baseline by its name, fitted on the training images with balanced classes."""
    return {name: _linear().fit(look(train.films), train.classes) for name, look in LOOKS.items()}


def _linear() -> Pipeline:
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.01, class_weight="balanced", max_iter=2000))


def measure(baselines: dict[str, Pipeline], test: Split) -> dict[str, dict[str, float]]:
    """Returns n, AUC and accuracy of each baseline on the films of `test`."""
    return {
        name: brief(np.asarray(model.predict_proba(LOOKS[name](test.films))), test) for name, model in baselines.items()
    }


def brief(probabilities: Floats, test: Split, fit: Calibration = HALF) -> dict[str, float]:
    """Returns n, AUC and accuracy of probabilities (n, classes)."""
    right = decided(probabilities, fit) == test.classes
    return {
        "n": len(test),
        "auc": round(auc(probabilities, test.classes), 4),
        "accuracy": round(float(right.mean()), 4),
    }
