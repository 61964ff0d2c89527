"""Measures on values that can be worked out by hand."""

import numpy as np
import pytest

from ml_service.training.scores import calibration_error, interval, scores

PROBABILITIES = np.array([0.1, 0.4, 0.35, 0.8], np.float32)
CLASSES = np.array([0, 0, 1, 1])


def test_known_values() -> None:
    found = scores(PROBABILITIES, CLASSES, threshold=0.5)
    assert found["auc"]["value"] == 0.75
    assert found["accuracy"]["value"] == 0.75
    assert found["sensitivity"]["value"] == 0.5
    assert found["specificity"]["value"] == 1.0
    assert found["brier"] == pytest.approx((0.01 + 0.16 + 0.4225 + 0.04) / 4, abs=1e-4)


def test_calibration_error_of_the_honest_and_of_the_boastful() -> None:
    classes = np.array([1] * 7 + [0] * 3)
    assert calibration_error(np.full(10, 0.7, np.float32), classes) == pytest.approx(0, abs=1e-6)
    assert calibration_error(np.full(10, 0.95, np.float32), classes) == pytest.approx(0.25, abs=1e-6)


def test_the_interval_holds_the_value_and_narrows_with_n() -> None:
    def hits(
        p: "np.ndarray[tuple[int], np.dtype[np.float32]]", y: "np.ndarray[tuple[int], np.dtype[np.int64]]"
    ) -> float:
        return float(((p >= 0.5) == (y == 1)).mean())

    few = interval(hits, np.tile(PROBABILITIES, 10), np.tile(CLASSES, 10))
    many = interval(hits, np.tile(PROBABILITIES, 500), np.tile(CLASSES, 500))
    assert few[0] < 0.75 < few[1]
    assert many[1] - many[0] < few[1] - few[0]
