"""Scaling, operating point, uncertain band and refusal, on numbers whose answer is known."""

import numpy as np
import pytest

from ml_service.training.calibrate import (
    WIDEST,
    best_threshold,
    calibrate,
    fit_line,
    refusal_threshold,
    typical_features,
    uncertain_band,
)

RNG = np.random.default_rng(0)


def test_the_line_that_made_the_outcomes_is_found() -> None:
    logits = RNG.uniform(-3, 3, 40_000).astype(np.float32)
    classes = (RNG.random(40_000) < 1 / (1 + np.exp(-(2.0 * logits)))).astype(np.int64)
    line = fit_line(logits, classes)
    assert line.scale == pytest.approx(2.0, rel=0.05)
    assert line.offset == pytest.approx(0.0, abs=0.05)


def test_the_threshold_lies_between_the_classes() -> None:
    probabilities = np.array([0.1, 0.2, 0.3, 0.7, 0.8, 0.9], np.float32)
    cut = best_threshold(probabilities, np.array([0, 0, 0, 1, 1, 1]))
    assert cut == pytest.approx(0.5, abs=0.03)


def test_the_band_holds_the_threshold_and_stays_narrow() -> None:
    logits = RNG.normal(0, 2, 5000).astype(np.float32)
    classes = (RNG.random(5000) < 1 / (1 + np.exp(-logits))).astype(np.int64)
    fit = calibrate(logits, classes)
    low, high = fit.uncertain_band
    assert low < fit.operating_point < high
    probabilities = 1 / (1 + np.exp(-(fit.scale * logits + fit.offset)))
    assert ((probabilities > low) & (probabilities < high)).mean() < WIDEST + 0.03


def test_perfect_answers_need_hardly_a_band() -> None:
    probabilities = np.array([0.01] * 50 + [0.99] * 50, np.float32)
    low, high = uncertain_band(probabilities, np.array([0] * 50 + [1] * 50), 0.5)
    assert high - low < 0.03


def test_distance_is_measured_in_deviations() -> None:
    features = RNG.normal([1.0, -2.0], [1.0, 10.0], (20_000, 2)).astype(np.float32)
    typical = typical_features(features)
    away = typical.distance(np.array([[1, -2], [4, -2], [1, 28]], np.float32))
    np.testing.assert_allclose(away, [0, 3, 3], atol=0.15)


def test_one_in_a_hundred_is_beyond_the_threshold() -> None:
    assert refusal_threshold(np.arange(1001, dtype=np.float32)) == pytest.approx(990)
