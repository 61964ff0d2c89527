"""Augmented batches, made in threads while the network works (OpenCV and NumPy let go of the interpreter)."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ml_service.tasks.film import Pixels
from ml_service.training.augment import augmented
from ml_service.training.datasets import Split
from ml_service.training.recipes import Phase

AHEAD = 6  # batches in the making


class Batch(NamedTuple):
    """Films (B, side, side, 1) and their class numbers (B)."""

    films: Pixels
    classes: NDArray[np.int64]


def epoch_batches(data: Split, phase: Phase, size: int, seed: int, epoch: int) -> Iterator[Batch]:
    """Yields one shuffled epoch; the same (seed, epoch) gives the same batches. A last part batch is dropped."""
    order = np.random.default_rng((seed, epoch)).permutation(len(data))
    picks = [order[at : at + size] for at in range(0, len(data) - size + 1, size)]
    with ThreadPoolExecutor(2) as pool:
        waiting: deque[Future[Batch]] = deque()
        for pick in picks:
            waiting.append(pool.submit(_batch, data, pick, phase, (seed, epoch)))
            if len(waiting) > AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def augmented_films(data: Split, side: int, seed: int) -> Pixels:
    """Returns one random variant of every film, (n, side, side, 1): the validation set that the operating
    point is fitted on."""
    rngs = (np.random.default_rng((seed, index)) for index in range(len(data)))
    return np.stack([augmented(film, side, rng) for film, rng in zip(data.films, rngs, strict=True)])


def _batch(data: Split, pick: NDArray[np.int64], phase: Phase, seed: tuple[int, int]) -> Batch:
    films = [augmented(data.films[i], phase.side, np.random.default_rng((*seed, int(i))), phase.bands) for i in pick]
    return Batch(np.stack(films), data.classes[pick])
