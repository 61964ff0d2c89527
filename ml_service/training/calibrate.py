"""`python -m ml_service.training.calibrate --version FOLDER --data DIR --out DIR`: fits a version to one site.

Another hospital's exposure and framing move the scores. A folder of its own labelled images refits scaling, operating
point and uncertain band; every image is judged by a fit to other patients, before and after side by side. The version
stays as it was shipped: calibration.json in --out is what the site may use instead.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from ml_service.calibration import calibrated, decided
from ml_service.training import opening, site
from ml_service.training.datasets import SPLITS, Split, read_split
from ml_service.training.fit import calibration
from ml_service.training.judge import Judge, run
from ml_service.training.plots import draw_confusion, draw_reliability
from ml_service.training.scores import counts, reliability


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
    logits = run(judge.network, judge.prepared(images.films))[0]
    shipped, names = judge.manifest.calibration, judge.manifest.classes
    before, (after, answers) = calibrated(logits, shipped), site.cross_fitted(logits, images.classes, images.patients)
    found = {
        "model": judge.manifest.name,
        "version": judge.manifest.version,
        "patients": len(set(images.patients)),
        **site.before_and_after(logits, images.classes, images.patients, shipped),
        "shipped": shipped.model_dump(mode="json"),
        "calibration": calibration(logits, images.classes).model_dump(mode="json"),
    }
    lines = {name: reliability(said, images.classes) for name, said in (("shipped", before), ("site", after))}
    draw_reliability(out / "reliability.png", lines, "site")
    for name, called in (("before", decided(before, shipped)), ("after", answers)):
        draw_confusion(out / f"confusion_{name}.png", counts(called, images.classes, len(names)), names, name)
    (out / "calibration.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return found


if __name__ == "__main__":
    main()
