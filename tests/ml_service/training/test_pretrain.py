"""Learning without labels, on made-up films."""

import csv
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ml_service.training import pretrain
from ml_service.training.origin import in_words
from ml_service.training.recipes import RECIPES, Phase, Recipe
from ml_service.training.train import train


def loss_by_loops(projected: NDArray[np.float32]) -> float:
    """Equation 1 of the paper, film by film."""
    units = projected / np.linalg.norm(projected, axis=1, keepdims=True)
    count = len(units)
    losses = []
    for one in range(count):
        near = {at: np.exp(units[one] @ units[at] / pretrain.TEMPERATURE) for at in range(count) if at != one}
        losses.append(-np.log(near[(one + count // 2) % count] / sum(near.values())))
    return float(np.mean(losses))


def test_the_loss_is_that_of_the_paper() -> None:
    projected = np.random.default_rng(3).standard_normal((12, 5)).astype(np.float32)
    assert float(pretrain.contrastive_loss(projected)) == pytest.approx(loss_by_loops(projected), rel=1e-4)


def test_the_loss_is_least_where_halves_are_alike_and_others_are_not() -> None:
    apart = np.eye(4, dtype=np.float32)
    alike = float(pretrain.contrastive_loss(np.concatenate([apart, apart])))
    assert alike < 0.05 < float(pretrain.contrastive_loss(np.concatenate([apart, apart[::-1]])))


def test_each_film_comes_in_two_variations_that_are_the_same_on_every_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrain, "BATCH", 4)
    films = np.random.default_rng(1).integers(0, 256, (9, 224, 224), dtype=np.uint8)
    first, again, later = (list(pretrain.pairs(films, Phase(32, 1, 1e-3), 5, epoch)) for epoch in (0, 0, 1))
    assert len(first) == 2 and all(part.shape == (4, 32, 32, 1) for pair in first for part in pair)
    np.testing.assert_array_equal(first, again)
    assert (first[0][0] != first[0][1]).any() and (first[0][0] != later[0][0]).any()


def test_the_command_reads_the_training_split_alone_and_training_goes_on_from_it(
    films: Path, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RECIPES, "tiny", recipe)
    monkeypatch.setattr(pretrain, "BATCH", 8)
    data = shutil.copytree(films, tmp_path / "data")
    with (films / "labels.csv").open(newline="") as lines:
        for row in csv.DictReader(lines):
            if row["split"] != "train":
                (data / row["path"]).unlink()
    more = data / next(data.glob("train/*"))
    run = tmp_path / "run"
    words = ["--model", "tiny", "--data", data, "--more", more, "--side", "32", "--epochs", "4", "--run", run]
    monkeypatch.setattr(sys, "argv", ["command", *map(str, words)])
    pretrain.main()
    with (run / "history.csv").open(newline="") as lines:
        losses = [float(row["loss"]) for row in csv.DictReader(lines)]
    assert len(losses) == 4 and losses[-1] < losses[0]
    trained = train(recipe, films, tmp_path / "trained", start=run / "weights.npz")
    again = train(recipe, films, tmp_path / "again", start=trained / "weights.npz")
    config = json.loads((again / "config.json").read_text())
    count = len(list(data.glob("train/*/*.png"))) + len(list(more.glob("*.png")))
    said = f"for 6 epochs after 4 at 32 pixels on {count} films without their labels"
    assert in_words(config, "films") == said
    assert str(tmp_path) not in json.dumps(config)


def test_too_few_images_are_refused(recipe: Recipe, tmp_path: Path) -> None:
    films = np.zeros((pretrain.BATCH - 1, 224, 224), np.uint8)
    with pytest.raises(ValueError, match=f"at least {pretrain.BATCH} images"):
        pretrain.pretrain(recipe, films, tmp_path)


def test_other_beginnings_are_told_from_it() -> None:
    assert in_words({"phases": []}, "films") == "from scratch"
    assert in_words({"phases": [], "start_sha256": "00"}, "films") == "from an earlier version's weights"
