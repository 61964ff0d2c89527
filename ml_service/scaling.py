"""Fits scaling, operating point and uncertain band to logits whose classes are known: for a release, and for a site.

Scaling is logistic regression on the logits themselves. Two classes: a slope and an intercept (Platt 1999,
"Probabilistic outputs for support vector machines"). K classes: one slope for all, which is an inverse temperature
(Guo et al. 2017, https://arxiv.org/abs/1706.04599), and an intercept for each. The truth is smoothed as Platt does it,
by one made-up image of each class, so that classes that separate fully do not drive the slope to infinity. The loss is
convex in all of them and Newton's method finds its least in a few steps.
"""

import numpy as np

from ml_service.calibration import calibrated, full, shares
from ml_service.manifest import Calibration
from ml_service.measures import Classes, Floats

SURE = 0.97  # accuracy that is wanted of the answers outside the uncertain band
WIDEST = 0.12  # share of images that may be called uncertain
HALF = 0.5  # of more than two classes, one above it is the only one
STEPS = 100


def calibration(logits: Floats, classes: Classes, balanced: bool) -> Calibration:
    """Returns scaling, operating point and uncertain band for logits (n, 1) or (n, classes).

    With `balanced` all classes count the same: for a release, because the share of the ill in one hospital's archive
    is not that of another's ward. Without it the images' own shares are taken as the site's.
    Raises ValueError when the logits do not rise with the classes.
    """
    fit = fit_scaling(logits, classes, balanced)
    probabilities = calibrated(logits, fit)
    if logits.shape[1] > 1:
        return fit.model_copy(update={"uncertain_band": (0.0, least_sure(probabilities, classes))})
    cut = best_threshold(probabilities[:, 1], classes) if balanced else even_odds(probabilities[:, 1])
    band = uncertain_band(probabilities[:, 1], classes, cut)
    return fit.model_copy(update={"operating_point": cut, "uncertain_band": band})


def fit_scaling(logits: Floats, classes: Classes, balanced: bool) -> Calibration:
    """Returns the slope and the intercepts; the operating point is left in the middle."""
    values = full(np.asarray(logits, np.float64))  # (n, K)
    count = values.shape[1]
    numbers = np.bincount(classes, minlength=count)
    weights = (1 / (count * numbers))[classes] if balanced else np.full(len(classes), 1 / len(classes))
    slope, *rest = _least_loss(values, weights, _smoothed(classes, numbers))
    if slope <= 0:
        raise ValueError("Expected scores that rise with the class. They fall: are the labels the wrong way round?")
    if logits.shape[1] == 1:
        return _scaling(slope, round(rest[0], 5))
    offsets = np.array([0.0, *rest])  # a constant in all of them changes nothing
    return _scaling(slope, tuple(round(float(offset), 5) for offset in offsets - offsets.mean()))


def _smoothed(classes: Classes, numbers: Classes) -> Floats:
    """Returns what each image is taken for, (n, K): Platt's (N + 1) / (N + K) for its own class."""
    count = len(numbers)
    others = (1 / (numbers + count))[classes, np.newaxis]
    truth: Floats = np.where(np.eye(count)[classes] == 1, 1 - (count - 1) * others, others)
    return truth


def _least_loss(values: Floats, weights: Floats, truth: Floats) -> list[float]:
    """Returns slope and K - 1 intercepts (that of class 0 is 0) with the least cross entropy."""
    images, count = values.shape
    parts = np.zeros((images, count, count))  # what each parameter adds to each class's score
    parts[:, :, 0] = values
    parts[:, 1:, 1:] = np.eye(count - 1)
    found = np.zeros(count)
    found[0] = 1 / max(float(values.std()), 1e-6)

    def loss(x: Floats) -> float:
        return -float(weights @ (truth * np.log(shares(parts @ x) + 1e-300)).sum(axis=1))

    for _ in range(STEPS):
        said = shares(parts @ found)
        slopes = np.einsum("n,nk,nkp->p", weights, said - truth, parts)
        centred = parts - np.einsum("nk,nkp->np", said, parts)[:, np.newaxis]
        bend = np.einsum("n,nk,nkp,nkq->pq", weights, said, centred, centred, optimize=True)
        step = np.linalg.solve(bend + 1e-9 * np.eye(count), slopes)
        while loss(found - step) > loss(found) and np.abs(step).max() > 1e-9:
            step = step / 2
        found = found - step
        if np.abs(step).max() < 1e-7:
            break
    return [float(value) for value in found]


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


def even_odds(probabilities: Floats) -> float:
    """Returns the probability at which the images' own probabilities, taken at their word, expect sensitivity +
    specificity to be largest: their mean, where an image is as likely among the ill as among the others. For the few
    images of a site it is the better guess: the observed best is up to 0.012 lower in sensitivity + specificity on
    new images when it was found on 80, and 0.005 when on 250 (simulated)."""
    return round(float(np.clip(probabilities.mean(), 0.05, 0.95)), 3)


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
