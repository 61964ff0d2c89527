"""Fits what is typical of a model's images and where it refuses. Its calibration is fitted by `ml_service/scaling.py`,
on augmented validation images only: plain ones are so much easier than another year's films that a threshold placed on
them calls too many healthy films ill (by 6 to 10 points).
"""

import numpy as np
from sklearn.covariance import LedoitWolf

from ml_service.measures import Classes, Floats
from ml_service.ood import TypicalFeatures

DRAWS = 4  # random variants of each validation image
SEED = 2000  # of the first draw
REFUSED = 0.99  # share of validation images that is answered


def typical_features(features: Floats, classes: Classes | None = None) -> TypicalFeatures:
    """Returns mean and shrunk precision (Ledoit & Wolf 2004) of the training images' features, (n, C); with `classes`
    a mean of each class and the precision within them (Lee et al. 2018)."""
    if classes is None:
        fitted = LedoitWolf().fit(features)
        return TypicalFeatures(fitted.location_, fitted.precision_)
    means = np.stack([features[classes == number].mean(axis=0) for number in np.unique(classes)])
    within = LedoitWolf(assume_centered=True).fit(features - means[classes])
    return TypicalFeatures(means, within.precision_)


def every_image(features: Floats) -> TypicalFeatures:
    """Returns all training images' features, (n, C), as points, rounded as they are stored. Slices of a head differ so
    much among themselves that their mean is as far from them as a slice of a belly is."""
    precision = LedoitWolf().fit(features).precision_
    return TypicalFeatures(features.astype(np.float16).astype(np.float32), precision)


def refusal_threshold(distances: Floats) -> float:
    """Returns the distance that REFUSED of the plain validation images stay below."""
    return round(float(np.quantile(distances, REFUSED)), 4)
