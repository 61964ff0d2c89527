"""What may be claimed: scores with 95 % bootstrap intervals, for two classes or more.

Images of one patient are alike, so an interval from draws of images is too narrow; whole patients are drawn (the
cluster bootstrap: Field and Welsh 2007, https://doi.org/10.1111/j.1467-9868.2007.00593.x).
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from ml_service.calibration import decided, uncertain
from ml_service.manifest import Calibration
from ml_service.measures import Classes, Floats, brier, calibration_error

DRAWS = 2000
Pick = NDArray[np.int64]  # numbers of images, some of them twice
Draws = list[Pick]


def auc(probabilities: Floats, classes: Classes) -> float:
    """Returns the area under the ROC curve of probabilities (n, classes); for three classes or more, the mean over
    one class against the rest."""
    numbers = (1,) if probabilities.shape[1] == 2 else range(probabilities.shape[1])
    return float(np.mean([_area(probabilities[:, number], classes == number) for number in numbers]))


def _area(values: Floats, ill: NDArray[np.bool_]) -> float:
    """The Mann-Whitney statistic: how often one of the ill has the higher value than one of the others."""
    positive, negative = int(ill.sum()), int((~ill).sum())
    return float((rankdata(values)[ill].sum() - positive * (positive + 1) / 2) / (positive * negative))


def scores(
    probabilities: Floats,
    classes: Classes,
    fit: Calibration,
    names: Sequence[str],
    patients: Sequence[object],
) -> dict[str, Any]:
    """Returns n, AUC, accuracy, and each class's sensitivity and precision (all with intervals), ECE, Brier score,
    and what the uncertain band does. `names` are the classes' in order, the negative one first; `patients` whose image
    each is: intervals come from draws of these."""
    draws = drawn(classes, patients)
    answers = decided(probabilities, fit)
    unsure = uncertain(probabilities, fit)
    right = answers == classes
    out: dict[str, Any] = {"n": len(classes), "patients": len(set(patients))}
    if len(names) == 2:
        out["positive"] = int(classes.sum())
    out["auc"] = _with_interval(lambda pick: auc(probabilities[pick], classes[pick]), draws)
    out["accuracy"] = _with_interval(lambda pick: float(right[pick].mean()), draws)
    if len(names) == 2:
        out["sensitivity"], out["precision"] = _of_class(1, answers, classes, draws)
        out["specificity"], _ = _of_class(0, answers, classes, draws)
    out["ece"] = round(calibration_error(probabilities, classes), 4)
    out["brier"] = round(brier(probabilities, classes), 4)
    out["uncertain_share"] = round(float(unsure.mean()), 4)
    out["accuracy_when_certain"] = round(float(right[~unsure].mean()), 4) if not unsure.all() else None
    if len(names) > 2:
        out["by_class"] = {name: _class_scores(k, answers, classes, draws) for k, name in enumerate(names)}
    return out


def _class_scores(number: int, answers: Classes, classes: Classes, draws: Draws) -> dict[str, Any]:
    sensitivity, precision = _of_class(number, answers, classes, draws)
    return {"n": int((classes == number).sum()), "sensitivity": sensitivity, "precision": precision}


def _of_class(
    number: int, answers: Classes, classes: Classes, draws: Draws
) -> tuple[dict[str, float], dict[str, float]]:
    """Returns a class's sensitivity (of its images, how many were called so) and precision (the reverse)."""
    called, is_so = answers == number, classes == number
    both = called & is_so
    return (
        _with_interval(lambda pick: float(both[pick].sum() / max(1, is_so[pick].sum())), draws),
        _with_interval(lambda pick: float(both[pick].sum() / max(1, called[pick].sum())), draws),
    )


def _with_interval(measure: Callable[[Pick], float], draws: Draws) -> dict[str, float]:
    whole, *picks = draws
    low, high = np.quantile([measure(pick) for pick in picks], [0.025, 0.975])
    return {"value": round(measure(whole), 4), "low": round(float(low), 4), "high": round(float(high), 4)}


def drawn(classes: Classes, patients: Sequence[object], seed: int = 0) -> Draws:
    """Returns all images' numbers, then those of DRAWS bootstrap draws of whole patients: as many as there are, taken
    within the class of each one's first image so that all classes occur."""
    rng = np.random.default_rng(seed)
    _, owner = np.unique([str(patient) for patient in patients], return_inverse=True)
    first = np.unique(owner, return_index=True)[1]  # each patient's first image
    strata = [np.flatnonzero(classes[first] == number) for number in np.unique(classes[first])]
    picks = []
    for _ in range(DRAWS):
        taken = np.concatenate([rng.choice(stratum, len(stratum)) for stratum in strata])
        times = np.bincount(taken, minlength=len(first))  # how often each patient was drawn
        picks.append(np.repeat(np.arange(len(classes)), times[owner]))
    return [np.arange(len(classes)), *picks]


def by_chance(probabilities: Floats, images: int, seed: int = 0) -> dict[str, Any]:
    """Returns the calibration error of `images` honest answers with probabilities like these, (n, classes): its mean,
    and what it exceeds one time in twenty."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(DRAWS):
        said = probabilities[rng.integers(0, len(probabilities), images)]
        came = (said.cumsum(axis=1)[:, :-1] < rng.random((images, 1))).sum(axis=1)
        found.append(calibration_error(said, came))
    high = float(np.quantile(found, 0.95))
    return {"n": images, "draws": DRAWS, "mean": round(float(np.mean(found)), 4), "high": round(high, 4)}
