"""What may be claimed: scores with 95 % bootstrap intervals."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

Floats = NDArray[np.float32]
Classes = NDArray[np.int64]
DRAWS = 2000
BINS = 10


def shares(logits: Floats) -> Floats:
    """Returns every class's share, (n, classes), of logits (n, 1) or (n, classes): sigmoid or softmax."""
    full = np.hstack([np.zeros_like(logits), logits]) if logits.shape[1] == 1 else logits
    raised = np.exp(full - full.max(axis=1, keepdims=True))
    out: Floats = raised / raised.sum(axis=1, keepdims=True)
    return out


def auc(probabilities: Floats, classes: Classes) -> float:
    """Returns the area under the ROC curve of probabilities (n, classes); for three classes or more, the mean over
    one class against the rest."""
    if probabilities.shape[1] == 2:
        return float(roc_auc_score(classes, probabilities[:, 1]))
    return float(roc_auc_score(classes, probabilities, multi_class="ovr"))


def scores(probabilities: Floats, classes: Classes, threshold: float) -> dict[str, Any]:
    """Returns n, AUC, accuracy, sensitivity, specificity (each with its interval), ECE and Brier score."""
    measures: dict[str, Callable[[Floats, Classes], float]] = {
        "auc": lambda p, y: float(roc_auc_score(y, p)),
        "accuracy": lambda p, y: float(((p >= threshold) == (y == 1)).mean()),
        "sensitivity": lambda p, y: float((p[y == 1] >= threshold).mean()),
        "specificity": lambda p, y: float((p[y == 0] < threshold).mean()),
    }
    out: dict[str, Any] = {"n": len(classes), "positive": int(classes.sum())}
    for name, measure in measures.items():
        low, high = interval(measure, probabilities, classes)
        value = measure(probabilities, classes)
        out[name] = {"value": round(value, 4), "low": round(low, 4), "high": round(high, 4)}
    out["ece"] = round(calibration_error(probabilities, classes), 4)
    out["brier"] = round(float(np.mean((probabilities - classes) ** 2)), 4)
    return out


def interval(
    measure: Callable[[Floats, Classes], float], probabilities: Floats, classes: Classes, seed: int = 0
) -> tuple[float, float]:
    """Returns the middle 95 % of a measure over bootstrap draws, taken within each class so that both occur."""
    rng = np.random.default_rng(seed)
    groups = [np.flatnonzero(classes == c) for c in (0, 1)]
    values = []
    for _ in range(DRAWS):
        pick = np.concatenate([rng.choice(group, len(group)) for group in groups])
        values.append(measure(probabilities[pick], classes[pick]))
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def calibration_error(probabilities: Floats, classes: Classes) -> float:
    """Returns the expected calibration error of the positive class over BINS bins of equal width."""
    return float(sum(b["share"] * abs(b["said"] - b["came"]) for b in reliability(probabilities, classes)))


def reliability(probabilities: Floats, classes: Classes) -> list[dict[str, float]]:
    """Returns, for each bin that holds images: mean probability said, share that came true, share of images."""
    bins = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    return [
        {
            "said": float(probabilities[bins == b].mean()),
            "came": float(classes[bins == b].mean()),
            "share": float((bins == b).mean()),
        }
        for b in range(BINS)
        if (bins == b).any()
    ]
