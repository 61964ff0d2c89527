"""The training command, on made-up films."""

import csv
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from ml_service.training import train as training
from ml_service.training.datasets import PatientLeak, read_rows
from ml_service.training.recipes import RECIPES, Phase, Recipe, recorded
from ml_service.training.train import learning_rate, train


def history(run: Path) -> list[dict[str, str]]:
    with (run / "history.csv").open() as lines:
        return list(csv.DictReader(lines))


def test_a_run_keeps_a_record(tiny_run: Path, recipe: Recipe) -> None:
    assert [row["epoch"] for row in history(tiny_run)] == ["1", "2", "3"]
    assert json.loads((tiny_run / "config.json").read_text())["seed"] == 1
    for name in ("environment.json", "curves.png", "state.npz", "weights.npz"):
        assert (tiny_run / name).stat().st_size > 0


def test_a_stopped_run_goes_on_to_the_same_weights(
    tiny_run: Path, films: Path, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as power_cut:
        power_cut.setattr(training, "plan", lambda given: [(given.phases[0], 0)])
        train(recipe, films, tmp_path)
    assert len(history(tmp_path)) == 1
    train(recipe, films, tmp_path, resume=True)
    assert [row["epoch"] for row in history(tmp_path)] == ["1", "2", "3"]
    with np.load(tmp_path / "state.npz") as resumed, np.load(tiny_run / "state.npz") as straight:
        for name in straight.files:
            np.testing.assert_allclose(resumed[name], straight[name], rtol=1e-3, atol=1e-4)


def test_a_patient_in_two_splits_is_refused_by_key(films: Path, tmp_path: Path, recipe: Recipe) -> None:
    leaking = (films / "labels.csv").read_text().replace("test-3", "train-7")
    (tmp_path / "labels.csv").write_text(leaking)
    with pytest.raises(PatientLeak, match="'train-7' is in both"):
        read_rows(tmp_path)
    with pytest.raises(PatientLeak):
        train(recipe, tmp_path, tmp_path / "run")


def test_an_unknown_split_is_refused(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("path,split,label,patient_key\na.png,holdout,NORMAL,1\n")
    with pytest.raises(ValueError, match="holdout"):
        read_rows(tmp_path)


def test_the_learning_rate_rises_then_falls(recipe: Recipe) -> None:
    phase = Phase(64, 1, 1.0)
    recipe = dataclasses.replace(recipe, warm_up=0.1)
    rates = [learning_rate(recipe, phase, step, 100) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == pytest.approx(1.0)
    assert rates[-1] < 0.02


def test_the_recipe_of_system_003_has_its_rates() -> None:
    recipe = RECIPES["pneumonia-003"]
    assert (recipe.architecture, recipe.batch, recipe.patience, recipe.side) == ("resnet50", 16, 5, 224)
    phase = recipe.phases[0]
    rates = [learning_rate(recipe, phase, step, 6520) for step in (0, 9_999, 10_000, 25_000)]
    assert rates == pytest.approx([1e-5, 1e-5, 0.95e-5, 0.9025e-5])


@pytest.mark.parametrize(("losses", "stops"), [((3, 2, 1), False), ((3, 1, 2), False), ((1, 2, 3), True)])
def test_a_run_whose_loss_falls_no_more_is_stopped(
    losses: tuple[int, ...], stops: bool, recipe: Recipe, tmp_path: Path
) -> None:
    (tmp_path / "history.csv").write_text("\n".join(["varied_loss", *map(str, losses)]) + "\n")
    assert training.stalled(tmp_path, dataclasses.replace(recipe, patience=2)) is stops
    assert training.stalled(tmp_path, recipe) is False


def test_another_architecture_gets_as_many_logits_as_the_task_wants() -> None:
    assert training.params(RECIPES["brain-tumour"], 0.25) == {"labels": 4, "width": 0.25}
    assert training.params(RECIPES["pneumonia"], None) == {}


def test_a_run_is_released_as_it_was_trained(tiny_run: Path, recipe: Recipe) -> None:
    """Not as the recipe of that name is today."""
    found = recorded(json.loads((tiny_run / "config.json").read_text()))
    assert found == recipe
