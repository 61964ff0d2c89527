"""What is typical, and refusal, on numbers whose answer is known."""

from pathlib import Path

import numpy as np
import pytest

from ml_service.ood import TypicalFeatures
from ml_service.training.fit import every_image, refusal_threshold, typical_features

RNG = np.random.default_rng(0)


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


def test_every_training_image_can_be_a_point_of_its_own() -> None:
    """A ring: its middle is no place where an image would be, though the mean lies there."""
    angles = RNG.uniform(0, 2 * np.pi, 2000)
    ring = 10 * np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    typical = every_image(ring)
    on_the_ring, in_the_middle = typical.distance(np.array([[10, 0], [0, 0]], np.float32))
    assert on_the_ring < 0.1 < 1 < in_the_middle


def test_what_is_stored_measures_the_same(tmp_path: Path) -> None:
    features = RNG.normal(3, 2, (500, 8)).astype(np.float32)
    for typical in (typical_features(features), every_image(features)):
        typical.save(tmp_path / "typical.npz")
        again = TypicalFeatures.load(tmp_path / "typical.npz")
        np.testing.assert_allclose(again.distance(features + 1), typical.distance(features + 1), rtol=1e-5)
