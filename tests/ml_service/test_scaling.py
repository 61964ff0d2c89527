"""Scaling, operating point and uncertain band, on numbers whose answer is known and against other people's code."""

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.calibration import _SigmoidCalibration
from sklearn.linear_model import LogisticRegression

from ml_service.calibration import calibrated, full, shares
from ml_service.scaling import (
    HALF,
    WIDEST,
    best_threshold,
    calibration,
    even_odds,
    fit_scaling,
    least_sure,
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
    line = fit_scaling(logits, classes, balanced=True)
    assert line.scale == pytest.approx(2.0, rel=0.05)
    assert line.offset == pytest.approx(0.0, abs=0.05)


def test_the_softmax_that_made_the_outcomes_is_found() -> None:
    logits = RNG.normal(0, 1.5, (40_000, 3)).astype(np.float32)
    fit = fit_scaling(logits, drawn(shares(1.7 * logits)), balanced=True)
    assert fit.scale == pytest.approx(1.7, rel=0.05)
    assert fit.offset == pytest.approx((0, 0, 0), abs=0.06)


def test_a_rare_class_counts_as_much_as_a_common_one() -> None:
    """Half of the images of the common class are dropped: balanced weights must find the same softmax again."""
    logits = RNG.normal(0, 1.5, (60_000, 3)).astype(np.float32)
    classes = drawn(shares(logits))
    kept = (classes != 0) | (RNG.random(60_000) < 0.2)
    fit = fit_scaling(logits[kept], classes[kept], balanced=True)
    assert isinstance(fit.offset, tuple)
    assert max(fit.offset) - min(fit.offset) < 0.15


def test_the_threshold_lies_between_the_classes() -> None:
    probabilities = np.array([0.1, 0.2, 0.3, 0.7, 0.8, 0.9], np.float32)
    cut = best_threshold(probabilities, np.array([0, 0, 0, 1, 1, 1]))
    assert cut == pytest.approx(0.5, abs=0.03)


def test_even_odds_are_the_best_that_honest_probabilities_can_expect() -> None:
    honest = RNG.beta(0.6, 0.9, 3000)
    cuts = np.linspace(0.05, 0.95, 181)
    expected = [
        honest[honest >= cut].sum() / honest.sum() + (1 - honest[honest < cut]).sum() / (1 - honest).sum()
        for cut in cuts
    ]
    assert even_odds(honest) == pytest.approx(cuts[np.argmax(expected)], abs=0.006)


def test_the_band_holds_the_threshold_and_stays_narrow() -> None:
    logits = RNG.normal(0, 2, (5000, 1)).astype(np.float32)
    classes = (RNG.random(5000) < 1 / (1 + np.exp(-logits[:, 0]))).astype(np.int64)
    fit = calibration(logits, classes, balanced=True)
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


def test_scikit_learn_finds_the_same_line() -> None:
    """Its sigmoid calibration is Platt's; its logistic regression shares out the weights as we do."""
    logits = RNG.normal(0.5, 2, (300, 1))
    classes = (RNG.random(300) < 1 / (1 + np.exp(-(1.4 * logits[:, 0] - 0.8)))).astype(np.int64)
    theirs = _SigmoidCalibration().fit(logits[:, 0], classes)
    ours = fit_scaling(logits, classes, balanced=False)
    assert (ours.scale, ours.offset) == pytest.approx((-theirs.a_, -theirs.b_), abs=1e-3)

    numbers = np.bincount(classes)
    own = ((numbers + 1) / (numbers + 2))[classes]
    twice = (np.vstack([logits, logits]), np.concatenate([classes, 1 - classes]))
    weights = np.concatenate([own, 1 - own]) / np.tile(numbers[classes], 2)
    line = LogisticRegression(C=1e9, tol=1e-10, max_iter=1000).fit(*twice, sample_weight=weights)
    ours = fit_scaling(logits, classes, balanced=True)
    assert (ours.scale, ours.offset) == pytest.approx((line.coef_[0, 0], line.intercept_[0]), abs=1e-3)


def test_a_general_optimiser_finds_the_same_softmax() -> None:
    logits = RNG.normal(0, 2, (400, 4))
    classes = drawn(shares(0.7 * logits + np.array([0.5, 0, -0.5, 0])))
    own = (np.bincount(classes) + 1) / (np.bincount(classes) + 4)
    truth = np.where(np.eye(4)[classes] == 1, own[classes, np.newaxis], ((1 - own) / 3)[classes, np.newaxis])

    def loss(x: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> float:
        return -float((truth * np.log(shares(x[0] * logits + x[1:]))).sum())

    theirs = minimize(loss, np.array([1.0, 0, 0, 0, 0]), options={"gtol": 1e-6}).x
    ours = fit_scaling(logits, classes, balanced=False)
    assert ours.scale == pytest.approx(theirs[0], abs=1e-3)
    assert ours.offset == pytest.approx(theirs[1:] - theirs[1:].mean(), abs=1e-3)


def test_classes_that_separate_fully_do_not_make_it_certain() -> None:
    logits = np.concatenate([RNG.uniform(-9, -8, (30, 1)), RNG.uniform(8, 9, (30, 1))])
    fit = fit_scaling(logits, np.repeat([0, 1], 30), balanced=False)
    assert 0.95 < calibrated(np.array([[8.5]]), fit)[0, 1] < 0.99


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e4])
def test_it_does_not_matter_how_large_the_logits_are(size: float) -> None:
    logits = np.random.default_rng(3).normal(0, 1, (200, 1))
    classes = (np.random.default_rng(4).random(200) < 1 / (1 + np.exp(-2 * logits[:, 0]))).astype(np.int64)
    plain, scaled = (fit_scaling(values, classes, balanced=False) for values in (logits, size * logits))
    assert scaled.scale * size == pytest.approx(plain.scale, rel=0.1 if size > 1 else 1e-3)


def test_labels_the_wrong_way_round_are_noticed() -> None:
    logits = RNG.normal(0, 2, (200, 1))
    with pytest.raises(ValueError, match="wrong way round"):
        fit_scaling(logits, (logits[:, 0] < 0).astype(np.int64), balanced=False)


def test_two_classes_are_a_softmax_with_a_logit_of_nought() -> None:
    assert full(np.array([[2.0]])).tolist() == [[0.0, 2.0]]
