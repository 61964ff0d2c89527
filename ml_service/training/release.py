"""`python -m ml_service.training.release --run RUN --data DATA --reason TEXT`: makes a version of a trained run.

Fits scaling, operating point and refusal on validation images, reads the test split once, and writes the folder
ml_service/models/<name>/<version>/ with weights, model.json, metrics.json, card, plots and golden images.
"""

import argparse
import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ml_service import manifest as manifests
from ml_service import tasks
from ml_service.engines import Network
from ml_service.engines.tensorflow import Network as Reference
from ml_service.manifest import Manifest, Nearest, Typical
from ml_service.measures import Classes, Floats
from ml_service.ood import TypicalFeatures
from ml_service.refusal import Refusal
from ml_service.scaling import calibration
from ml_service.settings import SHIPPED
from ml_service.training import card, facts, golden, learnt
from ml_service.training.bar import BelowTheBar, shortfalls
from ml_service.training.batches import augmented_films
from ml_service.training.datasets import Split, read_rows, read_split
from ml_service.training.fit import DRAWS, SEED, appearance, every_image, refusal_threshold, spans, typical_features
from ml_service.training.foreign import noise, read_others, turned
from ml_service.training.framing import in_every_framing
from ml_service.training.judge import Judge, prepared_split, run
from ml_service.training.measure import measure, with_readings
from ml_service.training.plots import draw_curves
from ml_service.training.recipes import Recipe, recorded
from ml_service.training.seal import seal


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
    twice = "answer by the mean of an image and its mirror image, at twice the cost (house network)"
    parser.add_argument("--mirrored", action="store_true", help=twice)
    parser.add_argument("--foreign", action="append", default=[], metavar="NAME=PLACE", help="images to be refused")
    parser.add_argument("--force", metavar="REASON", help="make it although it misses the bar; kept in metrics.json")
    parser.add_argument("--shifted", action="append", default=[], metavar="NAME=PLACE", help="of other patients")
    given = parser.parse_args()
    recipe = recorded(json.loads((given.run / "config.json").read_text(encoding="utf-8")))
    if given.mirrored:
        if recipe.architecture != "house":
            parser.error(f"--mirrored is for the house network. Received: a run of {recipe.architecture}")
        recipe = replace(recipe, params=recipe.params | {"mirrored": True})
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
        force=given.force,
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
    force: str | None = None,
) -> Manifest:
    """Writes the version's folder and returns its manifest. Raises BelowTheBar, before the test split is read, for a
    version that refuses too little or too much, unless there is a reason to make it all the same: `force`."""
    folder.mkdir(parents=True)
    learnt.take_weights(run_folder, folder)
    draft = drafted(recipe, about, folder, side or recipe.side, training_facts(run_folder, data))
    network = Reference(draft, folder)  # the stored half-precision weights: what is scored is what is served
    judge = fitted(network, draft, recipe, data)
    strangers = {"noise": noise()} | {name: read_others(Path(place)) for name, place in (foreign or {}).items()}
    missed = shortfalls(judge, list(read_split(data, "val", recipe.classes).films), strangers)
    if missed and force is None:
        shutil.rmtree(folder)
        raise BelowTheBar(f"Expected a version that refuses what it knows nothing of. Received: {json.dumps(missed)}")
    judge.refusal.save(folder)
    metrics = measure(judge, recipe, data, strangers, shifted or {}, folder / manifests.PLOTS)
    if missed:
        metrics["below_the_bar"] = {"reason": force, "sets": missed}
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
    hard = replace(recipe.phases[-1], side=draft.side)
    varied = np.concatenate([augmented_films(held_out, hard, SEED + draw) for draw in range(DRAWS)])
    plain, _, peaks = run(network, prepared_split(held_out, task, draft.side))
    logits = np.concatenate([run(network, varied)[0], *[plain] * DRAWS])
    fit = calibration(logits, np.tile(held_out.classes, 2 * DRAWS), balanced=True)
    refused, limit = refusal(network, task, read_split(data, "train", recipe.classes), held_out)
    changes = {"calibration": fit, "typical": limit, "heat_scale": full_heat(peaks, held_out.classes)}
    return Judge(network, task, draft.model_copy(update=changes), refused)


def refusal(network: Network, task: Any, train: Split, held_out: Split) -> tuple[Refusal, Typical]:
    """Returns the features' distance to one mean, one of each class, or every training image, whichever refuses most
    noise and wrongly stored validation images while as many good ones are answered, the simplest when they are equal;
    and with it the appearance. Good images are validation's in every framing, and so are the means' training images; of
    every training image there is one, as it is, because a version stores them all."""
    seen = in_every_framing(train)
    trained = run(network, prepared_split(seen, task, network.side))[1]
    good = prepared_split(in_every_framing(held_out), task, network.side)
    features = run(network, good)[1]
    wrong = turned(held_out.films)
    strange = [*noise(seed=4000), *wrong["quarter turn"], *wrong["inverted"]]
    odd = run(network, np.stack([task.prepare(plane, network.side) for plane in strange]))[1]
    ways: dict[Nearest, TypicalFeatures] = {
        "mean": typical_features(trained),
        "class mean": typical_features(trained, seen.classes),
        "training image": every_image(trained[: len(train)]),
    }
    limits = {name: refusal_threshold(typical.distance(features)) for name, typical in ways.items()}
    best = max(ways, key=lambda name: float((ways[name].distance(odd) > limits[name]).mean()))
    looks = appearance(list(seen.films), task, network.side)
    reach = spans(Refusal(ways[best], looks).measures(features, good))
    refused = Refusal(ways[best], looks, reach, together=True)
    limit = refusal_threshold(refused.score(features, good))
    return refused, Typical(threshold=limit, nearest=best, spans=reach, together=True)


def full_heat(peaks: Floats, classes: Classes) -> float:
    """Returns the heat to show as full: the median over ill images of their own map's peak, (n, labels)."""
    own = peaks[:, 0] if peaks.shape[1] == 1 else peaks[np.arange(len(classes)), classes]
    return round(max(1e-3, float(np.median(own[classes > 0]))), 4)


def drafted(recipe: Recipe, about: facts.Facts, folder: Path, side: int, training: dict[str, Any]) -> Manifest:
    """Returns the manifest with what is known before the network has run; the rest are placeholders."""
    task = tasks.load(recipe.task)
    return Manifest(
        name=folder.parent.name,
        version=folder.name,
        title=facts.title(about, recipe.architecture, recipe.params),
        subject=about.subject,
        task=recipe.task,
        kind="image",
        modalities=about.modalities,
        labels=task.LABELS,
        negative_label=task.NEGATIVE_LABEL,
        architecture=recipe.architecture,
        params=recipe.params,
        parameters=learnt.parameters(folder),
        side=side,
        heat_scale=1.0,
        calibration=manifests.Calibration(scale=1, offset=0, operating_point=0.5, uncertain_band=(0.5, 0.5)),
        typical=Typical(threshold=1),
        limits=about.limits,
        trained_at=training["environment"]["started_at"],
        training=training,
        golden=learnt.NO_GOLDEN,
        files={},
    )


def training_facts(run_folder: Path, data: Path) -> dict[str, Any]:
    """Returns the run's configuration and machine, and how many images and patients each split has."""
    rows = read_rows(data)
    splits = ("train", "val", "test")
    return {
        **learnt.record(run_folder),
        "images": {split: sum(row.split == split for row in rows) for split in splits},
        "patients": {split: len({row.patient_key for row in rows if row.split == split}) for split in splits},
    }


if __name__ == "__main__":
    main()
