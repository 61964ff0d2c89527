"""Every image given one and the same histogram, so that grey levels cannot tell the classes apart any more."""

import dataclasses

import cv2
import numpy as np
from numpy.typing import NDArray

from ml_service.tasks.decode import Grey
from ml_service.training.datasets import Split


def reference(train: Split) -> NDArray[np.float64]:
    """Returns the mean histogram of the training images, (256,), all classes counting the same."""
    counts = np.stack([np.bincount(film.ravel(), minlength=256) for film in train.films]) / train.films[0].size
    means = [counts[train.classes == number].mean(axis=0) for number in np.unique(train.classes)]
    mean: NDArray[np.float64] = np.mean(means, axis=0)
    return mean


def histogram(films: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Returns the mean histogram of films (n, height, width): how often each of 256 grey levels occurs."""
    counts: NDArray[np.float64] = cv2.calcHist(list(films), [0], None, [256], [0, 256]).ravel().astype(np.float64)
    return counts


def matched(film: Grey, histogram: NDArray[np.float64]) -> Grey:
    """Returns the film with its levels moved to those of equal rank in `histogram`, as scikit-image's
    match_histograms does: by linear interpolation between the two cumulative shares."""
    ranks = np.cumsum(np.bincount(film.ravel(), minlength=256)) / film.size
    table = np.interp(ranks, np.cumsum(histogram) / histogram.sum(), np.arange(256.0))
    levels: Grey = np.rint(table).astype(np.uint8)
    return levels[film]


def matched_split(test: Split, train: Split) -> Split:
    """Returns `test` with every film matched to the training images' mean histogram."""
    histogram = reference(train)
    return dataclasses.replace(test, films=np.stack([matched(film, histogram) for film in test.films]))
