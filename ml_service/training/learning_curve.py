"""`python -m ml_service.training.learning_curve --version FOLDER --data DIR`: would more patients help?

Trains a version's network anew on growing shares of the training patients, each share for the same number of steps, at
one small size so that it takes minutes, and scores validation images. Adds the result to the version's metrics.json,
plots and card. The test split is not read.
"""

import argparse
import dataclasses
import json
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path
from typing import Any

import keras
import numpy as np
from tqdm import tqdm

from ml_service import manifest as manifests
from ml_service.training import card
from ml_service.training.batches import Batch, epoch_batches
from ml_service.training.datasets import Split, read_split
from ml_service.training.loop import Learner
from ml_service.training.plots import draw_learning_curve
from ml_service.training.recipes import Phase, Recipe, recorded
from ml_service.training.train import Validation, balance, learning_rate, untrained

SHARES = (1 / 8, 1 / 4, 1 / 2, 1.0)  # of the training patients; each share holds the ones before it
SIDE, EPOCHS, RATE = 96, 6, 1.5e-3  # pixels; of all images: every share gets as many steps
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
    phase = dataclasses.replace(recipe.phases[-1], side=SIDE, epochs=EPOCHS, learning_rate=RATE)
    recipe = dataclasses.replace(recipe, phases=(phase,), ema=min(recipe.ema, 0.997))
    films, held_out = (read_split(data, split, recipe.classes) for split in ("train", "val"))
    validation = Validation(held_out, phase)
    steps = EPOCHS * len(films) // recipe.batch
    points = []
    for share in SHARES:
        for seed in SEEDS:
            part = of_patients(films, share, seed)
            learner = _learnt(recipe, phase, part, steps, seed)
            patients = len(set(part.patients))
            points.append({"patients": patients, "images": len(part), "seed": seed} | validation.scores(learner))
            tqdm.write(json.dumps(points[-1]))
    return {"side": SIDE, "steps": steps, "points": points}


def of_patients(films: Split, share: float, seed: int) -> Split:
    """Returns the images of a share of the patients; a larger share of the same seed holds all of a smaller one."""
    keys = sorted(set(films.patients))
    order = np.random.default_rng(seed).permutation(len(keys))
    chosen = {keys[number] for number in order[: max(1, round(share * len(keys)))]}
    kept = [index for index, patient in enumerate(films.patients) if patient in chosen]
    return Split(films.films[kept], films.classes[kept], tuple(films.patients[index] for index in kept), films.names)


def _learnt(recipe: Recipe, phase: Phase, films: Split, steps: int, seed: int) -> Learner:
    keras.utils.set_random_seed(seed)
    learner = Learner(untrained(recipe), recipe, balance(films))
    said = tqdm(_endless(films, phase, recipe.batch, seed), total=steps, desc=f"{len(films)} images", mininterval=5)
    for step, batch in enumerate(islice(said, steps)):
        learner.step(batch, learning_rate(recipe, phase, step, steps))
    return learner


def _endless(films: Split, phase: Phase, batch: int, seed: int) -> Iterator[Batch]:
    for epoch in count():
        yield from epoch_batches(films, phase, min(batch, len(films)), seed, epoch)


if __name__ == "__main__":
    main()
