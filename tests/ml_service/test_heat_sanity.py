"""Does the heat depend on what was learnt, and does it point at what the answer rests on?

Randomisation: Adebayo et al. 2018 (https://arxiv.org/abs/1810.03292). Deletion: Petsiuk et al. 2018
(https://arxiv.org/abs/1806.07421). On the golden films and on the films that the page offers to try.
"""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ml_service import architectures
from ml_service.manifest import WEIGHTS
from ml_service.served import Served
from ml_service.settings import SHIPPED
from ml_service.tasks.decode import grey_plane
from ml_service.weights import load_into

SAMPLES = Path(__file__).parents[2] / "ui_service" / "static" / "samples"
FILMS = sorted([*(SHIPPED / "pneumonia" / "1" / "golden").glob("*.jpg"), *SAMPLES.glob("*.jpg")])
Floats = NDArray[np.float32]


@pytest.fixture(scope="module")
def films(shipped: Served) -> Floats:
    """Prepared, (n, side, side, 1)."""
    side = shipped.manifest.side
    return np.stack([shipped.task.prepare(grey_plane(path.read_bytes()), side) for path in FILMS])


def rank_correlations(these: Floats, those: Floats) -> Floats:
    """Returns Spearman's coefficient of each pair of maps: (n, h, w, 1), twice -> (n,)"""
    ranks = [maps.reshape(len(maps), -1).argsort(axis=1).argsort(axis=1) for maps in (these, those)]
    return np.array([np.corrcoef(one, other)[0, 1] for one, other in zip(*ranks, strict=True)], np.float32)


@pytest.mark.parametrize(
    ("shuffled", "at_most"),
    [(("heat", "stage4"), 0.45), (("heat", "stage4", "stage3", "stage2", "stage1", "stem"), 0.35)],
    ids=["last stage", "every stage"],
)
def test_a_network_that_forgot_shows_another_map(
    shipped: Served, films: Floats, shuffled: tuple[str, ...], at_most: float
) -> None:
    """From the last layer back, as in the paper. The last layer alone is not enough to change the places: it only
    weighs maps that the earlier ones found."""
    heat = shipped.network(films).heat
    manifest = shipped.manifest
    forgetful = architectures.build(manifest.architecture, manifest.params)
    found = []
    for seed in range(5):
        load_into(forgetful, shipped.folder / WEIGHTS)
        rng = np.random.default_rng(seed)
        for weight in forgetful.weights:
            if weight.path.startswith(shuffled):
                weight.assign(rng.permutation(weight.numpy().ravel()).reshape(weight.shape))
        found.append(rank_correlations(forgetful(films, training=False)["heat"].numpy(), heat))
    assert np.mean(np.abs(found)) < at_most
    assert abs(np.mean(found)) < 0.2


@pytest.mark.parametrize("film", range(len(FILMS)), ids=[path.stem for path in FILMS])
def test_the_answer_rests_on_hot_places(shipped: Served, films: Floats, film: int) -> None:
    """Greying cells, the hottest for the answer first, takes the logit down faster than at random; the coldest first,
    slower."""
    seen = shipped.network(films[film : film + 1])
    side = 1.0 if seen.logits[0, 0] > 0 else -1.0  # heat below zero speaks for the negative answer
    heat = side * seen.heat[0, :, :, 0].ravel()
    rng = np.random.default_rng(0)
    chance = [curve(shipped, films[film], rng.permutation(heat.size), side) for _ in range(8)]
    hot, cold = (
        curve(shipped, films[film], np.argsort(-heat), side),
        curve(shipped, films[film], np.argsort(heat), side),
    )
    assert hot < np.mean(chance) < cold


def curve(shipped: Served, film: Floats, order: "NDArray[np.intp]", side: float) -> float:
    """Returns the mean logit for the answer while the first half of the cells in `order` are greyed, one more a step.

    Not all of them: a film that is mostly grey is no film, and its logit says nothing.
    """
    across = round(len(order) ** 0.5)
    size = film.shape[0] // across
    steps = [film.copy()]
    for cell in order[: len(order) // 2]:
        row, column = divmod(int(cell), across)
        steps.append(steps[-1].copy())
        steps[-1][row * size : (row + 1) * size, column * size : (column + 1) * size] = 0  # the equalised film's middle
    return float(np.mean(side * shipped.network(np.stack(steps)).logits[:, 0]))
