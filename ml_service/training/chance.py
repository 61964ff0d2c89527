"""`python -m ml_service.training.chance --version FOLDER --data DIR`: what a test split this small can show of ECE.

Bins of few images miss their honest share by chance, so the calibration error of perfectly honest probabilities is not
0. How far it is from 0 is found by simulation, from augmented validation images' probabilities: as many as the test
split has are drawn, each comes true as often as it says, and the error is reckoned as on test. Test is not read.
"""

import argparse
import json
from pathlib import Path

from ml_service import manifest as manifests
from ml_service.training import card, opening
from ml_service.training.batches import augmented_films
from ml_service.training.datasets import read_split
from ml_service.training.fit import SEED
from ml_service.training.recipes import Phase
from ml_service.training.scores import by_chance


def main() -> None:
    """Reads the command line; puts the error into a version's metrics.json, and writes its card anew."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--version", required=True, type=Path, metavar="FOLDER", help="a version's folder")
    parser.add_argument("--data", required=True, type=Path, help="folder with labels.csv: its validation images")
    given = parser.parse_args()
    judge, labels = opening.version(given.version)
    held_out = read_split(given.data, "val", labels)
    phase = Phase(**judge.manifest.training["config"]["phases"][-1] | {"side": judge.manifest.side})
    said = judge.probabilities(augmented_films(held_out, phase, SEED - 1))
    metrics = json.loads((given.version / manifests.METRICS).read_text(encoding="utf-8"))
    card.put(given.version, "ece_by_chance", by_chance(said, metrics["test"]["n"]))


if __name__ == "__main__":
    main()
