"""Places the operating point. On augmented validation images only: plain ones are so much easier than another
year's films that a threshold placed on them calls too many healthy films ill (by 6 to 10 points).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import LedoitWolf
from sklearn.linear_model import LogisticRegression

from ml_service.manifest import Calibration
from ml_service.ood import TypicalFeatures

Floats = NDArray[np.float32]
Classes = NDArray[np.int64]
DRAWS = 4  # random variants of each validation image
SEED = 2000  # of the first draw
SURE = 0.97  # accuracy that is wanted of the answers outside the uncertain band
WIDEST = 0.12  # share of images that may be called uncertain
REFUSED = 0.99  # share of validation images that is answered


@dataclass(frozen=True)
class Line:
    """probability = sigmoid(scale * logit + offset)"""

    scale: float
    offset: float

    def __call__(self, logits: Floats) -> Floats:
        """Returns probabilities, (n,)."""
        probabilities: Floats = (1 / (1 + np.exp(-(self.scale * logits + self.offset)))).astype(np.float32)
        return probabilities


def fit_line(logits: Floats, classes: Classes) -> Line:
    """Returns Platt's scaling, both classes counting the same: the share of ill children in one hospital's
    archive is not that of another's ward."""
    model = LogisticRegression(C=1e6, class_weight="balanced").fit(logits[:, None], classes)
    return Line(float(model.coef_[0, 0]), float(model.intercept_[0]))


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
    at most WIDEST of the images lie in it."""
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


def calibrate(logits: Floats, classes: Classes) -> Calibration:
    """Returns the scaling, operating point and band for logits of augmented validation images."""
    line = fit_line(logits, classes)
    probabilities = line(logits)
    cut = best_threshold(probabilities, classes)
    return Calibration(
        scale=round(line.scale, 5),
        offset=round(line.offset, 5),
        operating_point=cut,
        uncertain_band=uncertain_band(probabilities, classes, cut),
    )


def typical_features(features: Floats) -> TypicalFeatures:
    """Returns mean and shrunk precision (Ledoit & Wolf 2004) of the training images' features, (n, C)."""
    fitted = LedoitWolf().fit(features)
    return TypicalFeatures(fitted.location_.astype(np.float32), fitted.precision_.astype(np.float32))


def refusal_threshold(distances: Floats) -> float:
    """Returns the distance that REFUSED of the plain validation images stay below."""
    return round(float(np.quantile(distances, REFUSED)), 4)
