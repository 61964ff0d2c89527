"""Fits scaling, operating point and refusal. On augmented validation images only: plain ones are so much easier than
another year's films that a threshold placed on them calls too many healthy films ill (by 6 to 10 points).
"""

import numpy as np
from scipy.optimize import minimize
from sklearn.covariance import LedoitWolf
from sklearn.linear_model import LogisticRegression

from ml_service.calibration import calibrated, shares
from ml_service.manifest import Calibration
from ml_service.ood import TypicalFeatures
from ml_service.training.scores import Classes, Floats

DRAWS = 4  # random variants of each validation image
SEED = 2000  # of the first draw
SURE = 0.97  # accuracy that is wanted of the answers outside the uncertain band
WIDEST = 0.12  # share of images that may be called uncertain
REFUSED = 0.99  # share of validation images that is answered
HALF = 0.5  # of more than two classes, one above it is the only one


def calibration(logits: Floats, classes: Classes) -> Calibration:
    """Returns scaling, operating point and uncertain band for logits (n, 1) or (n, classes)."""
    if logits.shape[1] == 1:
        fit = fit_line(logits, classes)
        probabilities = calibrated(logits, fit)[:, 1]
        cut = best_threshold(probabilities, classes)
        return fit.model_copy(
            update={"operating_point": cut, "uncertain_band": uncertain_band(probabilities, classes, cut)}
        )
    fit = fit_softmax(logits, classes)
    return fit.model_copy(update={"uncertain_band": (0.0, least_sure(calibrated(logits, fit), classes))})


def fit_line(logits: Floats, classes: Classes) -> Calibration:
    """Returns Platt's scaling of logits (n, 1), both classes counting the same: the share of ill children in one
    hospital's archive is not that of another's ward."""
    model = LogisticRegression(C=1e6, class_weight="balanced").fit(logits, classes)
    scale, offset = float(model.coef_[0, 0]), float(model.intercept_[0])
    return _scaling(scale, round(offset, 5))


def fit_softmax(logits: Floats, classes: Classes) -> Calibration:
    """Returns one scale and an offset for each class for logits (n, classes), all classes counting the same."""
    count = logits.shape[1]
    weights = (1 / (count * np.bincount(classes, minlength=count)))[classes]  # of each image; they add up to 1
    truth = np.eye(count)[classes]

    def loss(x: Floats) -> tuple[float, Floats]:
        probabilities = shares(np.exp(x[0]) * logits.astype(np.float64) + x[1:])
        away = weights[:, np.newaxis] * (probabilities - truth)
        gradient = np.concatenate([[np.exp(x[0]) * (away * logits).sum()], away.sum(axis=0)])
        return -float(weights @ np.log(probabilities[np.arange(len(classes)), classes] + 1e-12)), gradient

    found = minimize(loss, np.zeros(1 + count), jac=True, method="L-BFGS-B").x
    offsets = found[1:] - found[1:].mean()  # a constant in all of them changes nothing
    return _scaling(float(np.exp(found[0])), tuple(round(float(offset), 5) for offset in offsets))


def _scaling(scale: float, offset: float | tuple[float, ...]) -> Calibration:
    return Calibration(scale=round(scale, 5), offset=offset, operating_point=HALF, uncertain_band=(HALF, HALF))


def best_threshold(probabilities: Floats, classes: Classes) -> float:
    """Returns the probability at which sensitivity + specificity is largest (Youden's J), taken as the middle of
    all that are within half a point of the best: the curve is flat there and its peak is chance."""
    cuts = np.linspace(0.05, 0.95, 181)
    ill = classes == 1
    found = np.array([(probabilities[ill] >= cut).mean() + (probabilities[~ill] < cut).mean() for cut in cuts])
    good = cuts[found >= found.max() - 0.005]
    return round(float((good[0] + good[-1]) / 2), 3)


def uncertain_band(probabilities: Floats, classes: Classes, cut: float) -> tuple[float, float]:
    """Returns the narrowest band around `cut`, even in logits, outside of which SURE of the answers are right;
    at most WIDEST of the images lie in it. Probabilities (n,)."""
    inside = np.clip(probabilities, 1e-6, 1 - 1e-6)
    logit = np.log(inside / (1 - inside))
    centre = np.log(cut / (1 - cut))
    right = (probabilities >= cut) == (classes == 1)
    for half in np.arange(0.05, 3, 0.05):
        outside = np.abs(logit - centre) > half
        if right[outside].mean() >= SURE or (~outside).mean() >= WIDEST:
            break
    low, high = (1 / (1 + np.exp(-(centre + side * half))) for side in (-1, 1))
    return round(float(low), 4), round(float(high), 4)


def least_sure(probabilities: Floats, classes: Classes) -> float:
    """Returns the highest probability of a row, (n, classes), up to which the answer is uncertain: the smallest above
    which SURE of the answers are right, while at most WIDEST of the images lie below. Never under HALF."""
    highest, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == classes
    for cut in np.arange(HALF, 0.99, 0.01):
        above = highest > cut
        if not above.any() or right[above].mean() >= SURE or (~above).mean() >= WIDEST:
            break
    return round(float(cut), 2)


def typical_features(features: Floats, classes: Classes | None = None) -> TypicalFeatures:
    """Returns mean and shrunk precision (Ledoit & Wolf 2004) of the training images' features, (n, C); with `classes`
    a mean of each class and the precision within them (Lee et al. 2018)."""
    if classes is None:
        fitted = LedoitWolf().fit(features)
        return TypicalFeatures(fitted.location_, fitted.precision_)
    means = np.stack([features[classes == number].mean(axis=0) for number in np.unique(classes)])
    within = LedoitWolf(assume_centered=True).fit(features - means[classes])
    return TypicalFeatures(means, within.precision_)


def refusal_threshold(distances: Floats) -> float:
    """Returns the distance that REFUSED of the plain validation images stay below."""
    return round(float(np.quantile(distances, REFUSED)), 4)
