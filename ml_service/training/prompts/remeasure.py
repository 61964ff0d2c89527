"""`python -m ml_service.training.prompts.remeasure --data DIR --reason TEXT`: measures a version of the box-prompt
model anew, where the rules around its network have changed and its weights have not.

Reads the test patients once, adds that to the readings of the version, and writes metrics.json, card and plot anew.
"""

import argparse
import json
from pathlib import Path

from ml_service import manifest as manifests
from ml_service.manifest import Prompted
from ml_service.prompts.networks import PromptNetwork
from ml_service.settings import SHIPPED
from ml_service.training import readings
from ml_service.training.prompts import card, measure, plots
from ml_service.training.prompts.facts import ABOUT
from ml_service.training.prompts.release import TASK
from ml_service.training.prompts.sources import read
from ml_service.training.seal import seal


def main() -> None:
    """Reads the command line and measures the version."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", required=True, type=Path, help="folder with the mask sets that sources.py names")
    parser.add_argument("--reason", required=True, help="why the test patients are read, for metrics.json")
    parser.add_argument("--version", default="1")
    parser.add_argument("--models", type=Path, default=SHIPPED)
    given = parser.parse_args()
    remeasure(given.data, given.models / TASK / given.version, given.reason)


def remeasure(data: Path, folder: Path, reason: str) -> Prompted:
    """Writes the version's folder anew and returns its manifest."""
    known = manifests.read_any(folder)
    if not isinstance(known, Prompted):
        raise ValueError(f"Expected a model that is asked with boxes in {folder}.")
    network = PromptNetwork(known, folder)
    metrics, _ = measure.measure(network, read(data, ("val", "test")), data, reason, folder.name)
    metrics["readings"] = [*readings.of_model(folder.parent), *metrics["readings"]]
    (folder / manifests.METRICS).write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    return rewrite(folder)


def rewrite(folder: Path) -> Prompted:
    """Writes card, plot and manifest from metrics.json and from what `facts.py` says; reads no patient."""
    known = manifests.read_any(folder)
    if not isinstance(known, Prompted):
        raise ValueError(f"Expected a model that is asked with boxes in {folder}.")
    metrics = json.loads((folder / manifests.METRICS).read_text(encoding="utf-8"))
    manifest = known.model_copy(update={"limits": ABOUT.limits})
    plots.draw_dice(folder / manifests.PLOTS / "dice.png", metrics["test"]["by"])
    (folder / manifests.CARD).write_text(card.write(manifest, metrics, ABOUT), encoding="utf-8")
    return seal(folder, manifest)


if __name__ == "__main__":
    main()
