"""Augmented batches, made in threads while the network works (OpenCV and NumPy let go of the interpreter)."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from ml_service.tasks.decode import Grey
from ml_service.tasks.film import Pixels
from ml_service.training.augment import augmented, varied
from ml_service.training.datasets import Split
from ml_service.training.matching import histogram, matched
from ml_service.training.recipes import Phase

AHEAD = 6  # batches in the making
BLEND = 0.3  # of the Beta(BLEND, BLEND) that mixes two films: mostly one of them
Pick = NDArray[np.int64]
Made = TypeVar("Made")


class Batch(NamedTuple):
    """Films (B, side, side, 1) and how much of each class they are, (B, classes), rows adding up to 1."""

    films: Pixels
    targets: NDArray[np.float32]


def epoch_batches(data: Split, phase: Phase, size: int, seed: int, epoch: int) -> Iterator[Batch]:
    """Yields one shuffled epoch; the same (seed, epoch) gives the same batches. A last part batch is dropped."""
    return made_ahead(lambda pick: _batch(data, pick, phase, (seed, epoch)), picks(len(data), size, seed, epoch))


def picks(count: int, size: int, seed: int, epoch: int) -> list[Pick]:
    """Returns the numbers of each batch of one shuffled epoch, without a last part batch."""
    order = np.random.default_rng((seed, epoch)).permutation(count)
    return [order[at : at + size] for at in range(0, count - size + 1, size)]


def made_ahead(make: Callable[[Pick], Made], picks: Sequence[Pick]) -> Iterator[Made]:
    """Yields what `make` makes of each pick, in their order; the next AHEAD are in the making."""
    with ThreadPoolExecutor(2) as pool:
        waiting: deque[Future[Made]] = deque()
        for pick in picks:
            waiting.append(pool.submit(make, pick))
            if len(waiting) > AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def augmented_films(data: Split, phase: Phase, seed: int) -> Pixels:
    """Returns one random variant of every film, (n, side, side, 1): the validation set that the operating
    point is fitted on. Of the phase it has side, erase and stretch; strength is whole and no bands are flattened."""
    hard = replace(phase, bands=0.0, strength=1.0)
    rngs = (np.random.default_rng((seed, index)) for index in range(len(data)))
    return np.stack([augmented(film, hard, rng) for film, rng in zip(data.films, rngs, strict=True)])


def _batch(data: Split, pick: Pick, phase: Phase, seed: tuple[int, int]) -> Batch:
    rngs = [np.random.default_rng((*seed, int(index))) for index in pick]
    films = np.stack([varied(_film(data, i, phase, rng), phase, rng) for i, rng in zip(pick, rngs, strict=True)])
    targets = np.eye(len(data.names), dtype=np.float32)[data.classes[pick]]
    if rngs[0].random() < phase.mixup:
        share = np.float32(rngs[0].beta(BLEND, BLEND))
        films = share * films + (1 - share) * films[::-1]  # the order is random, so the last is as good as any
        targets = share * targets + (1 - share) * targets[::-1]
    return Batch(films, targets)


def _film(data: Split, index: int, phase: Phase, rng: np.random.Generator) -> Grey:
    """Returns a film, or with probability `phase.matching` one with the grey levels of one to eight others: which
    levels there are, and how much of the image is black, goes with the source of an image and so with its class."""
    film: Grey = data.films[index]
    if phase.matching == 0 or rng.random() >= phase.matching:
        return film
    others = data.films[rng.integers(0, len(data), rng.integers(1, 9))]
    return matched(film, histogram(others))
