"""`python -m ml_service.training.pretrain --model pneumonia --data DIR --more DIR`: learns without labels.

SimCLR (Chen et al. 2020, https://arxiv.org/abs/2002.05709): two variations of one film should have features that are
near to each other and far from those of other films. What comes, RUN/weights.npz, is for `train --start`; its last
layer has learnt nothing. Of --data only the training split is read, of each --more every image; their labels are not
looked at. The run folder holds config.json, environment.json, history.csv and weights.npz.
"""

import argparse
import csv
import dataclasses
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from numpy.typing import NDArray
from tqdm import tqdm

from ml_service.tasks.film import Pixels, frame
from ml_service.training.augment import varied
from ml_service.training.batches import Pick, made_ahead, picks
from ml_service.training.datasets import read_split
from ml_service.training.foreign import read_others
from ml_service.training.recipes import RECIPES, Phase, Recipe
from ml_service.training.run_record import record
from ml_service.training.train import learning_rate, untrained

BATCH, RATE = 64, 1e-3  # films, each of them twice
TEMPERATURE = 0.2
PROJECTED = (128, 64)  # units that compare features while they are learnt, and are thrown away
MOST = 1_000_000  # images of a folder: all of them
Films = NDArray[np.uint8]


def main() -> None:
    """Reads the command line and trains."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", required=True, choices=sorted(RECIPES), help="a recipe's name")
    parser.add_argument("--data", required=True, type=Path, help="folder with labels.csv and the images")
    parser.add_argument("--more", action="append", default=[], type=Path, help="folder with images of the same kind")
    parser.add_argument("--side", type=int, default=128, help="pixels")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--run", type=Path, help="run folder (default: var/runs/MODEL-features-TIME)")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    recipe = RECIPES[given.model]
    phase = dataclasses.replace(recipe.phases[0], side=given.side, epochs=given.epochs, learning_rate=RATE)
    run = given.run or Path("var/runs") / f"{given.model}-features-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    films = [
        *read_split(given.data, "train", recipe.classes).films,
        *(frame(plane) for place in given.more for plane in read_others(place, MOST)),
    ]
    pretrain(dataclasses.replace(recipe, phases=(phase,)), np.stack(films), run, given.seed)


def pretrain(recipe: Recipe, films: Films, run: Path, seed: int = 1) -> Path:
    """Runs the one phase of the recipe on framed films (n, 224, 224); returns the run folder. Raises ValueError for
    fewer than BATCH."""
    if len(films) < BATCH:
        raise ValueError(f"Expected at least {BATCH} images, which are told from each other. Received: {len(films)}")
    run.mkdir(parents=True, exist_ok=True)
    (phase,) = recipe.phases
    record(run, dataclasses.asdict(recipe) | {"films": len(films), "seed": seed, "temperature": TEMPERATURE})
    keras.utils.set_random_seed(seed)
    network = untrained(recipe)
    step = Contrast(network, recipe.weight_decay)
    steps, done = phase.epochs * (len(films) // BATCH), 0
    with (run / "history.csv").open("w", newline="", encoding="utf-8") as lines:
        history = csv.writer(lines)
        history.writerow(("epoch", "loss", "seconds"))
        for epoch in range(phase.epochs):
            began, losses = time.monotonic(), []
            said = tqdm(
                pairs(films, phase, seed, epoch), total=len(films) // BATCH, desc=f"epoch {epoch + 1}", mininterval=5
            )
            for one, other in said:
                losses.append(step(one, other, learning_rate(recipe, phase, done, steps)))
                done += 1
            history.writerow((epoch + 1, round(float(np.mean(losses)), 5), round(time.monotonic() - began, 1)))
            lines.flush()
    weights = {weight.path: weight.numpy() for weight in network.weights}
    np.savez(run / "weights.npz", **weights)
    return run


class Contrast:
    """A network and the units that compare its features."""

    def __init__(self, network: keras.Model, weight_decay: float) -> None:
        width = network.output["features"].shape[-1]
        self.network = network
        self.compare = keras.Sequential(
            [keras.Input((width,)), keras.layers.Dense(PROJECTED[0], "relu"), keras.layers.Dense(PROJECTED[1])]
        )
        self.optimizer = keras.optimizers.AdamW(RATE, weight_decay=weight_decay, global_clipnorm=5.0)
        self.optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
        self._variables: list[keras.Variable] = []
        self._step = tf.function(self._one_step)

    def __call__(self, one: Pixels, other: Pixels, rate: float) -> float:
        """Learns from two variations of the same films, each (B, side, side, 1), and returns the loss."""
        both = tf.constant(np.concatenate([one, other]))
        if not self._variables:
            self._variables = self._reached(both)
            self.optimizer.build(self._variables)
        self.optimizer.learning_rate = rate
        return float(self._step(both))

    def _one_step(self, both: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = self._loss(both)
        self.optimizer.apply(tape.gradient(loss, self._variables), self._variables)
        return loss

    def _loss(self, both: tf.Tensor) -> tf.Tensor:
        features = ops.cast(self.network(both, training=True)["features"], "float32")
        return contrastive_loss(ops.cast(self.compare(features), "float32"))

    def _reached(self, both: tf.Tensor) -> list[keras.Variable]:
        """Returns what the features depend on: all but the last layers."""
        every = self.network.trainable_variables + self.compare.trainable_variables
        with tf.GradientTape() as tape:
            loss = self._loss(both[:4])
        found = tape.gradient(loss, [each.value for each in every])
        return [each for each, gradient in zip(every, found, strict=True) if gradient is not None]


def contrastive_loss(projected: tf.Tensor) -> tf.Tensor:
    """Returns how far each of (2 B, n) is from telling its other half, B rows on, from all the rest: the mean cross
    entropy over their cosines, divided by TEMPERATURE (NT-Xent, equation 1 of the paper)."""
    units = ops.normalize(projected, axis=1)
    count = ops.shape(units)[0]
    alike = ops.matmul(units, ops.transpose(units)) / TEMPERATURE - 1e9 * ops.eye(count)  # itself is no candidate
    half = ops.roll(ops.arange(count), count // 2)
    return ops.mean(ops.sparse_categorical_crossentropy(half, alike, from_logits=True))


def pairs(films: Films, phase: Phase, seed: int, epoch: int) -> Iterator[tuple[Pixels, Pixels]]:
    """Yields one shuffled epoch of batches, each film in two variations; the same (seed, epoch) gives the same."""

    def variation(pick: Pick, which: int) -> Pixels:
        rngs = (np.random.default_rng((seed, epoch, int(index), which)) for index in pick)
        return np.stack([varied(films[index], phase, rng) for index, rng in zip(pick, rngs, strict=True)])

    return made_ahead(lambda pick: (variation(pick, 0), variation(pick, 1)), picks(len(films), BATCH, seed, epoch))


if __name__ == "__main__":
    main()
