"""`python -m ml_service.training.masks.release --run RUN --data DATA --others DATA --reason TEXT`: makes a version of
the lung-field model.

Fits refusal on training and validation films, reads the test patients once, and writes the folder
ml_service/models/lung-field/<version>/ with weights, model.json, metrics.json, card, plots and golden films.
"""

import argparse
import csv
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ml_service import manifest as manifests
from ml_service.engines import Network
from ml_service.engines.tensorflow import Network as Reference
from ml_service.label_maps import LabelMap
from ml_service.manifest import Calibration, Manifest, Typical
from ml_service.refusal import Refusal
from ml_service.settings import SHIPPED
from ml_service.tasks import lung_field
from ml_service.training import learnt, readings, tried
from ml_service.training.bar import BelowTheBar
from ml_service.training.foreign import noise, read_others, turned
from ml_service.training.masks import card, golden, measure, plots, refuse
from ml_service.training.masks.facts import ABOUT
from ml_service.training.masks.pairs import Pair, read
from ml_service.training.masks.scores import dice
from ml_service.training.seal import seal

TASK = "lung-field"


def main() -> None:
    """Reads the command line and makes the version."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--run", required=True, type=Path)
    parser.add_argument("--data", required=True, type=Path, help="folder with labels.csv, images and masks")
    parser.add_argument("--others", required=True, type=Path, help="data folder of films without masks, for refusal")
    parser.add_argument("--reason", required=True, help="why the test patients are read, for metrics.json")
    parser.add_argument("--version", default="1")
    parser.add_argument("--models", type=Path, default=SHIPPED)
    parser.add_argument("--foreign", action="append", default=[], metavar="NAME=PLACE", help="images to be refused")
    parser.add_argument("--force", metavar="REASON", help="make it although it misses the bar; kept in metrics.json")
    parser.add_argument("--shifted", action="append", default=[], metavar="NAME=PLACE", help="of other patients")
    given = parser.parse_args()
    foreign, shifted = (dict(pair.split("=", 1) for pair in pairs) for pairs in (given.foreign, given.shifted))
    folder = given.models / TASK / given.version
    release(given.run, given.data, given.others, folder, given.reason, foreign, shifted, given.force)


def release(
    run: Path,
    data: Path,
    others: Path,
    folder: Path,
    reason: str,
    foreign: dict[str, str],
    shifted: dict[str, str],
    force: str | None = None,
) -> Manifest:
    """Writes the version's folder and returns its manifest. Raises BelowTheBar, before the test patients are read, for
    a version that refuses too little or too much, unless there is a reason to make it all the same: `force`."""
    folder.mkdir(parents=True)
    learnt.take_weights(run, folder)
    pairs = read(data)
    draft = drafted(run, folder)
    network = Reference(draft, folder)  # the stored half-precision weights: what is scored is what is served
    films = {
        s: refuse.Films([p.plane for p in pairs if p.split == s], refuse.others(others, s)) for s in ("train", "val")
    }
    refusal, typical = refuse.fitted(
        network, films["train"], films["val"], [pair.patient for pair in pairs if pair.split == "train"]
    )
    refusal.save(folder)
    strangers = {"noise": noise()} | {name: read_others(Path(place)) for name, place in foreign.items()}
    metrics = refusals(network, refusal, typical, films["val"], strangers)
    missed = refuse.shortfalls(metrics["refused_of_good_images"], metrics["refused_of_foreign_images"])
    if missed and force:
        metrics["below_the_bar"] = {"reason": force, "sets": missed}
    elif missed:
        shutil.rmtree(folder)
        raise BelowTheBar(f"Expected a version that refuses what it knows nothing of. Received: {json.dumps(missed)}")
    scores, found = measure.measure(network, pairs, reason, folder.name)
    test = [pair for pair in pairs if pair.split == "test"]
    before = readings.of_model(folder.parent)
    before += [entry for entry in readings.of_run(run) if entry not in before]
    scores |= {"readings": [*before, *scores["readings"]], "tried": tried.of_model(folder.parent)}
    metrics = scores | metrics | _of_test(network, refusal, typical, test, others, shifted)
    (folder / manifests.METRICS).write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    shown = draw(folder / manifests.PLOTS, run, test, found)
    manifest = draft.model_copy(update={"typical": typical})
    adult = next(pair for pair in pairs if pair.split == "val")
    sources = ABOUT.attribution + golden.sources(data, [adult, *shown])
    cases = golden.make(network, refusal, manifest, folder / manifests.GOLDEN, data / "images", adult, others, sources)
    manifest = manifest.model_copy(update={"golden": cases})
    (folder / manifests.CARD).write_text(card.write(manifest, metrics, ABOUT, sources), encoding="utf-8")
    return seal(folder, manifest)


def refusals(
    network: Network, refusal: Refusal, typical: Typical, held_out: refuse.Films, strangers: dict[str, list[Any]]
) -> dict[str, Any]:
    """Returns what is refused of validation films, of those films stored wrongly, and of images of other kinds."""
    sets = strangers | {f"good ones, {how}": planes for how, planes in turned(held_out.own).items()}
    sets |= {f"children's, {how}": planes for how, planes in turned(held_out.others[:150]).items()}
    limit = typical.threshold
    return {
        "refused_of_good_images": refuse.refused(network, refusal, limit, held_out.own),
        "refused_of_foreign_images": {
            name: refuse.refused(network, refusal, limit, planes) for name, planes in sets.items()
        },
    }


def _of_test(
    network: Network, refusal: Refusal, typical: Typical, test: Sequence[Pair], others: Path, shifted: dict[str, str]
) -> dict[str, Any]:
    sets = {"children (test)": refuse.others(others, "test")}
    sets |= {name: read_others(Path(place)) for name, place in shifted.items()}
    limit = typical.threshold
    return {
        "refused_of_good_images": refuse.refused(network, refusal, limit, [pair.plane for pair in test]),
        "images_of_other_patients": {
            name: refuse.refused(network, refusal, limit, planes) for name, planes in sets.items()
        },
    }


def draw(folder: Path, run: Path, test: list[Pair], found: list[LabelMap]) -> list[Pair]:
    """Writes the plots; returns the films that are shown: the worst, the middle and the best."""
    folder.mkdir()
    rows = [[dice(f == n + 1, p.masks[:, :, n] > 0) for n in (0, 1)] for p, f in zip(test, found, strict=True)]
    plots.draw_dice(folder / "dice.png", {label: [row[n] for row in rows] for n, label in enumerate(lung_field.LABELS)})
    with (run / "history.csv").open(encoding="utf-8") as lines:
        plots.draw_curves(folder / "curves.png", list(csv.DictReader(lines)))
    order = [int(at) for at in np.argsort([float(np.mean(row)) for row in rows])]
    picked = [order[0], order[len(order) // 2], order[-1]]
    plots.draw_outlines(folder / "outlines.png", [(test[at], found[at]) for at in picked])
    return [test[at] for at in picked]


def drafted(run: Path, folder: Path) -> Manifest:
    """Returns the manifest with what is known before the network has run; the rest are placeholders."""
    training = learnt.record(run)
    config = training["config"]
    labels = lung_field.LABELS
    return Manifest(
        name=folder.parent.name,
        version=folder.name,
        title=ABOUT.title,
        subject=ABOUT.subject,
        task=TASK,
        kind="image",
        modalities=ABOUT.modalities,
        labels=labels,
        negative_label=lung_field.NEGATIVE_LABEL,
        architecture=config["architecture"],
        params=config["params"],
        parameters=learnt.parameters(folder),
        side=config["side"],
        heat_scale=1.0,
        calibration=Calibration(
            scale=1, offset=(0.0,) * len(labels), operating_point=0.5, uncertain_band=(0.5, 0.5)
        ),  # nothing is calibrated: above a half is inside
        typical=Typical(threshold=1),
        limits=ABOUT.limits,
        trained_at=training["environment"]["started_at"],
        training=training | {"images": config["images"], "patients": config["patients"]},
        golden=learnt.NO_GOLDEN,
        files={},
    )


if __name__ == "__main__":
    main()
