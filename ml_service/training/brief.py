"""A training that takes minutes: one small size, few steps. Its scores are lower than a model's; they compare."""

import dataclasses
from collections.abc import Iterator
from itertools import count, islice

import keras
from tqdm import tqdm

from ml_service.training.batches import Batch, epoch_batches
from ml_service.training.datasets import Split
from ml_service.training.loop import Learner
from ml_service.training.recipes import Phase, Recipe
from ml_service.training.train import balance, learning_rate, untrained

SIDE, EPOCHS, RATE = 96, 6, 1.5e-3  # pixels; of all images: a share of them gets as many steps
EMA = 0.997  # a longer memory would still hold the beginning


def shortened(recipe: Recipe) -> Recipe:
    """Returns the recipe with one phase: its last, at SIDE, for EPOCHS."""
    phase = dataclasses.replace(recipe.phases[-1], side=SIDE, epochs=EPOCHS, learning_rate=RATE)
    return dataclasses.replace(recipe, phases=(phase,), ema=min(recipe.ema, EMA))


def learnt(recipe: Recipe, films: Split, steps: int, seed: int) -> Learner:
    """Trains a shortened recipe from nothing, as many `steps` whatever the number of films."""
    (phase,) = recipe.phases
    keras.utils.set_random_seed(seed)
    learner = Learner(untrained(recipe), recipe, balance(films))
    said = tqdm(_endless(films, phase, recipe.batch, seed), total=steps, desc=f"{len(films)} images", mininterval=5)
    for step, batch in enumerate(islice(said, steps)):
        learner.step(batch, learning_rate(recipe, phase, step, steps))
    return learner


def _endless(films: Split, phase: Phase, batch: int, seed: int) -> Iterator[Batch]:
    for epoch in count():
        yield from epoch_batches(films, phase, min(batch, len(films)), seed, epoch)
