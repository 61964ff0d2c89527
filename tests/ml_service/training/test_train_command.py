"""The command line of training, on made-up films: what each option reaches, and what one sees meanwhile."""

import csv
import dataclasses
import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tqdm import tqdm

from ml_service.training import train as training
from ml_service.training.recipes import RECIPES, Phase, Recipe
from tests.ml_service.conftest import COUNTS, TINY

STEPS = COUNTS["train"] // TINY.batch


def command(monkeypatch: pytest.MonkeyPatch, *words: object) -> None:
    monkeypatch.setattr(sys, "argv", ["train", *map(str, words)])
    training.main()


def epochs(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Makes the recipe one of so few epochs that a test can wait for them."""
    monkeypatch.setitem(RECIPES, "pneumonia", dataclasses.replace(TINY, phases=(Phase(64, count, 1e-2),)))


def history(run: Path) -> list[str]:
    with (run / "history.csv").open() as lines:
        return [row["epoch"] for row in csv.DictReader(lines)]


def config(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "config.json").read_text())
    return found


class Impatient(tqdm):  # type: ignore[misc]
    """A bar that is drawn anew at every step: in a test an epoch is over before the five seconds are."""

    def __init__(self, *given: Any, **settings: Any) -> None:
        super().__init__(*given, **settings | {"mininterval": 0})


def test_a_run_from_the_command_line_shows_how_far_it_is_and_goes_on_later(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(training, "tqdm", Impatient)
    asked = ("--model", "pneumonia", "--data", films, "--run", tmp_path, "--arch", "cnn4", "--width", 0.05)
    epochs(monkeypatch, 1)
    command(monkeypatch, *asked, "--seed", 7)
    assert history(tmp_path) == ["1"]
    assert {name: config(tmp_path)[name] for name in ("architecture", "params", "seed")} == {
        "architecture": "cnn4",
        "params": {"width": 0.05},
        "seed": 7,
    }
    said = capsys.readouterr()
    drawn = [int(done) for done in re.findall(rf"epoch 1:.*?(\d+)/{STEPS} ", said.err)]
    assert drawn == sorted(drawn) and set(drawn) == set(range(STEPS + 1))
    assert f"{COUNTS['train']} films to learn from, {COUNTS['val']} for validation" in said.out
    assert '"epoch": 1' in said.out and '"val_auc"' in said.out

    first = (tmp_path / "state.npz").read_bytes()
    epochs(monkeypatch, 2)
    command(monkeypatch, *asked, "--seed", 7, "--resume")
    assert history(tmp_path) == ["1", "2"]
    assert "epoch 1:" not in (again := capsys.readouterr().err) and "epoch 2:" in again
    assert (tmp_path / "state.npz").read_bytes() != first


def test_another_seed_makes_another_network(films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    epochs(monkeypatch, 1)
    asked = ("--model", "pneumonia", "--data", films, "--arch", "cnn4", "--width", 0.05)
    for run, seed in (("a", 3), ("b", 3), ("c", 4)):
        command(monkeypatch, *asked, "--run", tmp_path / run, "--seed", seed)
    a, b, c = (np.load(tmp_path / run / "weights.npz") for run in "abc")
    for name in a.files:
        np.testing.assert_allclose(a[name], b[name], rtol=1e-3, atol=1e-4)
    assert any(not np.allclose(a[name], c[name], rtol=1e-2, atol=1e-3) for name in a.files)


@pytest.mark.parametrize(
    ("arch", "places"), [("attention", [(20, 20), (200, 2)]), ("cnn_attention", [(7, 7), (14, 14)])]
)
def test_true_patches_are_asked_for_by_name(
    arch: str, places: list[tuple[int, int]], films: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Recipe] = []
    monkeypatch.setattr(training, "train", lambda recipe, *_, **__: seen.append(recipe))
    asked = ("--data", films, "--arch", arch, "--width", 0.05)
    command(monkeypatch, "--model", "pneumonia", *asked, "--patches", "true")
    command(monkeypatch, "--model", "pneumonia", *asked)
    command(monkeypatch, "--model", "brain-tumour", *asked, "--patches", "memory")
    assert [recipe.params for recipe in seen] == [
        {"width": 0.05, "patches": "true"},
        {"width": 0.05},
        {"labels": 4, "width": 0.05, "patches": "memory"},
    ]
    true, usual, memory = (training.untrained(recipe).output["heat"].shape for recipe in seen)
    assert [true, usual, memory] == [(None, *places[0], 1), (None, *places[1], 1), (None, *places[1], 4)]


@pytest.mark.parametrize("others", [(), ("--arch", "cnn4")])
def test_patches_of_a_network_that_has_none_are_refused(
    others: tuple[str, ...], films: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        command(monkeypatch, "--model", "pneumonia", "--data", films, *others, "--patches", "true")
    assert "--patches is for --arch attention or cnn_attention alone. Received: " in (said := capsys.readouterr().err)
    assert (others[1] if others else "no --arch") in said.rsplit("Received:", 1)[1]


def test_a_width_without_an_architecture_is_refused(
    films: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        command(monkeypatch, "--model", "pneumonia", "--data", films, "--width", 0.5)
    assert "--width is a share of the channels of --arch. Received: no --arch" in capsys.readouterr().err
