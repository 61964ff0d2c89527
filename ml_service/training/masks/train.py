"""`python -m ml_service.training.masks.train --data DIR --run RUN`: trains the lung-field network.

The run folder holds config.json, environment.json, history.csv and weights.npz: the averaged weights of the epoch with
the highest Dice on the validation films. The test patients are not read here.
"""

import argparse
import csv
import hashlib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from numpy.typing import NDArray
from tqdm import tqdm

from ml_service import architectures
from ml_service.tasks import lung_field
from ml_service.training.masks.pairs import Pair, read
from ml_service.training.masks.scores import dice
from ml_service.training.masks.vary import varied
from ml_service.training.run_record import record
from ml_service.weights import load_into

EMA = 0.99  # momentum of the averaged weights, which are the ones that are kept


class Recipe(NamedTuple):
    """Everything that decides the outcome of a run, but for the data and the seed.

    Version 2 went on so from the weights of version 1, which had seen the same films for 115 epochs without opacities.
    """

    architecture: str = "unet2d"
    params: dict[str, Any] = {"labels": 2}
    side: int = 192  # pixels
    epochs: int = 300
    batch: int = 8
    learning_rate: float = 2e-3
    opacities: float = 0.35  # how often a lung is given white patches
    precision: str = "mixed_bfloat16"  # Keras' policy in training; a released version is float32


def main() -> None:
    """Reads the command line and trains."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", required=True, type=Path, help="folder with labels.csv, images and masks")
    parser.add_argument("--run", required=True, type=Path)
    parser.add_argument("--epochs", type=int, default=Recipe().epochs)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=Path, metavar="WEIGHTS", help="weights.npz of an earlier run to go on from")
    given = parser.parse_args()
    train(Recipe(epochs=given.epochs), read(given.data), given.run, given.seed, given.start)


def train(recipe: Recipe, pairs: list[Pair], run: Path, seed: int = 1, start: Path | None = None) -> Path:
    """Runs the recipe, from the weights `start` if there are any; returns the run folder."""
    run.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(seed)
    films, held_out = ([pair for pair in pairs if pair.split == split] for split in ("train", "val"))
    _record(run, recipe, pairs, seed, start)
    keras.config.set_dtype_policy(recipe.precision)
    try:
        network = architectures.build(recipe.architecture, recipe.params)
    finally:
        keras.config.set_dtype_policy("float32")
    if start:
        load_into(network, start)
    steps = recipe.epochs * (len(films) // recipe.batch)
    rate = keras.optimizers.schedules.CosineDecay(
        1e-4, steps, alpha=0.01, warmup_target=recipe.learning_rate, warmup_steps=max(1, steps // 20)
    )
    optimizer = keras.optimizers.AdamW(rate, weight_decay=1e-3, global_clipnorm=5.0)
    optimizer.build(network.trainable_variables)
    averages = [tf.Variable(weight.value, trainable=False) for weight in network.weights]

    @tf.function  # type: ignore[untyped-decorator]
    def step(pixels: tf.Tensor, masks: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            value = loss(network(pixels, training=True)["heat"], masks)
        variables = network.trainable_variables
        optimizer.apply(tape.gradient(value, variables), variables)
        count = tf.cast(optimizer.iterations, tf.float32)
        keep = tf.minimum(EMA, (1 + count) / (10 + count))
        for average, weight in zip(averages, network.weights, strict=True):
            average.assign(keep * average + (1 - keep) * weight.value)
        return value

    best, began = 0.0, time.monotonic()
    with (run / "history.csv").open("w", newline="", encoding="utf-8") as lines:
        history = csv.writer(lines)
        history.writerow(("epoch", "loss", "val_dice", "seconds"))
        for epoch in range(1, recipe.epochs + 1):
            losses = [float(step(*batch)) for batch in _batches(films, recipe, (seed, epoch))]
            row = [epoch, round(float(np.mean(losses)), 4), "", round(time.monotonic() - began)]
            if epoch % 5 == 0 or epoch == recipe.epochs:
                score = _validate(network, averages, held_out, recipe.side)
                row[2] = round(score, 4)
                if score >= best:
                    best = score
                    kept = {w.path: a.numpy() for w, a in zip(network.weights, averages, strict=True)}
                    np.savez(run / "weights.npz", **kept)
            history.writerow(row)
            lines.flush()
            tqdm.write(str(row))
    return run


def loss(heat: Any, masks: Any) -> Any:
    """Returns cross-entropy and the part of the Dice coefficient that is missing, each label counting the same."""
    heat = ops.cast(heat, "float32")
    entropy = ops.mean(ops.binary_crossentropy(masks, heat, from_logits=True))
    shares = ops.sigmoid(heat)
    both = ops.sum(shares * masks, axis=(1, 2))  # (B, labels)
    total = ops.sum(shares, axis=(1, 2)) + ops.sum(masks, axis=(1, 2))
    return entropy + ops.mean(1 - (2 * both + 1) / (total + 1))


def _batches(films: list[Pair], recipe: Recipe, seed: tuple[int, int]) -> Iterator[tuple[tf.Tensor, tf.Tensor]]:
    """Yields one shuffled epoch; a last part batch is dropped. The next batch is made while one is learnt from."""

    def make(pick: NDArray[np.int64]) -> tuple[tf.Tensor, tf.Tensor]:
        made = [varied(films[i], recipe.side, np.random.default_rng((*seed, int(i))), recipe.opacities) for i in pick]
        return tuple(tf.constant(np.stack(part)) for part in zip(*made, strict=True))

    order = np.random.default_rng(seed).permutation(len(films))
    picks = [order[at : at + recipe.batch] for at in range(0, len(films) - recipe.batch + 1, recipe.batch)]
    with ThreadPoolExecutor(1) as pool:
        yield from pool.map(make, picks)


def _validate(network: keras.Model, averages: list[tf.Variable], films: list[Pair], side: int) -> float:
    """Returns the averaged network's mean Dice over films and lungs, on the films as they came."""
    learning = [weight.numpy() for weight in network.weights]
    network.set_weights([average.numpy() for average in averages])
    pixels = np.stack([lung_field.prepare(pair.plane, side) for pair in films])
    heat = network(pixels, training=False)["heat"].numpy()
    network.set_weights(learning)
    return float(np.mean([score for maps, pair in zip(heat, films, strict=True) for score in dices(maps, pair)]))


def dices(heat: NDArray[np.float32], pair: Pair) -> list[float]:
    """Returns the Dice coefficient of each lung."""
    found = lung_field.outline(heat, pair.plane.shape)
    return [dice(found == number + 1, pair.masks[:, :, number] > 0) for number in range(len(lung_field.LABELS))]


def _record(run: Path, recipe: Recipe, pairs: list[Pair], seed: int, start: Path | None) -> None:
    splits = ("train", "val", "test")
    config = recipe._asdict() | {
        "seed": seed,
        "start_sha256": hashlib.sha256(start.read_bytes()).hexdigest() if start else None,
        "images": {split: sum(pair.split == split for pair in pairs) for split in splits},
        "patients": {split: len({pair.patient for pair in pairs if pair.split == split}) for split in splits},
    }
    record(run, config)


if __name__ == "__main__":
    main()
