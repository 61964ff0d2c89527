"""`python -m ml_service.training.masks.card --version FOLDER`: writes a mask model's card.md anew.

Every number in it comes from model.json and metrics.json.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from ml_service import manifest as manifests
from ml_service.manifest import Manifest
from ml_service.training.card import opening, refused_by
from ml_service.training.card_refusal import developed_on
from ml_service.training.facts import Facts
from ml_service.training.markdown import interval, table
from ml_service.training.masks.facts import ABOUT
from ml_service.training.seal import seal
from ml_service.training.tried import tried_section


def main() -> None:
    """Reads the command line and writes the card; whose films are shown stands beside the golden ones."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--version", required=True, type=Path, metavar="FOLDER", help="a version's folder")
    folder = parser.parse_args().version
    manifest = manifests.read(folder)
    metrics = json.loads((folder / manifests.METRICS).read_text(encoding="utf-8"))
    sources = (folder / manifests.GOLDEN / "ATTRIBUTION.md").read_text(encoding="utf-8")
    (folder / manifests.CARD).write_text(write(manifest, metrics, ABOUT, sources), encoding="utf-8")
    seal(folder, manifest)


def write(manifest: Manifest, metrics: dict[str, Any], about: Facts, sources: str) -> str:
    """Returns the card. `sources` says where the shown films are from."""
    parts = [
        *opening(manifest, about),
        _scores(metrics),
        _beside(metrics),
        _readings(metrics["readings"]),
        _refusals(metrics),
        _how(manifest, about),
        tried_section(about.tried, metrics),
        f"## Source of the {about.images}\n\n" + sources.split("\n\n", 1)[1].rstrip(),
    ]
    return "\n".join(parts) + "\n"


def _scores(metrics: dict[str, Any]) -> str:
    sets = {"test": "test", "validation": "validation", "training films": "of_training_films"}
    found = [metrics[key] for key in sets.values()]
    rows = [["Dice, both lungs", *(interval(one["dice"]) for one in found)]]
    for label in metrics["test"]["by_structure"]:
        name = label.replace("_", " ")
        lungs = [one["by_structure"][label] for one in found]
        rows += [
            [f"Dice, {name}", *(interval(lung["dice"]) for lung in lungs)],
            [f"outline within 1 %, {name}", *(interval(lung["surface_within_1_percent"]) for lung in lungs)],
            [f"mean distance of outlines, %, {name}", *(interval(lung["surface_distance_percent"]) for lung in lungs)],
        ]
    rows += [
        ["worst lung's Dice", *(f"{one['worst_dice']:.3f}" for one in found)],
        ["films with a lung below 0.9", *(f"{100 * one['share_with_a_lung_below_0.9']:.0f} %" for one in found)],
        ["films with sides exchanged", *(f"{100 * one['sides_swapped']:.0f} %" for one in found)],
    ]
    head = ["", *(f"{name} (n = {one['n']})" for name, one in zip(sets, found, strict=True))]
    return (
        "## Scores\n\nWith 95 % intervals of bootstraps that draw patients, not films. Judge by the test column: few "
        "patients, so wide intervals. Distances are shares of the film's longer side.\n\n" + table(head, rows)
    )


def _beside(metrics: dict[str, Any]) -> str:
    sets = {"this model": metrics["test"]} | metrics["test_by_baselines"]
    rows = [
        [name, interval(one["dice"]), f"{one['worst_dice']:.3f}", f"{100 * one['sides_swapped']:.0f} %"]
        for name, one in sets.items()
    ]
    said = "Beside what needs no network, on the same test films:\n\n"
    return said + table(["", "Dice", "worst lung", "sides exchanged"], rows)


def _readings(found: list[dict[str, Any]]) -> str:
    rows = [[str(r["date"])[:10], str(r["version"]), f"{r['dice']:.3f}", str(r["reason"])] for r in found]
    return "Every reading of the test split:\n\n" + table(["date", "version", "Dice", "reason"], rows)


def _refusals(metrics: dict[str, Any]) -> str:
    sets = {"good films (test)": metrics["refused_of_good_images"]}
    sets |= metrics["refused_of_foreign_images"] | metrics["images_of_other_patients"]
    rows = [[name, str(one["n"]), f"{100 * one['refused_share']:.1f} %"] for name, one in sets.items()]
    said = "## Refusal\n\nAn image that is unlike the training films gets no mask.\n\n"
    said += table(["images", "n", "refused"], rows) + "\n" + developed_on(metrics) + "\n"
    if short := metrics.get("below_the_bar"):
        said += f"\nBelow the bar for {', '.join(short['sets'])}; released because {short['reason']}.\n"
    return said


def _how(manifest: Manifest, about: Facts) -> str:
    start = "an earlier run's weights" if manifest.training["config"].get("start_sha256") else "scratch"
    return (
        f"## How it works\n\nArchitecture `{manifest.architecture}`, {manifest.parameters:,} parameters, trained from "
        f"{start}. A film is squashed to {manifest.side} x {manifest.side} pixels and histogram-equalised. The network "
        "gives each pixel a logit for either lung; these are stretched to the film's own size, and above 0 is lung. Of "
        "each lung the largest piece is kept, and holes in it are filled. Nothing is calibrated: a mask has no "
        f"probability. {refused_by(manifest, about)} Here films of two kinds stand for what is typical: those with "
        "masks, and children's without. The limit was raised so far that it lets pass 98 % of the films with masks, "
        "too, each scored by a fit to other patients.\n"
    )


if __name__ == "__main__":
    main()
