"""`python -m ml_service.training.framing --version FOLDER --data DIR`: what another framing does to the answers.

Two films of one patient differ in how far the radiographer opened the collimator, and squashed to a square the wider
of them looks narrower. Neither says anything of an illness, but where healthy and ill come from different rooms a
network learns it all the same. So validation images are cut above and below, or at the sides, and answered as served;
the result goes into metrics.json, and onto the card. Test is not read.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml_service.calibration import calibrated, decided
from ml_service.tasks.decode import Grey
from ml_service.tasks.film import frame
from ml_service.training.datasets import Split, read_split, together
from ml_service.training.judge import Judge, run
from ml_service.training.scores import auc

KEY = "framing"
CUT = 0.1  # of the whole, at each of two edges
FRAMINGS: dict[str, Callable[[Grey], Grey]] = {
    "as they are": lambda plane: plane,
    "a tenth cut off above and below": lambda plane: plane[_middle(plane.shape[0])],
    "a tenth cut off at each side": lambda plane: plane[:, _middle(plane.shape[1])],
}


def main() -> None:
    """Reads the command line; measures, and writes the card anew."""
    from ml_service.training import card, opening  # they need this module, for releases and their cards

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--version", required=True, type=Path, metavar="FOLDER", help="a version's folder")
    parser.add_argument("--data", required=True, type=Path, help="folder with labels.csv: its validation images")
    given = parser.parse_args()
    judge, labels = opening.version(given.version)
    card.put(given.version, KEY, framed_otherwise(judge, read_split(given.data, "val", labels)))


def in_every_framing(images: Split) -> Split:
    """Returns the images once in each framing, all as they are first."""
    return together(*(replace(images, films=_framed(images, cut)) for cut in FRAMINGS.values()))


def framed_otherwise(judge: Judge, images: Split) -> dict[str, Any]:
    """Returns n and, for each framing, AUC, accuracy, of each class the share that is called so (refused or not), and
    the share refused."""
    found: dict[str, Any] = {"n": len(images)}
    for name, cut in FRAMINGS.items():
        pixels = judge.prepared(_framed(images, cut))
        logits, features, _ = run(judge.network, pixels)
        said = calibrated(logits, judge.manifest.calibration)
        answers = decided(said, judge.manifest.calibration)
        found[name] = {
            "auc": round(auc(said, images.classes), 4),
            "accuracy": round(float((answers == images.classes).mean()), 4),
            "sensitivity": {
                label: round(float((answers[images.classes == number] == number).mean()), 4)
                for number, label in enumerate(judge.manifest.classes)
            },
            "refused_share": round(float(judge.beyond(features, pixels).mean()), 4),
        }
    return found


def _framed(images: Split, cut: Callable[[Grey], Grey]) -> NDArray[np.uint8]:
    return np.stack([frame(cut(plane)) for plane in images.films])


def _middle(size: int) -> slice:
    return slice(round(size * CUT), size - round(size * CUT))


if __name__ == "__main__":
    main()
