"""What may be claimed: scores with 95 % bootstrap intervals, for two classes or more."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from ml_service.calibration import decided, uncertain
from ml_service.manifest import Calibration
from ml_service.measures import Classes, Floats, brier, calibration_error

DRAWS = 2000


def auc(probabilities: Floats, classes: Classes) -> float:
    """Returns the area under the ROC curve of probabilities (n, classes); for three classes or more, the mean over
    one class against the rest."""
    numbers = (1,) if probabilities.shape[1] == 2 else range(probabilities.shape[1])
    return float(np.mean([_area(probabilities[:, number], classes == number) for number in numbers]))


def _area(values: Floats, ill: NDArray[np.bool_]) -> float:
    """The Mann-Whitney statistic: how often one of the ill has the higher value than one of the others."""
    positive, negative = int(ill.sum()), int((~ill).sum())
    return float((rankdata(values)[ill].sum() - positive * (positive + 1) / 2) / (positive * negative))


def scores(probabilities: Floats, classes: Classes, fit: Calibration, names: Sequence[str]) -> dict[str, Any]:
    """Returns n, AUC, accuracy, and each class's sensitivity and precision (all with intervals), ECE, Brier score,
    and what the uncertain band does. `names` are the classes' in order, the negative one first."""
    answers = decided(probabilities, fit)
    unsure = uncertain(probabilities, fit)
    right = answers == classes
    out: dict[str, Any] = {"n": len(classes)}
    if len(names) == 2:
        out["positive"] = int(classes.sum())
    out["auc"] = _with_interval(lambda pick: auc(probabilities[pick], classes[pick]), classes)
    out["accuracy"] = _with_interval(lambda pick: float(right[pick].mean()), classes)
    if len(names) == 2:
        out["sensitivity"], out["precision"] = _of_class(1, answers, classes)
        out["specificity"], _ = _of_class(0, answers, classes)
    out["ece"] = round(calibration_error(probabilities, classes), 4)
    out["brier"] = round(brier(probabilities, classes), 4)
    out["uncertain_share"] = round(float(unsure.mean()), 4)
    out["accuracy_when_certain"] = round(float(right[~unsure].mean()), 4) if not unsure.all() else None
    if len(names) > 2:
        out["by_class"] = {name: _class_scores(k, answers, classes) for k, name in enumerate(names)}
    return out


def _class_scores(number: int, answers: Classes, classes: Classes) -> dict[str, Any]:
    sensitivity, precision = _of_class(number, answers, classes)
    return {"n": int((classes == number).sum()), "sensitivity": sensitivity, "precision": precision}


def _of_class(number: int, answers: Classes, classes: Classes) -> tuple[dict[str, float], dict[str, float]]:
    """Returns a class's sensitivity (of its images, how many were called so) and precision (the reverse)."""
    called, is_so = answers == number, classes == number
    both = called & is_so
    return (
        _with_interval(lambda pick: float(both[pick].sum() / max(1, is_so[pick].sum())), classes),
        _with_interval(lambda pick: float(both[pick].sum() / max(1, called[pick].sum())), classes),
    )


def _with_interval(measure: Callable[[NDArray[np.int64]], float], classes: Classes) -> dict[str, float]:
    low, high = interval(measure, classes)
    value = measure(np.arange(len(classes)))
    return {"value": round(value, 4), "low": round(low, 4), "high": round(high, 4)}


def interval(measure: Callable[[NDArray[np.int64]], float], classes: Classes, seed: int = 0) -> tuple[float, float]:
    """Returns the middle 95 % of a measure of picked images over bootstrap draws, taken within each class so that
    all occur."""
    rng = np.random.default_rng(seed)
    groups = [np.flatnonzero(classes == number) for number in np.unique(classes)]
    values = [measure(np.concatenate([rng.choice(group, len(group)) for group in groups])) for _ in range(DRAWS)]
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)
