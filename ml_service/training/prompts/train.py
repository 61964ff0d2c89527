"""`python -m ml_service.training.prompts.train --data DIR --run RUN`: trains the box-prompt network.

The run folder holds config.json, environment.json, history.csv, weights.npz (the averaged weights of the check with the
highest Dice on validation) and checkpoint.npz, from which the same command goes on after it was ended. The test
patients are not read here.
"""

import argparse
import csv
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from ml_service import architectures
from ml_service.training.masks.train import loss
from ml_service.training.prompts.judge import Judge
from ml_service.training.prompts.sources import KEPT, Slice, read
from ml_service.training.prompts.vary import Example, varied
from ml_service.training.run_record import record

EMA = 0.998  # momentum of the averaged weights, which are the ones that are kept
# How often each set's slices are drawn: by what they teach, not by how many there are.
SHARES = {"trunk CT": 0.5, "chest films": 0.22, "retinas": 0.03, "cxr_pneumonia": 0.1, "brain_tumour": 0.15}


class Recipe(NamedTuple):
    """Everything that decides the outcome of a run, but for the data and the seed."""

    architecture: str = "box_prompt"
    params: dict[str, Any] = {}
    steps: int = 1300
    slices: int = 4  # in a batch
    boxes: int = 6  # on each
    learning_rate: float = 3e-3
    check: int = 100  # steps from one validation to the next
    precision: str = "mixed_bfloat16"  # Keras' policy in training; a released version is float32


def main() -> None:
    """Reads the command line and trains."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", required=True, type=Path, help="folder with the mask sets that sources.py names")
    parser.add_argument("--run", required=True, type=Path)
    parser.add_argument("--steps", type=int, default=Recipe().steps)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    train(Recipe(steps=given.steps), read(given.data, ("train", "val")), given.run, given.seed)


def train(recipe: Recipe, slices: list[Slice], run: Path, seed: int = 1) -> Path:
    """Runs the recipe, or what is left of it; returns the run folder."""
    run.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(seed)
    learnt = [one for one in slices if one.split == "train"]
    judge = Judge([one for one in slices if one.split == "val"])
    keras.config.set_dtype_policy(recipe.precision)
    try:
        network = architectures.build(recipe.architecture, recipe.params | {"boxes": recipe.boxes})
    finally:
        keras.config.set_dtype_policy("float32")
    plain = architectures.build(recipe.architecture, recipe.params)
    rate = keras.optimizers.schedules.CosineDecay(
        1e-4, recipe.steps, alpha=0.01, warmup_target=recipe.learning_rate, warmup_steps=max(1, recipe.steps // 20)
    )
    optimizer = keras.optimizers.AdamW(rate, weight_decay=1e-3, global_clipnorm=5.0)
    optimizer.build(network.trainable_variables)
    averages = [tf.Variable(weight.value, trainable=False) for weight in network.weights]

    @tf.function  # type: ignore[untyped-decorator]
    def step(pixels: tf.Tensor, patches: tf.Tensor, rectangles: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            read = {"pixels": pixels, "patches": patches, "rectangles": rectangles}
            value = loss(network(read, training=True), targets)
        variables = network.trainable_variables
        optimizer.apply(tape.gradient(value, variables), variables)
        count = tf.cast(optimizer.iterations, tf.float32)
        keep = tf.minimum(EMA, (1 + count) / (10 + count))
        for average, weight in zip(averages, network.weights, strict=True):
            average.assign(keep * average + (1 - keep) * weight.value)
        return value

    kept = [*network.weights, *optimizer.variables, *averages]
    first, best = _resumed(run, kept)
    _record(run, recipe, slices, seed, network)
    losses: list[float] = []
    began = time.monotonic()
    batches = _batches(learnt, recipe, seed, first)
    with (run / "history.csv").open("a", newline="", encoding="utf-8") as lines:
        history = csv.writer(lines)
        if not first:
            history.writerow(("step", "loss", "val_dice", "seconds"))
        for number in tqdm(range(first + 1, recipe.steps + 1), initial=first, total=recipe.steps, mininterval=10):
            losses.append(float(step(*next(batches))))
            if number % recipe.check and number != recipe.steps:
                continue
            plain.set_weights([average.numpy() for average in averages])
            score = judge.dice(plain)
            if score >= best:
                best = score
                arrays: dict[str, Any] = {weight.path: weight.numpy() for weight in plain.weights}
                if len(arrays) < len(plain.weights):
                    raise ValueError("Expected a network without two weights of one name.")
                np.savez(run / "weights.npz", **arrays)
            row = (number, round(float(np.mean(losses)), 4), round(score, 4), round(time.monotonic() - began))
            history.writerow(row)
            lines.flush()
            tqdm.write(str(row))
            losses.clear()
            left: dict[str, Any] = {f"v{n}": np.asarray(variable) for n, variable in enumerate(kept)}
            np.savez(run / "next.npz", step=number, best=best, **left)
            (run / "next.npz").replace(run / "checkpoint.npz")  # whole or not at all
    return run


def _resumed(run: Path, kept: list[Any]) -> tuple[int, float]:
    """Sets the variables to what an ended run left; returns its last step and its best score."""
    if not (run / "checkpoint.npz").exists():
        return 0, 0.0
    with np.load(run / "checkpoint.npz", allow_pickle=False) as left:
        for number, variable in enumerate(kept):
            variable.assign(left[f"v{number}"])
        return int(left["step"]), float(left["best"])


def _batches(slices: list[Slice], recipe: Recipe, seed: int, first: int) -> Iterator[tuple[tf.Tensor, ...]]:
    """Yields batches without end, from step `first` on; the next are made while one is learnt from."""
    sets = [name for name in SHARES if any(one.set == name for one in slices)]
    groups = [[one for one in slices if one.set == name] for name in sets]
    shares = np.array([SHARES[name] for name in sets])

    def make(number: int) -> tuple[tf.Tensor, ...]:
        rng = np.random.default_rng((seed, number))
        found: list[Example] = []
        while len(found) < recipe.slices:
            group = groups[int(rng.choice(len(groups), p=shares / shares.sum()))]
            example = varied(group[int(rng.integers(0, len(group)))], recipe.boxes, rng)
            found += [example] if example else []
        pixels = np.stack([one.pixels for one in found])
        rest = [np.concatenate([getattr(one, name) for one in found]) for name in Example._fields[1:]]
        return tuple(tf.constant(part) for part in (pixels, *rest))

    with ThreadPoolExecutor(1) as pool:
        ahead = [pool.submit(make, first + n) for n in range(3)]
        number = first + 3
        while True:
            ahead.append(pool.submit(make, number))
            number += 1
            yield ahead.pop(0).result()


def _record(run: Path, recipe: Recipe, slices: list[Slice], seed: int, network: keras.Model) -> None:
    drawn = [one for one in slices if one.labels is not None]
    splits = ("train", "val")
    config = recipe._asdict() | {
        "seed": seed,
        "parameters": sum(int(np.prod(weight.shape)) for weight in network.trainable_weights),
        "never_learnt": list(KEPT),
        "images": {split: sum(one.split == split for one in drawn) for split in splits},
        "patients": {split: len({one.patient for one in drawn if one.split == split}) for split in splits},
    }
    record(run, config)


if __name__ == "__main__":
    main()
