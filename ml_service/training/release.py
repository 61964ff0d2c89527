"""`python -m ml_service.training.release --model pneumonia --run RUN --data DATA --reason TEXT`: makes a version.

Fits scaling, operating point and refusal on validation images, reads the test split once, and writes the folder
ml_service/models/<name>/<version>/ with weights, model.json, metrics.json, card, plots and golden images.
"""

import argparse
import csv
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ml_service import manifest as manifests
from ml_service import tasks
from ml_service.manifest import Golden, GoldenCase, Manifest, Typical
from ml_service.runtime import Network
from ml_service.settings import SHIPPED
from ml_service.tasks.decode import grey_plane
from ml_service.tasks.film import Pixels
from ml_service.training import card, facts
from ml_service.training.batches import augmented_films
from ml_service.training.calibrate import DRAWS, SEED, calibrate, refusal_threshold, typical_features
from ml_service.training.datasets import read_rows, read_split
from ml_service.training.evaluate import Judge, noise, read_others, run, turned
from ml_service.training.plots import draw_curves, draw_scores
from ml_service.training.recipes import RECIPES, Recipe
from ml_service.weights import save_half

TOLERANCE = 0.01  # in probability: float32 sums differ by less between processors


def main() -> None:
    """Reads the command line and makes the version."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", required=True, choices=sorted(RECIPES))
    parser.add_argument("--run", required=True, type=Path)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--reason", required=True, help="why the test split is read, for metrics.json")
    parser.add_argument("--version", default="1")
    parser.add_argument("--models", type=Path, default=SHIPPED)
    parser.add_argument("--side", type=int, help="image size, if not the recipe's last")
    parser.add_argument("--foreign", action="append", default=[], metavar="NAME=DIR", help="images to be refused")
    parser.add_argument("--shifted", action="append", default=[], metavar="NAME=DIR", help="films of other patients")
    given = parser.parse_args()
    release(
        RECIPES[given.model],
        facts.FACTS[given.model],
        given.run,
        given.data,
        given.models / given.model / given.version,
        reason=given.reason,
        side=given.side,
        foreign=dict(pair.split("=", 1) for pair in given.foreign),
        shifted=dict(pair.split("=", 1) for pair in given.shifted),
    )


def release(
    recipe: Recipe,
    about: facts.Facts,
    run_folder: Path,
    data: Path,
    folder: Path,
    reason: str,
    side: int | None = None,
    foreign: dict[str, str] | None = None,
    shifted: dict[str, str] | None = None,
) -> Manifest:
    """Writes the version's folder and returns its manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    with np.load(run_folder / "weights.npz", allow_pickle=False) as learnt:
        weights = {name: learnt[name] for name in learnt.files}
    save_half(weights, folder / manifests.WEIGHTS)
    training = _training_facts(run_folder, data)
    draft = _draft(recipe, about, folder, side or recipe.side, training)
    network = Network(draft, folder)  # the stored half-precision weights: what is scored is what is served
    judge, heat_scale = _judge(network, tasks.load(recipe.task), recipe, data)
    np.savez_compressed(
        folder / manifests.TYPICAL, mean=judge.typical.mean.astype("f4"), precision=judge.typical.precision.astype("f4")
    )
    manifest = draft.model_copy(
        update={"calibration": judge.calibration, "typical": judge.limit, "heat_scale": round(heat_scale, 4)}
    )
    metrics = _measure(judge, recipe, data, reason, foreign or {}, shifted or {}, folder / manifests.PLOTS)
    (folder / manifests.METRICS).write_text(json.dumps(metrics, indent=1) + "\n")
    with (run_folder / "history.csv").open(encoding="utf-8") as lines:
        draw_curves(folder / manifests.PLOTS / "curves.png", list(csv.DictReader(lines)))
    golden = _golden(judge, manifest, recipe, data, folder / manifests.GOLDEN, about)
    manifest = manifest.model_copy(update={"golden": golden})
    (folder / manifests.CARD).write_text(card.write(manifest, metrics, about))
    manifest = manifest.model_copy(update={"files": _hashes(folder)})
    (folder / manifests.FILE).write_text(manifest.model_dump_json(indent=1) + "\n")
    return manifest


def _judge(network: Network, task: Any, recipe: Recipe, data: Path) -> tuple[Judge, float]:
    """Returns the fitted judge, and the activation to show as full heat."""
    held_out = read_split(data, "val", recipe.classes)
    varied = np.concatenate([augmented_films(held_out, network.side, SEED + draw) for draw in range(DRAWS)])
    calibration = calibrate(run(network, varied)[0], np.tile(held_out.classes, DRAWS))
    films = read_split(data, "train", recipe.classes).films
    typical = typical_features(run(network, np.stack([task.prepare(film, network.side) for film in films]))[1])
    plain = np.stack([task.prepare(film, network.side) for film in held_out.films])
    _, features, peaks = run(network, plain)
    limit = Typical(threshold=refusal_threshold(typical.distance(features)))
    return Judge(network, task, typical, calibration, limit), float(np.median(peaks[held_out.classes == 1]))


def _measure(
    judge: Judge, recipe: Recipe, data: Path, reason: str, foreign: dict[str, str], shifted: dict[str, str], plots: Path
) -> dict[str, Any]:
    held_out, test = (read_split(data, split, recipe.classes) for split in ("val", "test"))
    films = judge.prepared(test.films)
    draw_scores(plots, judge.probabilities(films), test.classes, judge.calibration.operating_point)
    refused: dict[str, Pixels] = {"noise": judge.prepared(noise())}
    refused |= {f"films, {how}": judge.prepared(planes) for how, planes in turned(test.films).items()}
    refused |= {name: judge.prepared(read_others(Path(path))) for name, path in foreign.items()}
    return {
        "test": judge.score(films, test.classes)
        | {"read_at": datetime.now(UTC).isoformat(timespec="seconds"), "reason": reason},
        "validation": judge.score(judge.prepared(held_out.films), held_out.classes),
        "validation_augmented": judge.score(augmented_films(held_out, judge.network.side, SEED - 1), held_out.classes),
        "refused_of_good_films": judge.refusals(films),
        "refused_of_foreign_images": {name: judge.refusals(pixels) for name, pixels in refused.items()},
        "films_of_other_patients": {
            name: judge.refusals(judge.prepared(read_others(Path(path)))) for name, path in shifted.items()
        },
    }


def _golden(judge: Judge, manifest: Manifest, recipe: Recipe, data: Path, folder: Path, about: facts.Facts) -> Golden:
    """Copies the first validation image of each class, adds noise, and notes what the network says."""
    folder.mkdir(exist_ok=True)
    rows = sorted((row for row in read_rows(data) if row.split == "val"), key=lambda row: row.path)
    for name in recipe.classes:
        first = next(row for row in rows if row.label == name)
        (folder / f"{name.lower()}.jpg").write_bytes((data / first.path).read_bytes())
    (folder / "noise.png").write_bytes(cv2.imencode(".png", noise()[0])[1].tobytes())
    (folder / "ATTRIBUTION.md").write_text(about.attribution)
    return Golden(
        tolerance=TOLERANCE,
        cases=tuple(_case(judge, manifest, path) for path in sorted(folder.glob("*.[jp][pn]g"))),
    )


def _case(judge: Judge, manifest: Manifest, path: Path) -> GoldenCase:
    plane = grey_plane(path.read_bytes())
    logits, features, _ = run(judge.network, judge.prepared([plane]))
    verdict = judge.task.interpret(float(logits[0]), float(judge.typical.distance(features)[0]), plane, manifest)
    probability = verdict.findings[0].probability if verdict.findings else None
    return GoldenCase(file=path.name, label=verdict.label, probability=probability, ood_score=verdict.ood_score)


def _draft(recipe: Recipe, about: facts.Facts, folder: Path, side: int, training: dict[str, Any]) -> Manifest:
    """Returns the manifest with what is known before the network has run; the rest are placeholders."""
    task = tasks.load(recipe.task)
    with np.load(folder / manifests.WEIGHTS, allow_pickle=False) as stored:
        moving = ("moving_mean", "moving_variance")
        parameters = sum(stored[name].size for name in stored.files if not name.endswith(moving))
    return Manifest(
        name=folder.parent.name,
        version=folder.name,
        title=about.title,
        task=recipe.task,
        kind="image",
        modalities=about.modalities,
        labels=task.LABELS,
        negative_label=task.NEGATIVE_LABEL,
        architecture=recipe.architecture,
        params=recipe.params,
        parameters=parameters,
        side=side,
        heat_scale=1.0,
        calibration=manifests.Calibration(scale=1, offset=0, operating_point=0.5, uncertain_band=(0.5, 0.5)),
        typical=Typical(threshold=1),
        limits=about.limits,
        trained_at=training["environment"]["started_at"],
        training=training,
        golden=Golden(tolerance=TOLERANCE, cases=(GoldenCase(file="-", label="-", probability=None, ood_score=0),)),
        files={},
    )


def _training_facts(run_folder: Path, data: Path) -> dict[str, Any]:
    rows = read_rows(data)
    patients = {
        split: len({row.patient_key for row in rows if row.split == split}) for split in ("train", "val", "test")
    }
    return {
        "config": json.loads((run_folder / "config.json").read_text()),
        "environment": json.loads((run_folder / "environment.json").read_text()),
        "images": {split: sum(row.split == split for row in rows) for split in patients},
        "patients": patients,
    }


def _hashes(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != manifests.FILE)
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


if __name__ == "__main__":
    main()
