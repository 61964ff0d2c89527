"""How far probabilities and answers are from the truth, in numbers: the same for releases and for sites."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Classes = NDArray[np.int64]
BINS = 10


def counts(answers: Classes, classes: Classes, names: int) -> NDArray[np.int64]:
    """Returns the confusion of `names` classes, (names, names): rows are the truth, columns the answer."""
    found = np.zeros((names, names), np.int64)
    np.add.at(found, (classes, answers), 1)
    return found


def brier(probabilities: Floats, classes: Classes) -> float:
    """Returns the mean squared error: of the positive class for two classes, summed over all for more."""
    if probabilities.shape[1] == 2:
        return float(np.mean((probabilities[:, 1] - classes) ** 2))
    return float(np.mean(((probabilities - np.eye(probabilities.shape[1])[classes]) ** 2).sum(axis=1)))


def calibration_error(probabilities: Floats, classes: Classes) -> float:
    """Returns the expected calibration error over BINS bins of equal width."""
    return float(sum(b["share"] * abs(b["said"] - b["came"]) for b in reliability(probabilities, classes)))


def error_by_chance(probabilities: Floats, draws: int = 200) -> dict[str, float]:
    """Returns the calibration error that perfectly honest probabilities like these would show on as many images: its
    mean, and what it exceeds one time in twenty. With few images it is far from 0, because bins are small."""
    rng, edges = np.random.default_rng(0), probabilities.cumsum(axis=1)[:, :-1]
    found = [calibration_error(probabilities, (edges < rng.random((len(edges), 1))).sum(axis=1)) for _ in range(draws)]
    return {"mean": round(float(np.mean(found)), 4), "high": round(float(np.quantile(found, 0.95)), 4)}


def reliability(probabilities: Floats, classes: Classes) -> list[dict[str, float]]:
    """Returns, for each bin that holds images: mean probability said, share that came true, share of images. Said is
    the positive class's probability for two classes, that of the most probable class for more."""
    if probabilities.shape[1] == 2:
        said, came = probabilities[:, 1], classes == 1
    else:
        said, came = probabilities.max(axis=1), probabilities.argmax(axis=1) == classes
    bins = np.minimum((said * BINS).astype(int), BINS - 1)
    return [
        {
            "said": float(said[bins == b].mean()),
            "came": float(came[bins == b].mean()),
            "share": float((bins == b).mean()),
        }
        for b in range(BINS)
        if (bins == b).any()
    ]
