"""Measures on values that can be worked out by hand."""

from collections.abc import Sequence

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from ml_service.manifest import Calibration
from ml_service.measures import brier, calibration_error, counts, error_by_chance
from ml_service.training.scores import auc, by_chance, drawn, scores

HALF = Calibration(scale=1, offset=0, operating_point=0.5, uncertain_band=(0.36, 0.45))
PROBABILITIES = np.array([[0.9, 0.1], [0.6, 0.4], [0.65, 0.35], [0.2, 0.8]], np.float32)
CLASSES = np.array([0, 0, 1, 1])
THREE = np.array([[0.7, 0.2, 0.1], [0.2, 0.5, 0.3], [0.1, 0.6, 0.3], [0.1, 0.1, 0.8]], np.float32)
OF_THREE = np.array([0, 1, 2, 2])


def of_two(positive: "list[float]") -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
    said = np.array(positive, np.float32)
    return np.stack([1 - said, said], axis=1)


def test_known_values() -> None:
    found = scores(PROBABILITIES, CLASSES, HALF, ("normal", "ill"), range(4))
    assert found["auc"]["value"] == 0.75
    assert found["accuracy"]["value"] == 0.75
    assert found["sensitivity"]["value"] == 0.5
    assert found["specificity"]["value"] == 1.0
    assert found["precision"]["value"] == 1.0
    assert found["brier"] == pytest.approx((0.01 + 0.16 + 0.4225 + 0.04) / 4, abs=1e-4)
    assert found["uncertain_share"] == 0.25
    assert found["accuracy_when_certain"] == pytest.approx(2 / 3, abs=1e-4)


def test_known_values_of_three_classes() -> None:
    found = scores(THREE, OF_THREE, HALF, ("none", "one", "two"), range(4))
    assert found["accuracy"]["value"] == 0.75
    assert found["by_class"]["two"]["sensitivity"]["value"] == 0.5
    assert found["by_class"]["two"]["precision"]["value"] == 1.0
    assert found["by_class"]["one"]["precision"]["value"] == 0.5
    assert counts(THREE.argmax(axis=1), OF_THREE, 3).tolist() == [[1, 0, 0], [0, 1, 0], [0, 1, 1]]
    squares = (0.09 + 0.04 + 0.01, 0.04 + 0.25 + 0.09, 0.01 + 0.36 + 0.49, 0.01 + 0.01 + 0.04)
    assert brier(THREE, OF_THREE) == pytest.approx(sum(squares) / 4, abs=1e-6)


def test_auc_is_that_of_the_text_book_ties_included() -> None:
    rng = np.random.default_rng(0)
    said = rng.dirichlet((1, 1, 1), 300).round(1).astype(np.float32)
    said /= said.sum(axis=1, keepdims=True)
    classes = rng.integers(0, 3, 300)
    assert auc(said, classes) == pytest.approx(roc_auc_score(classes, said, multi_class="ovr"), abs=1e-6)
    assert auc(said[:, :2], classes == 1) == pytest.approx(roc_auc_score(classes == 1, said[:, 1]), abs=1e-6)


def test_calibration_error_of_the_honest_and_of_the_boastful() -> None:
    classes = np.array([1] * 7 + [0] * 3)
    assert calibration_error(of_two([0.7] * 10), classes) == pytest.approx(0, abs=1e-6)
    assert calibration_error(of_two([0.95] * 10), classes) == pytest.approx(0.25, abs=1e-6)
    three = np.tile(np.array([[0.7, 0.2, 0.1]], np.float32), (10, 1))
    assert calibration_error(three, 1 - classes) == pytest.approx(0, abs=1e-6)


def test_few_images_show_an_error_that_is_chance_alone() -> None:
    rng = np.random.default_rng(1)
    few, many = (error_by_chance(of_two(rng.beta(0.4, 0.4, n).tolist())) for n in (100, 20_000))
    assert 0.03 < few["mean"] < few["high"] < 0.15
    assert many["mean"] < many["high"] < 0.012
    three = error_by_chance(rng.dirichlet((0.5, 0.5, 0.5), 20_000))
    assert three["mean"] < 0.012
    assert error_by_chance(of_two([1.0] * 50)) == {"mean": 0.0, "high": 0.0}


def test_the_interval_holds_the_value_and_narrows_with_n() -> None:
    hits = (PROBABILITIES[:, 1] >= 0.5) == (CLASSES == 1)

    few, many = (spread(hits, times, range(4 * times)) for times in (10, 100))
    assert few[0] < 0.75 < few[1]
    assert many[1] - many[0] < few[1] - few[0]


def spread(hits: "np.ndarray[tuple[int], np.dtype[np.bool_]]", times: int, patients: "Sequence[object]") -> list[float]:
    """Returns the middle 95 % of the share of hits, each image there `times` times."""
    right, (_, *picks) = np.tile(hits, times), drawn(np.tile(CLASSES, times), patients)
    return [float(bound) for bound in np.quantile([right[pick].mean() for pick in picks], [0.025, 0.975])]


def test_images_of_one_patient_count_as_one() -> None:
    """Ten alike images of each of 40 patients tell no more than one of each does: the interval is that of 40."""
    hits = (PROBABILITIES[:, 1] >= 0.5) == (CLASSES == 1)
    alone = spread(hits, 10, range(40))
    whole, *picks = drawn(np.tile(CLASSES, 100), [number % 40 for number in range(400)])
    assert whole.tolist() == list(range(400))
    right = np.tile(hits, 100)
    together = np.quantile([right[pick].mean() for pick in picks], [0.025, 0.975])
    np.testing.assert_allclose(together, alone, atol=0.03)
    as_if_apart = spread(hits, 100, range(400))
    assert together[1] - together[0] > 2 * (as_if_apart[1] - as_if_apart[0])


def test_a_draw_takes_whole_patients_of_every_class() -> None:
    patients = ["a", "b", "a", "c", "b", "d"]
    for pick in drawn(np.array([0, 1, 0, 0, 1, 1]), patients)[1:50]:
        owners = [patients[image] for image in pick]
        assert owners.count("a") % 2 == owners.count("b") % 2 == 0
        assert {"a", "c"} & set(owners) and {"b", "d"} & set(owners)


def test_the_error_by_chance_is_that_of_honest_answers_on_as_many_images() -> None:
    said = of_two(np.random.default_rng(1).beta(0.4, 0.4, 500).tolist())
    few, many = by_chance(said, 300), by_chance(said, 20_000)
    assert 0.02 < few["mean"] < few["high"] < 0.08
    assert many["mean"] < many["high"] < 0.01
    assert few["mean"] == pytest.approx(error_by_chance(said[:300])["mean"], abs=0.005)  # drawn otherwise, the same
