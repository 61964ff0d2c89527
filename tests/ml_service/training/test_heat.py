"""What a version's card says of its heat: measured on a network whose reasons are known, and by the command."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import logit, softmax
from scipy.stats import spearmanr

from ml_service import manifest as manifests
from ml_service.engines import Outputs
from ml_service.training import heat
from ml_service.training.card_heat import heat_section
from ml_service.training.facts import FACTS

Floats = NDArray[np.float32]
SIDE, CELLS = 32, 8


class Corner:
    """Answers by how bright the upper left quarter is. Its map says so, or the opposite."""

    def __init__(self, honest: bool) -> None:
        self.honest = honest

    def __call__(self, pixels: Floats) -> Outputs:
        logits = 4 * pixels[:, : SIDE // 2, : SIDE // 2].mean(axis=(1, 2))
        shown = pixels.reshape(len(pixels), CELLS, SIDE // CELLS, CELLS, SIDE // CELLS).mean(axis=(2, 4))
        shown[:, CELLS // 2 :] = shown[:, :, CELLS // 2 :] = 0
        shown = shown if self.honest else shown[:, ::-1, ::-1]
        return Outputs(logits=logits, features=logits, heat=shown[..., np.newaxis])


def film(sign: float = 1.0) -> Floats:
    return (sign * (1 + np.random.default_rng(0).random((SIDE, SIDE, 1)) / 4)).astype(np.float32)


@pytest.mark.parametrize("sign", [1.0, -1.0], ids=["positive", "negative"])
def test_greying_what_it_rests_on_takes_either_answer_down(sign: float) -> None:
    hottest, chance, coldest = heat.deletion(Corner(honest=True), film(sign))
    assert hottest[0] == chance[0] == coldest[0] > 4
    assert hottest.mean() < chance.mean() < coldest.mean()
    assert hottest[-1] == pytest.approx(0, abs=1e-5) and coldest[-1] == pytest.approx(coldest[0], abs=1e-5)


def test_a_map_of_other_places_does_no_better_than_chance() -> None:
    hottest, chance, _ = heat.deletion(Corner(honest=False), film())
    assert hottest.mean() > chance.mean()


def test_log_odds_are_those_of_the_probability() -> None:
    logits = np.array([[1.0, -2.0, 0.5], [3.0, 2.0, -1.0]], np.float32)
    np.testing.assert_allclose(heat.log_odds(logits, 2), logit(softmax(logits, axis=1)[:, 2]), rtol=1e-5)
    np.testing.assert_array_equal(heat.log_odds(logits[:, :1], 0), -logits[:, 0])


def test_rank_correlation_is_spearmans_of_each_map() -> None:
    these, those = np.random.default_rng(1).random((2, 3, 5, 5, 2)).astype(np.float32)
    found = heat.rank_correlations(these, those)
    expected = [
        spearmanr(these[image, :, :, label].ravel(), those[image, :, :, label].ravel()).statistic
        for image in range(3)
        for label in range(2)
    ]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_command_adds_curve_plot_and_card(
    brain_version: Path, slices: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heat, "IMAGES", 8)
    monkeypatch.setattr(sys, "argv", ["heat", "--version", str(brain_version), "--data", str(slices)])
    heat.main()
    metrics = json.loads((brain_version / manifests.METRICS).read_text())
    found = metrics["heat"]
    assert found["n"] == 8 and found["gap"]["low"] <= found["gap"]["value"] <= found["gap"]["high"]
    starts = {curve[0] for curve in found["deletion"].values()}
    assert len(starts) == 1 and all(len(curve) > 2 for curve in found["deletion"].values())
    assert len(metrics["readings"]) == 1  # the test split was not read again
    assert "Does the heat show" in (brain_version / manifests.CARD).read_text()
    assert f"plots/{heat.PLOT}" in manifests.read(brain_version).files


@pytest.mark.parametrize(
    ("low", "correlation", "said"),
    [(0.1, 0.1, "on the whole"), (-0.1, 0.1, "do not rely on its heat map"), (0.1, 0.4, "without anything learnt")],
)
def test_a_card_says_so_where_the_heat_shows_nothing(low: float, correlation: float, said: str) -> None:
    found = {
        "n": 48,
        "deletion": {"hottest": [3.0, 1.0], "random": [3.0, 2.0], "coldest": [3.0, 2.5]},
        "gap": {"value": 0.4, "low": low, "high": 0.9},
        "better_than_random": 0.75,
        "correlation": correlation,
    }
    assert said in heat_section(found, FACTS["pneumonia"])
