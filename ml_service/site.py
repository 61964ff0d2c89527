"""One site's own scaling and operating point, judged on images that the fit has not seen.

Another hospital's exposure and framing move the scores of a network. Its own images with known classes refit what
turns scores into answers; the network and the shipped values stay as they are. Whether that helps is told by
cross-fitting: each image is judged by a fit to other patients' images.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ml_service.calibration import calibrated, decided, uncertain
from ml_service.manifest import Calibration
from ml_service.measures import Classes, Floats, brier, calibration_error, counts, error_by_chance, reliability
from ml_service.scaling import calibration

FOLDS = 5
FEWEST = 30  # images of each class; below, a fit says more about chance than about the site
FEWEST_PATIENTS = FOLDS  # that the images of each class come from: one for each part
HIGHER_IS_BETTER = ("accuracy", "sensitivity", "specificity")
LOWER_IS_BETTER = ("ece", "brier")


class TooFew(ValueError):
    """There are not enough images for a fit; the message says how many there are and how many are needed."""


def fitted(
    logits: Floats, classes: Classes, patients: Sequence[object], shipped: Calibration, names: Sequence[str]
) -> tuple[Calibration, dict[str, Any]]:
    """Returns the site's calibration, and the evidence for or against it.

    Args:
        logits: what the network gave, (n, 1) or (n, classes).
        classes: what was so, (n,).
        patients: whose images they are; those of one patient are never on both sides of a fit.
        shipped: what the version came with.
        names: the classes' names, the negative one first.

    The evidence holds n, classes (images of each), patients, folds, the scores before and after (see `summary`),
    `worse` (the names of the scores that the refit makes worse) and `ece_by_chance` (see `measures.error_by_chance`).
    Raises TooFew; ValueError when the logits do not rise with the classes.
    """
    said, answers, unsure = cross_fitted(logits, classes, patients, names)
    first = calibrated(logits, shipped)
    before = summary(first, decided(first, shipped), uncertain(first, shipped), classes)
    after = summary(said, answers, unsure, classes)
    numbers = np.bincount(classes, minlength=len(names))
    return calibration(logits, classes, balanced=False), {
        "n": len(classes),
        "classes": {name: int(number) for name, number in zip(names, numbers, strict=True)},
        "patients": len(set(patients)),
        "folds": FOLDS,
        "before": before,
        "after": after,
        "worse": worse(before, after),
        "ece_by_chance": error_by_chance(said),
    }


def cross_fitted(
    logits: Floats, classes: Classes, patients: Sequence[object], names: Sequence[str]
) -> tuple[Floats, Classes, "np.ndarray[Any, np.dtype[np.bool_]]"]:
    """Returns probabilities (n, classes), answers (n,) and which are uncertain (n,), each by a fit to other patients.

    Raises TooFew.
    """
    groups = np.unique(np.asarray(patients), return_inverse=True)[1]
    _require_enough(classes, groups, names)
    probabilities = np.zeros((len(classes), len(names)), np.float64)
    answers, unsure = np.zeros(len(classes), np.int64), np.zeros(len(classes), np.bool_)
    parts = folds(classes, groups)
    for part in range(FOLDS):
        held, others = parts == part, parts != part
        fit = calibration(logits[others], classes[others], balanced=False)
        probabilities[held] = calibrated(logits[held], fit)
        answers[held] = decided(probabilities[held], fit)
        unsure[held] = uncertain(probabilities[held], fit)
    return probabilities, answers, unsure


def folds(classes: Classes, groups: Classes) -> Classes:
    """Returns each image's part out of FOLDS, (n,): a group (0, 1, …) is in one part, and the classes are spread
    evenly. The largest groups are placed first, each where its classes are rarest so far."""
    table = np.zeros((groups.max() + 1, classes.max() + 1))
    np.add.at(table, (groups, classes), 1)
    shares = table / table.sum(axis=0)
    mixed = np.random.default_rng(0).permutation(len(table))
    filled, part = np.zeros((FOLDS, table.shape[1])), np.zeros(len(table), np.int64)
    for group in mixed[np.argsort(-table[mixed].sum(axis=1), kind="stable")]:
        part[group] = (filled @ shares[group]).argmin()
        filled[part[group]] += shares[group]
    placed: Classes = part[groups]
    return placed


def summary(
    probabilities: Floats, answers: Classes, unsure: "np.ndarray[Any, np.dtype[np.bool_]]", classes: Classes
) -> dict[str, Any]:
    """Returns what a calibration can change. Sensitivity is the share of images with any finding of which the answer
    is a finding, specificity the share of the others of which it is none; both and accuracy with 95 % intervals.
    Uncertain answers count as what they would be without the band."""
    ill, called = classes > 0, answers > 0
    return {
        "accuracy": _share(answers == classes),
        "sensitivity": _share(called[ill]),
        "specificity": _share(~called[~ill]),
        "ece": round(calibration_error(probabilities, classes), 4),
        "brier": round(brier(probabilities, classes), 4),
        "uncertain_share": round(float(unsure.mean()), 4),
        "confusion": counts(answers, classes, probabilities.shape[1]).tolist(),
        "reliability": [
            {name: round(value, 4) for name, value in dot.items()} for dot in reliability(probabilities, classes)
        ],
    }


def worse(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Returns the names of the scores that are worse after than before."""
    fell = [name for name in HIGHER_IS_BETTER if after[name]["value"] < before[name]["value"]]
    return fell + [name for name in LOWER_IS_BETTER if after[name] > before[name]]


def _share(hits: "np.ndarray[Any, np.dtype[np.bool_]]") -> dict[str, float]:
    """Returns a share with its 95 % interval (Wilson 1927)."""
    n, share, z = len(hits), float(hits.mean()), 1.96
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * (share * (1 - share) / n + z**2 / (4 * n**2)) ** 0.5 / (1 + z**2 / n)
    return {"value": round(share, 4), "low": round(middle - half, 4), "high": round(middle + half, 4)}


def _require_enough(classes: Classes, groups: Classes, names: Sequence[str]) -> None:
    images = [int((classes == number).sum()) for number in range(len(names))]
    patients = [len(np.unique(groups[classes == number])) for number in range(len(names))]
    if min(images) < FEWEST or min(patients) < FEWEST_PATIENTS:
        there = ", ".join(f"{name} {n} of {p}" for name, n, p in zip(names, images, patients, strict=True))
        raise TooFew(
            f"A fit needs at least {FEWEST} images of each class, of at least {FEWEST_PATIENTS} patients. "
            f"There are: {there}."
        )
