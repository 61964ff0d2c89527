"""One site's own scaling and operating point, judged on images that the fit has not seen."""

from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from ml_service.calibration import calibrated, decided
from ml_service.manifest import Calibration
from ml_service.training.fit import calibration
from ml_service.training.scores import Classes, Floats, auc, brier, calibration_error

FOLDS = 5
FEWEST = 20  # images of each class; below, a fit says more about chance than about the site


def cross_fitted(logits: Floats, classes: Classes, patients: tuple[str, ...]) -> tuple[Floats, Classes]:
    """Returns probabilities (n, classes) and answers (n,), each by a fit to the images of other patients.

    Raises ValueError when a class has fewer than FEWEST images.
    """
    count = 2 if logits.shape[1] == 1 else logits.shape[1]
    numbers = np.bincount(classes, minlength=count)
    if numbers.min() < FEWEST:
        raise ValueError(f"Expected at least {FEWEST} images of each class. Received: {numbers.tolist()}")
    probabilities = np.zeros((len(classes), count), np.float32)
    answers = np.zeros(len(classes), np.int64)
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    for others, held in folds.split(logits, classes, patients):
        fit = calibration(logits[others], classes[others])
        probabilities[held] = calibrated(logits[held], fit)
        answers[held] = decided(probabilities[held], fit)
    return probabilities, answers


def before_and_after(
    logits: Floats, classes: Classes, patients: tuple[str, ...], shipped: Calibration
) -> dict[str, dict[str, Any]]:
    """Returns AUC, accuracy, ECE and Brier score with the shipped calibration and with the site's, cross-fitted."""
    before = calibrated(logits, shipped)
    return {
        "before": summary(before, decided(before, shipped), classes),
        "after": summary(*cross_fitted(logits, classes, patients), classes),
    }


def summary(probabilities: Floats, answers: Classes, classes: Classes) -> dict[str, Any]:
    """Returns the scores that a calibration can change, and the AUC, which it hardly can."""
    return {
        "n": len(classes),
        "auc": round(auc(probabilities, classes), 4),
        "accuracy": round(float((answers == classes).mean()), 4),
        "ece": round(calibration_error(probabilities, classes), 4),
        "brier": round(brier(probabilities, classes), 4),
    }
