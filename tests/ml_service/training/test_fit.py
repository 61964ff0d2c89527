"""Scaling, operating point, uncertain band and refusal, on numbers whose answer is known."""

import numpy as np
import pytest

from ml_service.calibration import calibrated, shares
from ml_service.training.fit import (
    HALF,
    WIDEST,
    best_threshold,
    calibration,
    fit_line,
    fit_softmax,
    least_sure,
    refusal_threshold,
    typical_features,
    uncertain_band,
)

RNG = np.random.default_rng(0)


def drawn(
    probabilities: "np.ndarray[tuple[int, int], np.dtype[np.float32]]",
) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """A class for each row, as often as its probability says."""
    return (probabilities.cumsum(axis=1) < RNG.random((len(probabilities), 1))).sum(axis=1)


def test_the_line_that_made_the_outcomes_is_found() -> None:
    logits = RNG.uniform(-3, 3, (40_000, 1)).astype(np.float32)
    classes = (RNG.random(40_000) < 1 / (1 + np.exp(-(2.0 * logits[:, 0])))).astype(np.int64)
    line = fit_line(logits, classes)
    assert line.scale == pytest.approx(2.0, rel=0.05)
    assert line.offset == pytest.approx(0.0, abs=0.05)


def test_the_softmax_that_made_the_outcomes_is_found() -> None:
    logits = RNG.normal(0, 1.5, (40_000, 3)).astype(np.float32)
    fit = fit_softmax(logits, drawn(shares(1.7 * logits)))
    assert fit.scale == pytest.approx(1.7, rel=0.05)
    assert fit.offset == pytest.approx((0, 0, 0), abs=0.06)


def test_a_rare_class_counts_as_much_as_a_common_one() -> None:
    """Half of the images of the common class are dropped: balanced weights must find the same softmax again."""
    logits = RNG.normal(0, 1.5, (60_000, 3)).astype(np.float32)
    classes = drawn(shares(logits))
    kept = (classes != 0) | (RNG.random(60_000) < 0.2)
    fit = fit_softmax(logits[kept], classes[kept])
    assert isinstance(fit.offset, tuple)
    assert max(fit.offset) - min(fit.offset) < 0.15


def test_the_threshold_lies_between_the_classes() -> None:
    probabilities = np.array([0.1, 0.2, 0.3, 0.7, 0.8, 0.9], np.float32)
    cut = best_threshold(probabilities, np.array([0, 0, 0, 1, 1, 1]))
    assert cut == pytest.approx(0.5, abs=0.03)


def test_the_band_holds_the_threshold_and_stays_narrow() -> None:
    logits = RNG.normal(0, 2, (5000, 1)).astype(np.float32)
    classes = (RNG.random(5000) < 1 / (1 + np.exp(-logits[:, 0]))).astype(np.int64)
    fit = calibration(logits, classes)
    low, high = fit.uncertain_band
    assert low < fit.operating_point < high
    probabilities = calibrated(logits, fit)[:, 1]
    assert ((probabilities > low) & (probabilities < high)).mean() < WIDEST + 0.03


def test_perfect_answers_need_hardly_a_band() -> None:
    probabilities = np.array([0.01] * 50 + [0.99] * 50, np.float32)
    low, high = uncertain_band(probabilities, np.array([0] * 50 + [1] * 50), 0.5)
    assert high - low < 0.03


def test_of_several_classes_the_least_sure_answers_are_uncertain() -> None:
    """Answers at 0.6 are always wrong here, those at 0.9 always right."""
    probabilities = np.array([[0.6, 0.2, 0.2]] * 10 + [[0.05, 0.9, 0.05]] * 90, np.float32)
    classes = np.array([1] * 100)
    assert 0.6 <= least_sure(probabilities, classes) < 0.9
    assert least_sure(probabilities[10:], classes[10:]) == HALF


def test_distance_is_measured_in_deviations() -> None:
    features = RNG.normal([1.0, -2.0], [1.0, 10.0], (20_000, 2)).astype(np.float32)
    typical = typical_features(features)
    away = typical.distance(np.array([[1, -2], [4, -2], [1, 28]], np.float32))
    np.testing.assert_allclose(away, [0, 3, 3], atol=0.15)


def test_with_a_mean_for_each_class_the_nearest_one_counts() -> None:
    classes = np.arange(20_000) % 2
    features = (RNG.normal(0, 1, (20_000, 2)) + 20.0 * classes[:, np.newaxis]).astype(np.float32)
    typical = typical_features(features, classes)
    away = typical.distance(np.array([[0, 0], [20, 23], [10, 10]], np.float32))
    np.testing.assert_allclose(away, [0, 3, 10 * 2**0.5], atol=0.3)


def test_one_in_a_hundred_is_beyond_the_threshold() -> None:
    assert refusal_threshold(np.arange(1001, dtype=np.float32)) == pytest.approx(990)
