"""`python -m ml_service.training.calibrate --version FOLDER --data DIR --out DIR`: fits a version to one site.

Another hospital's exposure and framing move the scores. A folder of its own labelled images refits scaling, operating
point and uncertain band; every image is judged by a fit to other patients, before and after side by side. The version
stays as it was shipped: calibration.json in --out is what the site may use instead.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from ml_service import site
from ml_service.training import opening
from ml_service.training.datasets import SPLITS, Split, read_split
from ml_service.training.judge import Judge, run
from ml_service.training.plots import draw_confusion, draw_reliability


def main() -> None:
    """Reads the command line and calibrates."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--version", required=True, type=Path, metavar="FOLDER", help="a version's folder")
    parser.add_argument("--data", required=True, type=Path, help="folder with labels.csv")
    parser.add_argument("--split", default="all", choices=[*SPLITS, "all"])
    parser.add_argument("--out", required=True, type=Path, help="folder for calibration.json and plots")
    given = parser.parse_args()
    judge, labels = opening.version(given.version)
    print(json.dumps(calibrate(judge, read_split(given.data, given.split, labels), given.out), indent=1))  # noqa: T201


def calibrate(judge: Judge, images: Split, out: Path) -> dict[str, Any]:
    """Returns and writes the site's calibration with the scores before and after; draws both.

    Raises ValueError when there are too few images of a class.
    """
    out.mkdir(parents=True, exist_ok=True)
    logits, manifest = run(judge.network, judge.prepared(images.films))[0], judge.manifest
    fit, evidence = site.fitted(logits, images.classes, images.patients, manifest.calibration, manifest.classes)
    found = {
        "model": manifest.name,
        "version": manifest.version,
        **evidence,
        "shipped": manifest.calibration.model_dump(mode="json"),
        "calibration": fit.model_dump(mode="json"),
    }
    lines = {name: evidence[when]["reliability"] for name, when in (("shipped", "before"), ("site", "after"))}
    draw_reliability(out / "reliability.png", lines, "site")
    for when in ("before", "after"):
        confusion = np.array(evidence[when]["confusion"])
        draw_confusion(out / f"confusion_{when}.png", confusion, manifest.classes, when)
    (out / "calibration.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return found


if __name__ == "__main__":
    main()
