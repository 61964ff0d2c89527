"""Learning from other networks' answers beside the labels."""

import hashlib
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from ml_service import architectures
from ml_service.calibration import Floats, shares
from ml_service.training.batches import Batch
from ml_service.training.origin import in_words
from ml_service.training.recipes import Recipe
from ml_service.training.teachers import teaching
from ml_service.training.train import train
from ml_service.weights import load_into
from tests.ml_service.training.conftest import TINY_BRAIN


def answers(run: Path, recipe: Recipe, films: Floats) -> Floats:
    network = architectures.build(recipe.architecture, recipe.params)
    load_into(network, run / "weights.npz")
    ways = (films, np.ascontiguousarray(films[:, :, ::-1]))
    mean: Floats = np.mean([shares(np.asarray(network(way, training=False)["logits"])) for way in ways], axis=0)
    return mean


@pytest.fixture
def batch() -> Batch:
    films = np.random.default_rng(0).standard_normal((6, 64, 64, 1)).astype(np.float32)
    return Batch(films, np.eye(2, dtype=np.float32)[[0, 1, 1, 0, 1, 0]])


@pytest.fixture
def other_run(tiny_run: Path, tmp_path: Path) -> Path:
    """A run whose network is surer, and of the other class."""
    folder = shutil.copytree(tiny_run, tmp_path / "other")
    with np.load(folder / "weights.npz") as weights:
        changed = {path: -3 * values if path.startswith("heat/") else values for path, values in weights.items()}
    np.savez(folder / "weights.npz", **changed)  # type: ignore[arg-type]
    return folder


def test_half_of_each_target_is_what_the_teachers_say_of_the_film_and_its_mirror_image(
    tiny_run: Path, other_run: Path, recipe: Recipe, batch: Batch
) -> None:
    taught = teaching([tiny_run, other_run], recipe)(batch)
    np.testing.assert_array_equal(taught.films, batch.films)
    one, other = (answers(run, recipe, batch.films) for run in (tiny_run, other_run))
    np.testing.assert_allclose(taught.targets, batch.targets / 2 + (one + other) / 4, atol=1e-5)
    assert np.abs(one - other).min() > 0.01


def test_a_run_goes_on_with_the_teachers_that_it_began_with(
    tiny_run: Path, other_run: Path, films: Path, recipe: Recipe, tmp_path: Path
) -> None:
    run = train(recipe, films, tmp_path / "run", start=tiny_run / "weights.npz", teachers=[tiny_run])
    before = json.loads((run / "config.json").read_text())
    for others in ([], [other_run]):
        with pytest.raises(ValueError, match=f"began with, 1. Received: {len(others)}"):
            train(recipe, films, run, resume=True, teachers=others)
    train(recipe, films, run, resume=True, teachers=[tiny_run])
    assert json.loads((run / "config.json").read_text()) == before
    assert before["start_sha256"]


def test_a_version_teaches_a_larger_network_at_its_own_size(tiny_models: Path, recipe: Recipe, batch: Batch) -> None:
    teach = teaching([tiny_models / "pneumonia" / "1"], recipe)
    large = np.stack([cv2.resize(film, (96, 96))[..., np.newaxis] for film in batch.films])
    small = np.stack([cv2.resize(film, (64, 64))[..., np.newaxis] for film in large])
    by_large, by_small = (teach(Batch(films, batch.targets)).targets for films in (large, small))
    as_large = (batch.targets + answers(tiny_models / "pneumonia" / "1", recipe, large)) / 2
    # Two resamplings of the same differ a little, another size by much more.
    assert np.abs(by_large - as_large).max() > 4 * np.abs(by_large - by_small).max()


def test_a_run_says_who_taught_it(tiny_run: Path, films: Path, recipe: Recipe, tmp_path: Path) -> None:
    config = json.loads((train(recipe, films, tmp_path, teachers=[tiny_run]) / "config.json").read_text())
    assert config["teachers_sha256"] == [hashlib.sha256((tiny_run / "weights.npz").read_bytes()).hexdigest()]
    told = "from scratch, half of each target the mean answer of another network to the image and to its mirror image"
    assert in_words(config, "films") == told
    assert "of 3 other networks" in in_words(config | {"teachers_sha256": ["0", "1", "2"]}, "films")
    assert str(tmp_path) not in json.dumps(config) and str(tiny_run) not in json.dumps(config)


def test_a_teacher_of_other_classes_is_refused(tiny_run: Path) -> None:
    with pytest.raises(ValueError, match=r"Expected a teacher of notumor, .* Received: of NORMAL, PNEUMONIA"):
        teaching([tiny_run], TINY_BRAIN)
