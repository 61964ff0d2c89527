"""Training of masks: patients stay in one split, masks move with films, scores mean what they say."""

import csv
import json
import shutil
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from ml_service.checks import open_version
from ml_service.settings import Settings
from ml_service.tasks.lung_field import equalise
from ml_service.training import tried
from ml_service.training.masks import card as cards
from ml_service.training.masks.measure import score
from ml_service.training.masks.pairs import SPLITS, Pair, lungs, read, splits
from ml_service.training.masks.refuse import shortfalls
from ml_service.training.masks.release import release
from ml_service.training.masks.scores import apart, by_patient, dice, surface
from ml_service.training.masks.train import Recipe, train
from ml_service.training.masks.vary import varied, whitened


def drawn(number: int, side: int = 96) -> "tuple[np.ndarray[tuple[int, ...], np.dtype[np.uint8]], np.ndarray]":  # type: ignore[type-arg]
    """A grey film with two dark ellipses, and their mask."""
    rng = np.random.default_rng(number)
    film = np.full((side, side), 170, np.uint8)
    mask = np.zeros((side, side), np.uint8)
    for x in (0.3, 0.7):
        middle = (int(side * x + rng.integers(-3, 4)), int(side / 2 + rng.integers(-4, 5)))
        axes = (int(side * 0.13), int(side * 0.3))
        cv2.ellipse(mask, middle, axes, 0, 0, 360, 255, -1)
    film[mask > 0] = 60
    return np.clip(film + rng.normal(0, 8, film.shape), 0, 255).astype(np.uint8), mask


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lungs")
    rows = []
    for number in range(40):
        film, mask = drawn(number)
        for name, image in (("image", film), ("mask", mask)):
            cv2.imwrite(str(folder / f"{name}{number}.png"), image)
        rows.append(
            {
                "image": f"image{number}.png",
                "mask": f"mask{number}.png",
                "patient": str(number // 2),
                "url": "made up",
                "licence": "ours",
            }
        )
    with (folder / "labels.csv").open("w", newline="") as lines:
        writer = csv.DictWriter(lines, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return folder


def test_a_patient_is_in_one_split(data: Path) -> None:
    pairs = read(data)
    assert len(pairs) == 40
    by_patient_ = {pair.patient: {other.split for other in pairs if other.patient == pair.patient} for pair in pairs}
    assert all(len(found) == 1 for found in by_patient_.values())
    counts = {name: sum(found == {name} for found in by_patient_.values()) for name in ("train", *SPLITS)}
    assert counts == {"train": 4, **SPLITS}
    assert splits({str(number) for number in range(20)}) == {pair.patient: pair.split for pair in pairs}


def test_masks_are_the_two_lungs_the_right_one_first() -> None:
    mask = np.zeros((20, 30), bool)
    mask[2:18, 20:28] = mask[4:16, 2:9] = True
    mask[0, 0] = True  # a speck
    right, left = np.moveaxis(lungs(mask), -1, 0)
    assert right[5, 5] and not right[5, 25] and left[5, 25] and not left[5, 5] and not right[0, 0]
    with pytest.raises(ValueError, match="Received: 1 pieces"):
        lungs(mask & (np.arange(30) > 10))


def test_a_mask_moves_with_its_film() -> None:
    film, mask = drawn(1, side=128)
    pair = Pair("1", "1", "train", film, lungs(mask > 0))
    for seed in range(12):
        pixels, masks = varied(pair, 64, np.random.default_rng(seed))
        assert pixels.shape == (64, 64, 1) and masks.shape == (64, 64, 2) and masks.dtype == np.float32
        columns = [np.average(np.arange(64), weights=masks[:, :, side].sum(axis=0) + 1e-9) for side in (0, 1)]
        assert columns[0] < columns[1]  # flipped or not, the right lung is on the left
        inside, outside = masks.sum(axis=-1) > 0.99, masks.sum(axis=-1) < 0.01
        shown = pixels[:, :, 0] > equalise(np.zeros((2, 2), np.uint8)).min() + 1e-3  # not the black around a film
        assert np.median(pixels[:, :, 0][inside]) < np.median(pixels[:, :, 0][outside & shown])


def test_white_patches_lie_in_the_lung_and_are_no_whiter_than_what_is_round_it() -> None:
    film, mask = drawn(2)
    lung = lungs(mask > 0)[:, :, 0].astype(np.float32)
    away = cv2.dilate(lung, np.ones((15, 15), np.uint8)) == 0
    covered = []
    for seed in range(12):
        white = whitened(film, lung, np.random.default_rng(seed))
        assert (white[away] == film[away]).all()
        assert (white >= film).all() and white[lung > 0].max() <= film.max()
        covered.append(float((white[lung > 0] > film[lung > 0].astype(int) + 20).mean()))
    assert min(covered) < 0.5 < max(covered)  # of some lungs a little, of some most


def test_dice_and_surface() -> None:
    truth = np.zeros((30, 30), bool)
    truth[5:25, 5:25] = True
    moved = np.roll(truth, 2, axis=1)
    assert dice(truth, truth) == surface(truth, truth, 1) == 1
    assert dice(moved, truth) == pytest.approx(2 * 20 * 18 / 800)
    assert surface(moved, truth, tolerance=2) == 1
    assert surface(moved, truth, tolerance=1) == pytest.approx(1 - 2 * 36 / 152, abs=0.08)
    assert surface(moved, truth, tolerance=2, spacing=(1, 3)) < 0.7  # 2 pixels are 6 mm there
    nothing = np.zeros_like(truth)
    assert (dice(nothing, nothing), surface(nothing, nothing, 1)) == (1, 1)
    assert (dice(nothing, truth), surface(nothing, truth, 1)) == (0, 0)


def test_intervals_know_that_films_share_patients() -> None:
    rng = np.random.default_rng(0)
    levels = np.repeat(rng.normal(0.9, 0.05, 10), 8)
    shared = by_patient(levels, [str(n // 8) for n in range(80)])
    apart = by_patient(levels, [str(n) for n in range(80)])
    assert shared["low"] < shared["value"] < shared["high"]
    assert shared["high"] - shared["low"] > 1.8 * (apart["high"] - apart["low"])


@pytest.fixture(scope="module")
def run(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    recipe = Recipe(
        params={"labels": 2, "widths": (8, 16, 24)},
        side=32,
        epochs=40,
        batch=4,
        learning_rate=1e-2,
        precision="float32",
    )
    return train(recipe, read(data), tmp_path_factory.mktemp("runs") / "run")


def test_a_short_run_learns_two_drawn_lungs(run: Path) -> None:
    with (run / "history.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 40 and float(rows[-1]["loss"]) < 0.8 * float(rows[0]["loss"])
    assert float(rows[-1]["val_dice"]) > 0.4
    assert sorted(path.name for path in run.iterdir()) == [
        *("config.json", "environment.json", "history.csv", "weights.npz"),
    ]


def test_a_run_goes_on_from_another_ones_weights(run: Path, data: Path, tmp_path: Path) -> None:
    config = json.loads((run / "config.json").read_text())
    recipe = Recipe(**{name: config[name] for name in Recipe._fields} | {"epochs": 1, "learning_rate": 1e-6})
    again = train(recipe, read(data), tmp_path / "again", start=run / "weights.npz")
    with np.load(run / "weights.npz") as before, np.load(again / "weights.npz") as after:
        kernels = [name for name in before.files if name.endswith("kernel")]
        assert all(np.allclose(before[name], after[name], atol=1e-3) for name in kernels)
    assert len(json.loads((again / "config.json").read_text())["start_sha256"]) == 64


@pytest.fixture(scope="module")
def version(run: Path, data: Path, films: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A version made by the real command, and a record of an earlier reading of the test patients."""
    (data / "images").mkdir()
    for film in data.glob("image*.png"):
        (data / "images" / film.name).write_bytes(film.read_bytes())
    (run / "readings.json").write_text(json.dumps([{"date": "2026", "version": "1", "dice": 0.5, "reason": "earlier"}]))
    folder = tmp_path_factory.mktemp("models") / "lung-field" / "1"
    release(run, data, films, folder, "a test", {}, {}, force="it is made up")
    return folder


def test_a_release_has_every_part_and_passes_its_checks(version: Path) -> None:
    assert sorted(path.name for path in version.iterdir()) == [
        *("appearance.npz", "card.md", "golden", "metrics.json", "model.json", "plots", "typical.npz", "weights.npz"),
    ]
    assert sorted(path.name for path in (version / "plots").iterdir()) == ["curves.png", "dice.png", "outlines.png"]
    served = open_version(version, Settings(service_token=None))
    assert served.manifest.outlines and served.manifest.labels == ("right_lung", "left_lung")
    served.close()


def test_its_metrics_are_of_the_test_patients_beside_baselines_and_every_reading(version: Path) -> None:
    metrics = json.loads((version / "metrics.json").read_text())
    assert (metrics["test"]["n"], metrics["test"]["patients"]) == (24, 12)
    assert metrics["test"]["dice"]["low"] <= metrics["test"]["dice"]["value"] <= metrics["test"]["dice"]["high"]
    assert set(metrics["test"]["by_structure"]) == {"right_lung", "left_lung"}
    assert metrics["test_by_baselines"]["Otsu's threshold"]["dice"]["value"] > 0.9  # black on grey: it cannot fail here
    assert metrics["test_by_baselines"]["mean mask of the training films"]["dice"]["value"] > 0.6
    assert [entry["reason"] for entry in metrics["readings"]] == ["earlier", "a test"]
    assert metrics["refused_of_foreign_images"]["noise"]["n"] == 60
    card = (version / "card.md").read_text()
    assert "Research use, not for diagnosis" in card and f"{metrics['test']['dice']['value']:.3f} [" in card
    assert "chosen and bettered with these same sets" in card


def test_its_card_can_be_written_anew(version: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(shutil.copytree(version, tmp_path / "lung-field" / "1"))
    entry = {"what": "mirrors", "on": "5 folds", "without": ".9", "with": ".91", "outcome": "taken"}
    tried.add(folder, entry)
    monkeypatch.setattr(sys, "argv", ["card", "--version", str(folder)])
    cards.main()
    came, before = ((place / "card.md").read_text() for place in (folder, version))
    assert "| mirrors | 5 folds | .9 | .91 | taken |" in came and "film" in before
    assert [line for line in before.splitlines() if line not in came.splitlines()] == []
    open_version(folder, Settings(service_token=None)).close()  # its hashes are right


def test_sides_that_are_exchanged_are_counted() -> None:
    film, mask = drawn(3)
    pair = Pair("3", "3", "test", film, lungs(mask > 0))
    right = (pair.masks[:, :, 0] + 2 * pair.masks[:, :, 1]).astype(np.uint8)
    wrong = (2 * pair.masks[:, :, 0] + pair.masks[:, :, 1]).astype(np.uint8)
    found = score([right, wrong], [pair, pair])
    assert found["sides_swapped"] == 0.5 and found["dice"]["value"] == 0.5
    distance = found["by_structure"]["right_lung"]["surface_distance_percent"]["value"]
    assert distance == pytest.approx(100 * apart(wrong == 1, right == 1) / 96 / 2, rel=0.01)


def test_what_is_refused_too_rarely_or_too_often_is_named() -> None:
    good, foreign = {"refused_share": 0.0}, {"noise": {"refused_share": 0.98}, "photographs": {"refused_share": 0.96}}
    assert shortfalls(good, foreign) == {"noise": {"refused": 0.98, "at_least": 0.99}}
    assert list(shortfalls({"refused_share": 0.1}, {})) == ["good images (validation)"]
