"""`python -m ml_service.training.learning_curve --version FOLDER --data DIR`: would more patients help?

Trains a version's network anew on growing shares of the training patients, each share for the same number of steps, at
one small size so that it takes minutes, and scores validation images. Adds the result to the version's metrics.json,
plots and card. The test split is not read.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from ml_service import manifest as manifests
from ml_service.training import brief, card
from ml_service.training.datasets import Split, part_of, read_split
from ml_service.training.plots import draw_learning_curve
from ml_service.training.recipes import Recipe, recorded
from ml_service.training.train import Validation

SHARES = (1 / 8, 1 / 4, 1 / 2, 1.0)  # of the training patients; each share holds the ones before it
SEEDS = (1, 2)
PLOT = "learning_curve.png"


def main() -> None:
    """Reads the command line, trains, and seals the version's folder again."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--version", required=True, type=Path, metavar="FOLDER", help="a version's folder")
    parser.add_argument("--data", required=True, type=Path, help="folder with labels.csv and the images")
    given = parser.parse_args()
    folder = given.version
    path = folder / manifests.METRICS
    found = learning_curve(recorded(manifests.read(folder).training["config"]), given.data)
    metrics = json.loads(path.read_text(encoding="utf-8")) | {"learning_curve": found}
    path.write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    draw_learning_curve(folder / manifests.PLOTS / PLOT, found["points"])
    card.rewrite(folder)


def learning_curve(recipe: Recipe, data: Path) -> dict[str, Any]:
    """Returns how it was measured, and `points`: for each share and seed the patients, the images, and the scores
    on validation images, plain and augmented (train.Validation)."""
    recipe = brief.shortened(recipe)
    films, held_out = (read_split(data, split, recipe.classes) for split in ("train", "val"))
    validation = Validation(held_out, recipe.phases[0])
    steps = brief.EPOCHS * len(films) // recipe.batch
    points = []
    for share in SHARES:
        for seed in SEEDS:
            part = of_patients(films, share, seed)
            learner = brief.learnt(recipe, part, steps, seed)
            patients = len(set(part.patients))
            points.append({"patients": patients, "images": len(part), "seed": seed} | validation.scores(learner))
            tqdm.write(json.dumps(points[-1]))
    return {"side": recipe.side, "steps": steps, "points": points}


def of_patients(films: Split, share: float, seed: int) -> Split:
    """Returns the images of a share of the patients; a larger share of the same seed holds all of a smaller one."""
    keys = sorted(set(films.patients))
    order = np.random.default_rng(seed).permutation(len(keys))
    chosen = {keys[number] for number in order[: max(1, round(share * len(keys)))]}
    kept = [index for index, patient in enumerate(films.patients) if patient in chosen]
    return part_of(films, kept)


if __name__ == "__main__":
    main()
