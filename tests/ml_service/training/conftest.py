"""A tiny model of four classes, made by the real commands from drawings."""

import csv
import dataclasses
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from ml_service.training.facts import FACTS
from ml_service.training.recipes import RECIPES, Phase
from ml_service.training.release import release
from ml_service.training.train import train

COUNTS = {"train": 96, "val": 40, "test": 120}
TINY_BRAIN = dataclasses.replace(
    RECIPES["brain-tumour"],
    params={"labels": 4, "widths": [8, 8, 16, 16], "blocks": [1, 1, 1, 1]},
    phases=(Phase(64, 10, 1e-2, erase=0.1),),
    batch=8,
)
SPOTS = {"notumor": None, "glioma": (70, 112), "meningioma": (112, 45), "pituitary": (112, 180)}


def made_up_slice(label: str, rng: np.random.Generator) -> "np.ndarray[tuple[int, int], np.dtype[np.uint8]]":
    """A grey head on black, with a bright spot at the label's place."""
    head = np.zeros((224, 224), np.float32)
    cv2.ellipse(head, (112, 112), (80, 98), 0, 0, 360, 110, -1)
    spot = SPOTS[label]
    if spot:
        cv2.circle(head, spot, 26, 230, -1)
    return np.clip(head + rng.normal(0, 6, head.shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def slices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with four classes and a column `group` in place of patient_key."""
    folder = tmp_path_factory.mktemp("slices")
    rng = np.random.default_rng(6)
    rows = []
    for split, count in COUNTS.items():
        for index in range(count):
            label = list(SPOTS)[index % 4]
            path = Path(split) / label / f"{index:03d}.png"
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(folder / path), made_up_slice(label, rng))
            rows.append({"path": str(path), "split": split, "label": label, "group": f"{split}-{index // 2}"})
    with (folder / "labels.csv").open("w", newline="") as lines:
        writer = csv.DictWriter(lines, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return folder


@pytest.fixture(scope="session")
def brain_run(slices: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(TINY_BRAIN, slices, tmp_path_factory.mktemp("brain-run"))


@pytest.fixture(scope="session")
def _brain_version(slices: Path, brain_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("brain-models") / "brain-tumour" / "1"
    foreign = {"itself": str(slices)}
    release(TINY_BRAIN, FACTS["brain-tumour"], brain_run, slices, folder, "a test", foreign=foreign, force="made up")
    return folder


@pytest.fixture
def brain_version(_brain_version: Path, tmp_path: Path) -> Path:
    """The folder brain-tumour/1; a test may change it."""
    return Path(shutil.copytree(_brain_version, tmp_path / "brain-tumour" / "1"))
