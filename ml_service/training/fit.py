"""Fits what is typical of a model's images and where it refuses. Its calibration is fitted by `ml_service/scaling.py`,
half on validation images as they are, half on varied ones. Plain ones alone are so much easier than another year's
films that a threshold placed on them calls too many healthy films ill (by 6 to 10 points); varied ones alone are so
much stranger that one placed on them misses the ill among plain ones (10 % of validation's, where half and half misses
7 % and is as right about the varied ones).
"""

from collections.abc import Sequence
from types import ModuleType

import numpy as np
from sklearn.covariance import LedoitWolf
from sklearn.linear_model import LogisticRegression

from ml_service.appearance import Appearance, described
from ml_service.measures import Classes, Floats
from ml_service.ood import TypicalFeatures
from ml_service.tasks.decode import Grey
from ml_service.tasks.position import wrong_ways

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


def appearance(films: Sequence[Grey], task: ModuleType, side: int) -> Appearance:
    """Returns what framed training images look like, and how they look when they are turned or negatives: every
    second one mirrored as well, because a mirrored image is not one that is turned."""

    def rows(planes: Sequence[Grey]) -> Floats:
        return np.concatenate([described(task.prepare(plane, side)[np.newaxis]) for plane in planes])

    right = rows(films)
    mirrored = rows([np.ascontiguousarray(film[:, ::-1]) for film in films[1::2]])
    both_ways = [film[:, ::-1] if index % 2 else film for index, film in enumerate(films)]
    wrong = rows([plane for film in both_ways for plane in wrong_ways(film).values()])
    seen = np.concatenate([right, mirrored, wrong])
    is_wrong = np.arange(len(seen)) >= len(right) + len(mirrored)
    middle, deviation = seen.mean(axis=0), seen.std(axis=0) + 1e-6
    told = LogisticRegression(C=0.1, max_iter=300, class_weight="balanced").fit((seen - middle) / deviation, is_wrong)
    weights = told.coef_[0] / deviation
    return Appearance(typical_features(right), weights, float(told.intercept_[0] - weights @ middle))


def spans(measures: Floats) -> tuple[tuple[float, float], ...]:
    """Returns median and REFUSED quantile of each measure of validation images, (n, 3)."""
    low, high = np.quantile(measures, [0.5, REFUSED], axis=0)
    return tuple((round(float(a), 4), round(float(max(b, a + 1e-3)), 4)) for a, b in zip(low, high, strict=True))


def refusal_threshold(distances: Floats) -> float:
    """Returns the distance, or score, that REFUSED of the good validation images stay below."""
    return round(float(np.quantile(distances, REFUSED)), 4)
