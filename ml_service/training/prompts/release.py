"""`python -m ml_service.training.prompts.release --run RUN --data DIR --reason TEXT`: makes a version of the box-prompt
model.

Reads the test patients once and writes the folder ml_service/models/box-prompt/<version>/ with weights, model.json,
metrics.json, card, plots and golden slices.
"""

import argparse
import csv
import json
from pathlib import Path

from ml_service import manifest as manifests
from ml_service.manifest import Prompted
from ml_service.prompts.networks import PromptNetwork
from ml_service.settings import SHIPPED
from ml_service.tasks import box_prompt
from ml_service.training import learnt, readings
from ml_service.training.prompts import card, golden, measure, plots
from ml_service.training.prompts.facts import ABOUT
from ml_service.training.prompts.sources import Slice, read
from ml_service.training.seal import seal

TASK = "box-prompt"


def main() -> None:
    """Reads the command line and makes the version."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--run", required=True, type=Path)
    parser.add_argument("--data", required=True, type=Path, help="folder with the mask sets that sources.py names")
    parser.add_argument("--reason", required=True, help="why the test patients are read, for metrics.json")
    parser.add_argument("--version", default="1")
    parser.add_argument("--models", type=Path, default=SHIPPED)
    given = parser.parse_args()
    release(given.run, given.data, given.models / TASK / given.version, given.reason)


def release(run: Path, data: Path, folder: Path, reason: str) -> Prompted:
    """Writes the version's folder and returns its manifest."""
    folder.mkdir(parents=True)
    learnt.take_weights(run, folder)
    slices = read(data, ("val", "test"))
    draft = drafted(run, folder, slices)
    network = PromptNetwork(draft, folder)  # the stored half-precision weights: what is scored is what is served
    metrics, found = measure.measure(network, slices, data, reason, folder.name)
    metrics["readings"] = [*readings.of_model(folder.parent), *readings.of_run(run), *metrics["readings"]]
    (folder / manifests.METRICS).write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    pictures = folder / manifests.PLOTS
    pictures.mkdir()
    plots.draw_dice(pictures / "dice.png", metrics["test"]["by"])
    plots.draw_outlines(pictures / "outlines.png", found)
    with (run / "history.csv").open(encoding="utf-8") as lines:
        plots.draw_curves(pictures / "curves.png", list(csv.DictReader(lines)))
    cases = golden.make(network, data, folder / manifests.GOLDEN, ABOUT.attribution)
    manifest = draft.model_copy(update={"golden": cases})
    (folder / manifests.CARD).write_text(card.write(manifest, metrics, ABOUT), encoding="utf-8")
    return seal(folder, manifest)


def drafted(run: Path, folder: Path, slices: list[Slice]) -> Prompted:
    """Returns the manifest without its golden slices."""
    training = learnt.record(run)
    config = training["config"]
    test = [one for one in slices if one.split == "test"]
    return Prompted(
        name=folder.parent.name,
        version=folder.name,
        title=ABOUT.title,
        subject=ABOUT.subject,
        task=TASK,
        kind="any",
        modalities=ABOUT.modalities,
        labels=box_prompt.LABELS,
        negative_label=box_prompt.NEGATIVE_LABEL,
        architecture=config["architecture"],
        params=config["params"],
        parameters=learnt.parameters(folder),
        limits=ABOUT.limits,
        trained_at=training["environment"]["started_at"],
        training=training
        | {
            "images": config["images"] | {"test": len(test)},
            "patients": config["patients"] | {"test": len({one.patient for one in test})},
        },
        golden=learnt.NO_GOLDEN,
        files={},
    )


if __name__ == "__main__":
    main()
