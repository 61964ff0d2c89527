"""`python -m ml_service.training.cross_validate --version FOLDER --data DIR --change mixup=0`: does one setting help?

Trains a version's recipe and the same with one setting changed, briefly (brief.py), on all but one of FOLDS parts of
the training and validation patients, each part in turn, and scores the part that was left out. Pairs of one part
compare. The result goes on record as a try, and on the card. The test split is not read.
"""

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold
from tqdm import tqdm

from ml_service import manifest as manifests
from ml_service.training import brief, card, tried
from ml_service.training.datasets import Split, part_of, read_split, together
from ml_service.training.recipes import Recipe, recorded
from ml_service.training.train import Validation

FOLDS, SEED = 3, 1
SCORES = ("val_auc", "varied_auc", "varied_loss")  # Validation's: plain films, augmented ones, and their log loss


def main() -> None:
    """Reads the command line, trains, and puts the result on the version's record."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--version", required=True, type=Path, metavar="FOLDER", help="a version's folder")
    parser.add_argument("--data", required=True, type=Path, help="folder with labels.csv and the images")
    parser.add_argument("--change", required=True, metavar="NAME=NUMBER", help="a number of the recipe or its phase")
    given = parser.parse_args()
    recipe = brief.shortened(recorded(manifests.read(given.version).training["config"]))
    try:
        other, now = changed(recipe, given.change)
    except ValueError as error:
        parser.error(str(error))
    films = together(*(read_split(given.data, split, recipe.classes) for split in ("train", "val")))
    found = cross_validated(films, recipe, other)
    tried.add(given.version, as_try(found, f"{given.change} instead of {now}", films))
    card.rewrite(given.version)


def changed(recipe: Recipe, change: str) -> tuple[Recipe, float]:
    """Returns the recipe with a number of its own, or of its one phase, replaced, and what that number was. Raises
    ValueError for another name or no number."""
    name, _, text = change.partition("=")
    (phase,) = recipe.phases
    holder = phase if hasattr(phase, name) else recipe
    now: Any = getattr(holder, name, None)
    if type(now) not in (int, float):
        raise ValueError(f"Expected a number of the recipe or its phase. Received: {name}")
    new: Any = dataclasses.replace(holder, **{name: type(now)(text)})
    return (dataclasses.replace(recipe, phases=(new,)) if holder is phase else new), now


def cross_validated(films: Split, recipe: Recipe, other: Recipe) -> list[dict[str, dict[str, float]]]:
    """Returns for each part its scores by the recipe ("without") and by the changed one ("with")."""
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=SEED)
    found = []
    for learn, judge in folds.split(films.classes, films.classes, films.patients):
        part, left_out = part_of(films, learn), part_of(films, judge)
        pair = {}
        for name, each in (("without", recipe), ("with", other)):
            # Both are judged by the recipe's own variations: a change of them would change what is asked too.
            judge_by = dataclasses.replace(recipe.phases[0], side=each.side)
            steps = each.phases[0].epochs * len(part) // each.batch
            pair[name] = Validation(left_out, judge_by).scores(brief.learnt(each, part, steps, SEED))
        found.append(pair)
        tqdm.write(json.dumps(pair))
    return found


def as_try(found: list[dict[str, dict[str, float]]], what: str, films: Split) -> dict[str, str]:
    """Returns the record's entry. What counts is the order of augmented images: scaling is fitted afterwards."""
    middle = [
        {name: float(np.median([pair[side][name] for pair in found])) for name in SCORES}
        for side in ("without", "with")
    ]
    gains = [pair["with"]["varied_auc"] - pair["without"]["varied_auc"] for pair in found]
    better = sum(gain > 0 for gain in gains)
    return {
        "what": what,
        "on": f"cross-validation by patient: {len(films)} training and validation images in {len(found)} parts, "
        f"{brief.EPOCHS} epochs from nothing at {brief.SIDE} pixels; middle of the parts",
        **dict(zip(("without", "with"), (_figures(each) for each in middle), strict=True)),
        "outcome": f"augmented AUC higher in {better} of {len(found)} parts (by {min(gains):.4f} to {max(gains):.4f})",
    }


def _figures(scores: dict[str, float]) -> str:
    return f"AUC {scores['val_auc']:.4f}, augmented {scores['varied_auc']:.4f}, log loss {scores['varied_loss']:.3f}"


if __name__ == "__main__":
    main()
