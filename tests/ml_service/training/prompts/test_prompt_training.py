"""Training with boxes: nobody and no structure leaks into the test, boxes jitter alike on every run, a run goes on."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import nibabel
import numpy as np
import pytest

from ml_service.manifest import read_any
from ml_service.prompts.compact import cut
from ml_service.settings import SHIPPED
from ml_service.training.masks.scores import dice
from ml_service.training.prompts import baselines, sources
from ml_service.training.prompts.measure import STARTS, WAYS, Scored, summary
from ml_service.training.prompts.objects import box_of, flooded, jittered, things
from ml_service.training.prompts.remeasure import rewrite
from ml_service.training.prompts.sources import KEPT, SCANS, Slice
from ml_service.training.prompts.train import Recipe, train
from ml_service.training.prompts.vary import varied

BOX = np.array([20, 30, 59, 89], np.float32)
TINY = Recipe(params={"widths": (8, 8, 8, 8), "embedding": 8}, steps=4, slices=2, boxes=2, check=2, precision="float32")


def disc(patient: str, split: str, at: int, set_: str = "chest films") -> Slice:
    """Two bright discs on noise."""
    rng = np.random.default_rng(at)
    labels = np.zeros((90, 120), np.uint8)
    cv2.circle(labels, (30 + at % 5, 40), 17, 1, -1)
    cv2.circle(labels, (85, 50), 12, 2, -1)
    plane = 40 + 120.0 * (labels > 0) + rng.normal(0, 6, labels.shape)
    return Slice(set_, patient, split, plane.astype(np.float32), labels, {1: "one", 2: "two"})


def test_a_box_jitters_alike_from_the_same_seed_and_stays_on_the_slice() -> None:
    boxes = [jittered(BOX, (100, 80), np.random.default_rng(seed)) for seed in range(200)]
    again = [jittered(BOX, (100, 80), np.random.default_rng(seed)) for seed in range(200)]
    np.testing.assert_array_equal(boxes, again)
    assert len({tuple(box) for box in boxes}) == 200
    off = np.abs(np.array(boxes) - BOX) / np.array([40, 60, 40, 60])
    assert off.max() <= 0.21 and 0.02 < off.mean() < 0.08
    edge = [jittered(np.array([0, 0, 79, 99], np.float32), (100, 80), np.random.default_rng(n)) for n in range(50)]
    assert np.min(edge) >= 0 and np.max([box[[0, 2]] for box in edge]) <= 79 and np.max(edge) <= 99


def test_no_scan_is_in_two_splits_and_none_of_the_kept_structures_is_learnt_from() -> None:
    assert len({scan.patient for scan in SCANS}) == len(SCANS)
    tested = {name for scan in SCANS if scan.split == "test" for name in scan.names.values()}
    assert tested <= set(KEPT)


def test_a_training_scan_hides_the_kept_structures(tmp_path: Path) -> None:
    folder = tmp_path / "ct"
    folder.mkdir()
    numbers = np.zeros((40, 32, 30), np.uint8)
    numbers[5:15, 5:20, :] = 5  # the liver, as TotalSegmentator counts
    numbers[20:30, 5:20, :] = 2
    for name, values in (("image", np.full(numbers.shape, 50, np.int16)), ("mask", numbers)):
        nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), folder / f"{name}.nii.gz")
    scan = sources.Scan("ct/image", "ct/mask", "somebody", "train", sources.CT_NAMES)
    learnt = list(sources.sliced(tmp_path, scan))
    assert len(learnt) == 30 + 15 + 10  # slices with the other structure, across z, y and x
    assert {int(n) for one in learnt for n in np.unique(one.labels)} == {0, 2}  # type: ignore[arg-type]
    assert {axis for one in learnt for axis in one.plane.shape} == {30, 32, 40}
    tested = list(sources.sliced(tmp_path, scan._replace(split="test")))
    assert {int(n) for one in tested for n in np.unique(one.labels)} == {0, 2, 5}  # type: ignore[arg-type]


def test_pieces_of_one_structure_are_objects_of_their_own() -> None:
    labels = np.zeros((60, 60), np.uint8)
    labels[5:20, 5:20] = labels[30:50, 30:50] = 3
    labels[55, 55] = 3  # a speck is none
    found = list(things(labels, {3: "kidney"}))
    assert [thing.name for thing in found] == ["kidney", "kidney"]
    assert sorted(box_of(thing.mask).tolist() for thing in found) == [[5, 5, 19, 19], [30, 30, 49, 49]]


def test_what_moves_the_slice_moves_its_masks() -> None:
    """On the varied slice the target still is what is bright: whatever was flipped, turned or inverted."""
    kept = disc("p", "train", 3)
    agreed = []
    for seed in range(12):
        example = varied(kept, 4, np.random.default_rng(seed))
        assert example is not None and example.targets.shape == (4, 64, 64, 1)
        for patch, target in zip(example.patches, example.targets[..., 0], strict=True):
            inner, outer = patch[..., 0][target > 0.9], patch[..., 0][target < 0.1]
            spread = patch[..., 0].std()
            agreed.append(spread > 0 and abs(np.median(inner) - np.median(outer)) > 0.7 * spread)
    assert np.mean(agreed) > 0.8


def test_the_same_seed_gives_the_same_example() -> None:
    one, again = (varied(disc("p", "train", 1), 3, np.random.default_rng(9)) for _ in range(2))
    assert one is not None and again is not None
    for part, other in zip(one, again, strict=True):
        np.testing.assert_array_equal(part, other)


def test_a_flooded_piece_is_of_like_levels() -> None:
    plane = disc("p", "train", 2).plane
    pieces = [piece for seed in range(40) if (piece := flooded(plane, np.random.default_rng(seed)))]
    spreads = [float(plane[piece.mask > 0].std()) for piece in pieces]
    assert len(pieces) > 10 and np.median(spreads) < 0.4 * plane.std()  # a hole in one may hold anything


def test_the_yardsticks_outline_a_disc() -> None:
    one = disc("p", "test", 0)
    truth = one.labels == 1
    box = box_of(truth)  # type: ignore[arg-type]
    assert dice(baselines.ellipse(box, one.plane.shape), truth) > 0.95
    for start in STARTS.values():
        assert dice(baselines.grabcut(one.plane, box, start), truth) > 0.9
    assert 0.7 < dice(baselines.whole_box(box, one.plane.shape), truth) < 0.9
    assert cut(truth.astype(np.float32), box)[32, 32] == 1


def test_the_mean_is_over_structures_not_over_objects() -> None:
    def scored(structure: str, patient: str, value: float) -> Scored:
        ways = dict.fromkeys(WAYS, value)
        return Scored(
            structure, patient, disc(patient, "test", 0), np.ones((2, 2), np.uint8), BOX, np.ones((2, 2), bool), ways, 1
        )

    rows = [scored("often", "a", 0.9)] * 9 + [scored("rare", "b", 0.5)]
    found = summary(rows)
    assert found["mean"]["network"]["value"] == pytest.approx(0.7)
    assert found["mean"]["network"]["low"] == pytest.approx(0.5) and found["patients"] == 2


def test_a_run_that_was_ended_goes_on_where_it_was(tmp_path: Path) -> None:
    slices = [disc(f"p{n}", "train", n) for n in range(4)] + [disc("v", "val", 9)]
    run = train(TINY._replace(steps=2), slices, tmp_path / "run")
    first = steps(run)
    train(TINY, slices, run)
    assert steps(run) == [*first, "4"] == ["2", "4"]
    config: dict[str, Any] = json.loads((run / "config.json").read_text())
    assert config["patients"] == {"train": 4, "val": 1} and config["never_learnt"] == list(KEPT)


def steps(run: Path) -> list[str]:
    with (run / "history.csv").open() as lines:
        return [row["step"] for row in csv.DictReader(lines)]


def test_the_shipped_card_says_what_was_measured(tmp_path: Path) -> None:
    """Written anew from metrics.json and facts.py it is the same; the weights are not touched."""
    shipped = SHIPPED / "box-prompt" / "1"
    copy = tmp_path / "box-prompt" / "1"
    shutil.copytree(shipped, copy)
    manifest = rewrite(copy)
    assert (copy / "card.md").read_text() == (shipped / "card.md").read_text()
    told = read_any(shipped)
    assert manifest.limits == told.limits and manifest.files["weights.npz"] == told.files["weights.npz"]
    metrics = json.loads((copy / "metrics.json").read_text())
    assert set(metrics["test"]["mean"]) == set(WAYS)
    assert metrics["readings"][-1]["dice"] == metrics["test"]["mean"]["network"]["value"]
