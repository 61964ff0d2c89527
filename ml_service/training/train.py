"""`python -m ml_service.training.train --model pneumonia --data DIR`: trains, resumes, and keeps a record.

The run folder holds config.json, environment.json, history.csv, curves.png, state.npz (the last epoch, for
--resume) and weights.npz (the averaged weights of the epoch that scored best on augmented validation films).
The test split is not read here.
"""

import argparse
import csv
import dataclasses
import json
import math
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import log_loss
from tqdm import tqdm

from ml_service import architectures
from ml_service.calibration import shares
from ml_service.tasks.film import network_input
from ml_service.training.batches import Batch, augmented_films, epoch_batches
from ml_service.training.datasets import Split, read_split
from ml_service.training.facts import PATCHED
from ml_service.training.loop import Learner
from ml_service.training.origin import began_with, still, taught_by
from ml_service.training.plots import draw_curves
from ml_service.training.recipes import RECIPES, Phase, Recipe
from ml_service.training.run_record import record
from ml_service.training.scores import auc
from ml_service.training.teachers import teaching
from ml_service.weights import load_into

VALIDATION_SEED = 1000


def main() -> None:
    """Reads the command line and trains."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", required=True, choices=sorted(RECIPES), help="a recipe's name")
    parser.add_argument("--data", required=True, type=Path, help="folder with labels.csv and the images")
    parser.add_argument("--arch", choices=sorted(architectures.ARCHITECTURES))
    parser.add_argument("--width", type=float, help="share of the architecture's channels (with --arch)")
    cut = f"how tokens are cut (with --arch {' or '.join(PATCHED)})"
    parser.add_argument("--patches", choices=("memory", "true"), help=cut)
    parser.add_argument("--run", type=Path, help="run folder (default: var/runs/MODEL-TIME)")
    parser.add_argument("--resume", action="store_true", help="go on from the run folder's last epoch")
    parser.add_argument("--start", type=Path, metavar="WEIGHTS", help="weights.npz of an earlier version to go on from")
    other = "folder of a trained version or run to learn from beside the labels; may be given again"
    parser.add_argument("--teacher", type=Path, action="append", default=[], metavar="FOLDER", help=other)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if given.patches and given.arch not in PATCHED:
        parser.error(f"--patches is for --arch {' or '.join(PATCHED)} alone. Received: {given.arch or 'no --arch'}")
    if given.width and not given.arch:
        parser.error("--width is a share of the channels of --arch. Received: no --arch")
    recipe = RECIPES[given.model]
    if given.arch:
        chosen = params(recipe, given.width, given.patches)
        recipe = dataclasses.replace(recipe, architecture=given.arch, params=chosen)
    run = given.run or Path("var/runs") / f"{given.model}-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    train(recipe, given.data, run, seed=given.seed, resume=given.resume, start=given.start, teachers=given.teacher)


def params(recipe: Recipe, width: float | None, patches: str | None = None) -> dict[str, Any]:
    """Returns the parameters of another architecture than the recipe's own."""
    labels = {"labels": len(recipe.classes)} if len(recipe.classes) > 2 else {}
    return labels | ({"width": width} if width else {}) | ({"patches": patches} if patches else {})


def train(
    recipe: Recipe,
    data: Path,
    run: Path,
    seed: int = 1,
    resume: bool = False,
    start: Path | None = None,
    teachers: Sequence[Path] = (),
) -> Path:
    """Runs every epoch of the recipe that the run folder does not have yet; returns the run folder. Raises ValueError
    for a run that goes on with other teachers than it began with."""
    run.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(seed)
    films, held_out = (read_split(data, split, recipe.classes) for split in ("train", "val"))
    tqdm.write(f"{len(films)} films to learn from, {len(held_out)} for validation")
    network = untrained(recipe)
    if start:
        load_into(network, start)
    learner, teach = Learner(network, recipe, balance(films)), teaching(teachers, recipe)
    done = learner.restore(run / "state.npz") if resume else 0
    if not resume:
        (run / "history.csv").unlink(missing_ok=True)
    origin = (began_with(start) if start else {}) | taught_by(teachers)
    if resume:
        origin = still(run / "config.json", origin)
    facts = {"seed": seed, "train": len(films), "val": len(held_out)}
    record(run, dataclasses.asdict(recipe) | facts | origin)
    validation: tuple[Phase, Validation] | None = None
    for epoch, (phase, number) in enumerate(plan(recipe)):
        if epoch < done:
            continue
        if stalled(run, recipe):
            tqdm.write(f"stopped: no lower loss in {recipe.patience} epochs")
            break
        began = time.monotonic()
        batches = map(teach, epoch_batches(films, phase, recipe.batch, seed, epoch))
        loss = _epoch(learner, recipe, phase, batches, number, epoch, len(films) // recipe.batch)
        if validation is None or validation[0].side != phase.side:
            validation = (phase, Validation(held_out, phase))
        row = {"epoch": epoch + 1, "side": phase.side, "loss": loss} | validation[1].scores(learner)
        _keep(run, learner, row | {"seconds": round(time.monotonic() - began, 1)}, recipe)
        learner.save(run / "state.npz", epoch + 1)
    return run


def untrained(recipe: Recipe) -> keras.Model:
    """Returns the recipe's network in its training precision; what is built afterwards is float32 again."""
    keras.config.set_dtype_policy(recipe.precision)
    try:
        return architectures.build(recipe.architecture, recipe.params)
    finally:
        keras.config.set_dtype_policy("float32")


def plan(recipe: Recipe) -> list[tuple[Phase, int]]:
    """Returns each epoch's phase and its number within the phase."""
    return [(phase, number) for phase in recipe.phases for number in range(phase.epochs)]


def stalled(run: Path, recipe: Recipe) -> bool:
    """True when the last epochs, as many as the recipe has patience for, brought no lower loss."""
    path = run / "history.csv"
    if recipe.patience is None or not path.exists():
        return False
    losses = [float(row["varied_loss"]) for row in csv.DictReader(path.open(encoding="utf-8"))]
    return len(losses) - 1 - losses.index(min(losses)) >= recipe.patience


def balance(data: Split) -> NDArray[np.float32]:
    """Returns a weight for each class, so that both count the same."""
    counts = np.bincount(data.classes)
    return (len(data) / (len(counts) * counts)).astype(np.float32)


def learning_rate(recipe: Recipe, phase: Phase, step: int, steps: int) -> float:
    """Linear warm-up, then a cosine to one hundredth; or a staircase down."""
    if recipe.schedule == "staircase":
        return phase.learning_rate * 0.95 ** (step // 10_000)
    rising = max(1, int(steps * recipe.warm_up))
    if step < rising:
        return phase.learning_rate * (step + 1) / rising
    fall = 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, steps - rising)))
    return phase.learning_rate * (0.01 + 0.99 * fall)


def _epoch(
    learner: Learner, recipe: Recipe, phase: Phase, batches: Iterable[Batch], number: int, epoch: int, steps: int
) -> float:
    """Returns the epoch's mean loss; `number` is its place in the phase."""
    losses = []
    for step, batch in enumerate(tqdm(batches, total=steps, desc=f"epoch {epoch + 1}", mininterval=5)):
        rate = learning_rate(recipe, phase, number * steps + step, phase.epochs * steps)
        losses.append(learner.step(batch, rate))
    return round(float(np.mean(losses)), 5)


class Validation:
    """The validation films, plain and augmented, as one phase has them."""

    def __init__(self, data: Split, phase: Phase) -> None:
        self.classes = data.classes
        self.plain = np.stack([network_input(film, phase.side) for film in data.films])
        self.varied = augmented_films(data, phase, VALIDATION_SEED)

    def scores(self, learner: Learner) -> dict[str, float]:
        """Returns AUC on plain films, AUC and log loss on augmented ones."""
        plain, varied = (shares(learner.averaged_logits(films)) for films in (self.plain, self.varied))
        return {
            "val_auc": round(auc(plain, self.classes), 5),
            "varied_auc": round(auc(varied, self.classes), 5),
            "varied_loss": round(float(log_loss(self.classes, varied)), 5),
        }


def _keep(run: Path, learner: Learner, row: dict[str, float], recipe: Recipe) -> None:
    """Adds a line to history.csv, redraws the curves, and keeps the weights if no epoch at this size or a
    larger one scored better."""
    path = run / "history.csv"
    before = list(csv.DictReader(path.open(encoding="utf-8"))) if path.exists() else []
    with path.open("a", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, row)
        if not before:
            writer.writeheader()
        writer.writerow(row)
    rivals = [float(r["varied_auc"]) for r in before if int(r["side"]) >= row["side"]]
    if all(row["varied_auc"] >= rival for rival in rivals):
        np.savez(run / "weights.npz", **learner.averaged_weights())  # type: ignore[arg-type]
    draw_curves(run / "curves.png", [*before, {name: str(value) for name, value in row.items()}])
    tqdm.write(json.dumps(row))


if __name__ == "__main__":
    main()
