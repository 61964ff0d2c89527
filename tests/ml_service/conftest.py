"""A tiny model, made in seconds by the real commands from made-up films, and the shipped one."""

import csv
import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"

import cv2
import numpy as np
import pytest

from ml_service.checks import open_version
from ml_service.served import Served
from ml_service.settings import SHIPPED, Settings
from ml_service.training.facts import FACTS
from ml_service.training.recipes import RECIPES, Phase, Recipe
from ml_service.training.release import release
from ml_service.training.train import train
from tests.ml_service.server import copy_version, ml_server

COUNTS = {"train": 96, "val": 20, "test": 20}
TINY = dataclasses.replace(
    RECIPES["pneumonia"],
    params={"widths": [8, 8, 16, 16], "blocks": [1, 1, 1, 1]},
    phases=(Phase(64, 3, 1e-2, bands=0.2),),
    batch=8,
)


def made_up_film(ill: bool, rng: np.random.Generator) -> "np.ndarray[tuple[int, int], np.dtype[np.uint8]]":
    """Two lungs on grey: dark, but white in the ill."""
    film = np.full((224, 224), 150, np.float32)
    for x in (70, 154):
        cv2.ellipse(film, (x, 112), (32, 70), 0, 0, 360, 220 if ill else 60, -1)
    film += rng.normal(0, 6, film.shape).astype(np.float32)
    return np.clip(film, 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder as the training command wants it."""
    folder = tmp_path_factory.mktemp("films")
    rng = np.random.default_rng(5)
    rows = []
    for split, count in COUNTS.items():
        for index in range(count):
            label = ("NORMAL", "PNEUMONIA")[index % 2]
            path = Path(split) / label / f"{index:03d}.png"
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(folder / path), made_up_film(label == "PNEUMONIA", rng))
            rows.append({"path": str(path), "split": split, "label": label, "patient_key": f"{split}-{index}"})
    with (folder / "labels.csv").open("w", newline="") as lines:
        writer = csv.DictWriter(lines, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return folder


@pytest.fixture(scope="session")
def recipe() -> Recipe:
    return TINY


@pytest.fixture(scope="session")
def tiny_run(films: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(TINY, films, tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="session")
def tiny_models(films: Path, tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model directory with pneumonia/1 made from the tiny run. Tests copy it before they harm it."""
    models = tmp_path_factory.mktemp("models")
    folder = models / "pneumonia" / "1"
    release(TINY, FACTS["pneumonia"], tiny_run, films, folder, reason="a test of the command", force="made up")
    return models


@pytest.fixture(scope="session")
def shipped() -> Iterator[Served]:
    """The version that the repository ships."""
    served = open_version(SHIPPED / "pneumonia" / "1", Settings(service_token=None))
    yield served
    served.close()


@pytest.fixture(scope="session")
def small_tier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a tier with pneumonia in versions 1 and 2 and a queue that is soon full."""
    models = tmp_path_factory.mktemp("models")
    for version in ("1", "2"):
        copy_version(models, version)
    settings = {"LIGHTBOX_MODEL_DIR": str(models), "LIGHTBOX_ML_BATCH_SIZE": "8", "LIGHTBOX_ML_QUEUE_SIZE": "8"}
    with ml_server(tmp_path_factory.mktemp("tier"), **settings) as bind:
        yield bind
