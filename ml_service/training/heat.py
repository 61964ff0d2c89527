"""`python -m ml_service.training.heat --version FOLDER --data DIR`: does the heat show what the answer rests on?

Two checks on validation images. Deletion (Petsiuk et al. 2018, https://arxiv.org/abs/1806.07421): greying the hottest
cells first must take the answer down faster than at random, the coldest first slower. Randomisation (Adebayo et al.
2018, https://arxiv.org/abs/1810.03292): with shuffled weights the map must be another. Adds the result to the version's
metrics.json, plots and card. The test split is not read.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml_service import architectures
from ml_service import manifest as manifests
from ml_service.engines import Outputs
from ml_service.manifest import WEIGHTS, Manifest
from ml_service.measures import Floats
from ml_service.tasks.film import Pixels
from ml_service.training import card, opening
from ml_service.training.datasets import read_split
from ml_service.training.judge import Judge
from ml_service.training.plots import draw_deletion
from ml_service.weights import load_into

IMAGES, CHANCES, SHUFFLES, STEPS = 48, 3, 3, 16
DRAWS = 2000
ORDERS = ("hottest", "random", "coldest")
KEY, PLOT = "heat", "deletion.png"
Order = NDArray[np.intp]
Look = Callable[[Pixels], Outputs]


def main() -> None:
    """Reads the command line, measures, and seals the version's folder again."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--version", required=True, type=Path, metavar="FOLDER", help="a version's folder")
    parser.add_argument("--data", required=True, type=Path, help="folder with labels.csv and the images")
    given = parser.parse_args()
    folder = given.version
    judge, labels = opening.version(folder)
    films = read_split(given.data, "val", labels).films
    chosen = np.random.default_rng(0).permutation(len(films))[:IMAGES]
    found = measured(judge, judge.prepared([films[index] for index in chosen]), folder)
    path = folder / manifests.METRICS
    metrics = json.loads(path.read_text(encoding="utf-8")) | {KEY: found}
    path.write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    draw_deletion(folder / manifests.PLOTS / PLOT, found["deletion"])
    card.rewrite(folder)


def measured(judge: Judge, pixels: Pixels, folder: Path) -> dict[str, Any]:
    """Returns what metrics.json says of prepared images (n, side, side, 1): `deletion`, the mean log-odds of the answer
    before and after each step by order; `gap`, by how much the mean of the hottest's is below that at random, with a
    95 % interval of a bootstrap over images; `correlation`, the mean one of the maps' ranks with those of shuffled
    weights, without its sign."""
    curves = np.array([deletion(judge.network, film) for film in pixels])  # (n, orders, steps + 1)
    falls = (curves[:, 1] - curves[:, 0]).mean(axis=1)
    draws = np.random.default_rng(0).choice(falls, (DRAWS, len(falls))).mean(axis=1)
    low, high = np.percentile(draws, [2.5, 97.5])
    correlation = abs(float(np.mean(correlations(judge.network, judge.manifest, folder, pixels, SHUFFLES))))
    return {
        "n": len(pixels),
        "deletion": {name: curves[:, at].mean(axis=0).round(3).tolist() for at, name in enumerate(ORDERS)},
        "gap": {"value": round(float(falls.mean()), 3), "low": round(float(low), 3), "high": round(float(high), 3)},
        "better_than_random": round(float((falls > 0).mean()), 3),
        "correlation": round(correlation, 3),
    }


def deletion(network: Look, film: Floats) -> Floats:
    """Returns (orders, steps + 1): the answer's log-odds as cells are greyed, hottest, at random, coldest first."""
    seen = network(film[np.newaxis])
    heat, answer = heat_of_answer(seen.logits[0], seen.heat[0])
    rng = np.random.default_rng(0)
    ways = [np.argsort(-heat.ravel()), *(rng.permutation(heat.size) for _ in range(CHANCES)), np.argsort(heat.ravel())]
    hottest, *chance, coldest = (curve(network, film, order, heat.shape, answer) for order in ways)
    return np.array([hottest, np.mean(chance, axis=0), coldest], np.float32)


def heat_of_answer(logits: Floats, heat: Floats) -> tuple[Floats, int]:
    """Returns the map (height, width) of what speaks for the answer, and its class. Of two classes one map is made:
    below zero it speaks for the negative answer."""
    if len(logits) == 1:
        return (heat[:, :, 0], 1) if logits[0] > 0 else (-heat[:, :, 0], 0)
    answer = int(logits.argmax())
    return heat[:, :, answer], answer


def curve(network: Look, film: Floats, order: Order, shape: tuple[int, ...], answer: int) -> Floats:
    """Returns the log-odds of the class `answer` before and while the first half of the cells of a map of `shape` are
    greyed in `order`, in at most STEPS steps.

    Not all of them: an image that is mostly grey is none, and its logit says nothing.
    """
    (height, width), size, half = shape, film.shape[0], len(order) // 2
    steps = [film.copy()]
    for cells in np.array_split(order[:half], min(STEPS, half)):
        steps.append(steps[-1].copy())
        for cell in cells:
            row, column = divmod(int(cell), width)
            rows = slice(row * size // height, max(row * size // height + 1, (row + 1) * size // height))
            columns = slice(column * size // width, (column + 1) * size // width)
            steps[-1][rows, columns] = 0  # the equalised image's middle
    return log_odds(network(np.stack(steps)).logits, answer)


def log_odds(logits: Floats, answer: int) -> Floats:
    """Returns (n,) of logits (n, labels): of class 1 against 0 where there is one logit."""
    if logits.shape[1] == 1:
        return logits[:, 0] if answer else -logits[:, 0]
    others = np.delete(logits, answer, axis=1)
    most = others.max(axis=1, keepdims=True)
    odds: Floats = logits[:, answer] - most[:, 0] - np.log(np.exp(others - most).sum(axis=1))
    return odds


def correlations(network: Look, manifest: Manifest, folder: Path, pixels: Pixels, shuffles: int) -> Floats:
    """Returns Spearman's coefficients between the maps and those of the same network with every weight shuffled, for
    each shuffle, image and label."""
    heat = network(pixels).heat
    forgetful = architectures.build(manifest.architecture, manifest.params)
    found = []
    for seed in range(shuffles):
        load_into(forgetful, folder / WEIGHTS)
        rng = np.random.default_rng(seed)
        for weight in forgetful.weights:
            weight.assign(rng.permutation(weight.numpy().ravel()).reshape(weight.shape))
        found.append(rank_correlations(np.asarray(forgetful(pixels, training=False)["heat"]), heat))
    return np.concatenate(found)


def rank_correlations(these: Floats, those: Floats) -> Floats:
    """Returns Spearman's coefficient of each pair of maps: (n, h, w, labels), twice -> (n * labels,)"""
    ranks = [
        np.moveaxis(maps, 3, 1).reshape(len(maps) * maps.shape[3], -1).argsort(axis=1).argsort(axis=1)
        for maps in (these, those)
    ]
    return np.array([np.corrcoef(one, other)[0, 1] for one, other in zip(*ranks, strict=True)], np.float32)


if __name__ == "__main__":
    main()
