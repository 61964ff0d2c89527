"""From logits to probabilities and a decision: the same few lines for serving, scoring and fitting.

One logit means the second class against the first, its probability sigmoid(scale * logit + offset) (Platt 1999).
K logits mean K classes, softmax(scale * logits + offsets): temperature scaling (Guo et al. 2017,
https://arxiv.org/abs/1706.04599) with a bias for each class. Class 0 is the negative one in both.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml_service.manifest import Calibration

Floats = NDArray[np.floating[Any]]


def full(logits: Floats) -> Floats:
    """Returns logits (n, 1) or (n, classes) as (n, classes): the first of two classes has the logit 0."""
    return np.hstack([np.zeros_like(logits), logits]) if logits.shape[1] == 1 else logits


def shares(logits: Floats) -> Floats:
    """Returns every class's share, (n, classes), of logits (n, 1) or (n, classes): sigmoid or softmax."""
    values = full(logits)
    raised = np.exp(values - values.max(axis=1, keepdims=True))
    out: Floats = raised / raised.sum(axis=1, keepdims=True)
    return out


def calibrated(logits: Floats, fit: Calibration) -> Floats:
    """Returns calibrated probabilities, (n, classes), of logits (n, 1) or (n, classes)."""
    return shares(fit.scale * np.asarray(logits, np.float64) + np.asarray(fit.offset))


def decided(probabilities: Floats, fit: Calibration) -> NDArray[np.int64]:
    """Returns the class of each row of (n, classes): of two by the operating point, of more the most probable."""
    if probabilities.shape[1] == 2:
        return (probabilities[:, 1] >= fit.operating_point).astype(np.int64)
    highest: NDArray[np.int64] = probabilities.argmax(axis=1)
    return highest


def uncertain(probabilities: Floats, fit: Calibration) -> NDArray[np.bool_]:
    """Returns which rows of (n, classes) lie in the uncertain band: by the finding's probability when there are
    two classes, by the highest when there are more."""
    decisive = probabilities[:, 1] if probabilities.shape[1] == 2 else probabilities.max(axis=1)
    low, high = fit.uncertain_band
    inside: NDArray[np.bool_] = (decisive >= low) & (decisive <= high)
    return inside
