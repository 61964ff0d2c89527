"""`python -m ml_service.training.release --run RUN --data DATA --reason TEXT`: makes a version of a trained run.

Fits scaling, operating point and refusal on validation images, reads the test split once, and writes the folder
ml_service/models/<name>/<version>/ with weights, model.json, metrics.json, card, plots and golden images.
"""

import argparse
import csv
import json
from pathlib import Path
from typing import Any

import numpy as np

from ml_service import manifest as manifests
from ml_service import tasks
from ml_service.engines import Network
from ml_service.engines.tensorflow import Network as Reference
from ml_service.manifest import Golden, GoldenCase, Manifest, Nearest, Typical
from ml_service.measures import Classes, Floats
from ml_service.ood import TypicalFeatures
from ml_service.scaling import calibration
from ml_service.settings import SHIPPED
from ml_service.training import card, facts, golden
from ml_service.training.batches import augmented_films
from ml_service.training.datasets import Split, read_rows, read_split
from ml_service.training.fit import DRAWS, SEED, every_image, refusal_threshold, typical_features
from ml_service.training.foreign import noise, turned
from ml_service.training.judge import Judge, beyond, prepared_split, run
from ml_service.training.measure import measure, with_readings
from ml_service.training.plots import draw_curves
from ml_service.training.recipes import Recipe, recorded
from ml_service.training.seal import seal
from ml_service.weights import save_half


def main() -> None:
    """Reads the command line and makes the version."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", help="the model's name (default: the task's)")
    parser.add_argument("--run", required=True, type=Path)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--reason", required=True, help="why the test split is read, for metrics.json")
    parser.add_argument("--version", default="1")
    parser.add_argument("--models", type=Path, default=SHIPPED)
    parser.add_argument("--side", type=int, help="image size, if not the recipe's last")
    parser.add_argument("--foreign", action="append", default=[], metavar="NAME=PLACE", help="images to be refused")
    parser.add_argument("--shifted", action="append", default=[], metavar="NAME=PLACE", help="of other patients")
    given = parser.parse_args()
    recipe = recorded(json.loads((given.run / "config.json").read_text(encoding="utf-8")))
    release(
        recipe,
        facts.FACTS[recipe.task],
        given.run,
        given.data,
        given.models / (given.model or recipe.task) / given.version,
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
    draft = drafted(recipe, about, folder, side or recipe.side, training_facts(run_folder, data))
    network = Reference(draft, folder)  # the stored half-precision weights: what is scored is what is served
    judge = fitted(network, draft, recipe, data)
    judge.typical.save(folder / manifests.TYPICAL)
    metrics = measure(judge, recipe, data, foreign or {}, shifted or {}, folder / manifests.PLOTS)
    metrics = with_readings(metrics, folder.parent, folder.name, run_folder, reason)
    (folder / manifests.METRICS).write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    with (run_folder / "history.csv").open(encoding="utf-8") as lines:
        draw_curves(folder / manifests.PLOTS / "curves.png", list(csv.DictReader(lines)))
    cases = golden.make(judge, recipe, data, folder / manifests.GOLDEN, about)
    manifest = judge.manifest.model_copy(update={"golden": cases})
    (folder / manifests.CARD).write_text(card.write(manifest, metrics, about), encoding="utf-8")
    return seal(folder, manifest)


def fitted(network: Network, draft: Manifest, recipe: Recipe, data: Path) -> Judge:
    """Returns the network with scaling, operating point, refusal and full heat fitted on training and validation."""
    task = tasks.load(recipe.task)
    held_out = read_split(data, "val", recipe.classes)
    erase = recipe.phases[-1].erase
    varied = np.concatenate([augmented_films(held_out, draft.side, SEED + draw, erase) for draw in range(DRAWS)])
    fit = calibration(run(network, varied)[0], np.tile(held_out.classes, DRAWS), balanced=True)
    _, features, peaks = run(network, prepared_split(held_out, task, draft.side))
    typical, limit = refusal(network, task, read_split(data, "train", recipe.classes), held_out, features)
    changes = {"calibration": fit, "typical": limit, "heat_scale": full_heat(peaks, held_out.classes)}
    return Judge(network, task, draft.model_copy(update=changes), typical)


def refusal(
    network: Network, task: Any, train: Split, held_out: Split, plain: Floats
) -> tuple[TypicalFeatures, Typical]:
    """Returns one mean, one of each class, or every training image, whichever refuses most noise and wrongly stored
    validation images while as many good ones (features `plain`) are answered; the simplest when they are equal."""
    learnt = run(network, prepared_split(train, task, network.side))[1]
    wrong = turned(held_out.films)
    strange = [*noise(seed=4000), *wrong["quarter turn"], *wrong["inverted"]]
    odd = run(network, np.stack([task.prepare(plane, network.side) for plane in strange]))[1]
    ways: dict[Nearest, TypicalFeatures] = {
        "mean": typical_features(learnt),
        "class mean": typical_features(learnt, train.classes),
        "training image": every_image(learnt),
    }
    limits = {name: refusal_threshold(typical.distance(plain)) for name, typical in ways.items()}
    best = max(ways, key=lambda name: float(beyond(ways[name], odd, limits[name]).mean()))
    return ways[best], Typical(threshold=limits[best], nearest=best)


def full_heat(peaks: Floats, classes: Classes) -> float:
    """Returns the heat to show as full: the median over ill images of their own map's peak, (n, labels)."""
    own = peaks[:, 0] if peaks.shape[1] == 1 else peaks[np.arange(len(classes)), classes]
    return round(max(1e-3, float(np.median(own[classes > 0]))), 4)


def drafted(recipe: Recipe, about: facts.Facts, folder: Path, side: int, training: dict[str, Any]) -> Manifest:
    """Returns the manifest with what is known before the network has run; the rest are placeholders."""
    task = tasks.load(recipe.task)
    with np.load(folder / manifests.WEIGHTS, allow_pickle=False) as stored:
        moving = ("moving_mean", "moving_variance")
        parameters = sum(stored[name].size for name in stored.files if not name.endswith(moving))
    return Manifest(
        name=folder.parent.name,
        version=folder.name,
        title=about.title,
        subject=about.subject,
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
        golden=Golden(tolerance=1, cases=(GoldenCase(file="-", label="-", probability=None, ood_score=0),)),
        files={},
    )


def training_facts(run_folder: Path, data: Path) -> dict[str, Any]:
    """Returns the run's configuration and machine, and how many images and patients each split has."""
    rows = read_rows(data)
    splits = ("train", "val", "test")
    return {
        "config": json.loads((run_folder / "config.json").read_text()),
        "environment": json.loads((run_folder / "environment.json").read_text()),
        "images": {split: sum(row.split == split for row in rows) for split in splits},
        "patients": {split: len({row.patient_key for row in rows if row.split == split}) for split in splits},
    }


if __name__ == "__main__":
    main()
