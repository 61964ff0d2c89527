"""Does the heat depend on what was learnt, and does it point at what the answer rests on?

Randomisation: Adebayo et al. 2018 (https://arxiv.org/abs/1810.03292). Deletion: Petsiuk et al. 2018
(https://arxiv.org/abs/1806.07421). On the golden films and on the films that the page offers to try; of every network
that ships, by its newest version for films (no slice of a brain may be shipped).

The golden films are of validation; the films to try are three of the collection's test split (SHA-256 as there; said in
ui_service/static/samples/ATTRIBUTION.md). So these tests look at test films, whoever changes a network until they pass
with them. No label of theirs is used: a network is compared with itself.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ml_service import architectures
from ml_service import manifest as manifests
from ml_service.checks import open_version
from ml_service.manifest import WEIGHTS
from ml_service.served import Served
from ml_service.settings import SHIPPED, Settings
from ml_service.tasks.decode import grey_plane
from ml_service.weights import load_into

SAMPLES = Path(__file__).parents[2] / "ui_service" / "static" / "samples"
_FOLDERS = sorted((path.parent for path in SHIPPED.glob(f"pneumonia*/*/{manifests.FILE}")), key=lambda f: int(f.name))
NEWEST = {folder.parent.name: folder for folder in _FOLDERS}
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


@pytest.fixture(scope="module", params=NEWEST.values(), ids=NEWEST)
def each(request: pytest.FixtureRequest) -> Iterator[Served]:
    """The newest version of each architecture."""
    served = open_version(request.param, Settings(service_token=None))
    yield served
    served.close()


def test_every_architecture_that_ships_is_looked_at() -> None:
    shipped = {manifests.read(folder).architecture for folder in NEWEST.values()}
    assert shipped == {"house", "resnet50", "vgg16_bn", "cnn4", "cnn_attention", "attention"}


def prepared(served: Served) -> Floats:
    side = served.manifest.side
    return np.stack([served.task.prepare(grey_plane(path.read_bytes()), side) for path in FILMS])


def test_without_what_was_learnt_every_architecture_shows_another_map(each: Served) -> None:
    pixels = prepared(each)
    heat = each.network(pixels).heat
    forgetful = architectures.build(each.manifest.architecture, each.manifest.params)
    found = []
    for seed in range(5):
        load_into(forgetful, each.folder / WEIGHTS)
        rng = np.random.default_rng(seed)
        for weight in forgetful.weights:
            weight.assign(rng.permutation(weight.numpy().ravel()).reshape(weight.shape))
        found.append(rank_correlations(np.asarray(forgetful(pixels, training=False)["heat"]), heat))
    assert abs(np.mean(found)) < 0.25


def test_every_architectures_answer_rests_on_hot_places(each: Served, request: pytest.FixtureRequest) -> None:
    """On the mean over films: single ones of a weak network may go the other way."""
    if each.manifest.architecture == "vgg16_bn":
        reason = "its hot places take the answer down no faster than others do"
        request.applymarker(pytest.mark.xfail(strict=True, reason=reason))
    pixels = prepared(each)
    seen = each.network(pixels)
    found = []
    for film, logits, heat in zip(pixels, seen.logits, seen.heat, strict=True):
        side = 1.0 if logits[0] > 0 else -1.0
        hot = side * heat[:, :, 0]
        rng = np.random.default_rng(0)
        orders = [np.argsort(-hot.ravel()), *(rng.permutation(hot.size) for _ in range(4)), np.argsort(hot.ravel())]
        first, *chance, last = (curve(each, film, order, side, hot.shape) for order in orders)
        found.append((first, np.mean(chance), last))
    hottest, chance, coldest = np.mean(found, axis=0)
    assert hottest < chance < coldest


def curve(
    served: Served, film: Floats, order: "NDArray[np.intp]", side: float, shape: tuple[int, ...] | None = None
) -> float:
    """Returns the mean logit for the answer while the first half of the cells in `order` are greyed, in at most 24
    steps. The cells are those of a heat map of `shape`, a square one if that is not given.

    Not all of them: a film that is mostly grey is no film, and its logit says nothing.
    """
    height, width = shape or (round(len(order) ** 0.5),) * 2
    size, half = film.shape[0], len(order) // 2
    steps = [film.copy()]
    for cells in np.array_split(order[:half], min(24, half)):
        steps.append(steps[-1].copy())
        for cell in cells:
            row, column = divmod(int(cell), width)
            rows = slice(row * size // height, max(row * size // height + 1, (row + 1) * size // height))
            columns = slice(column * size // width, (column + 1) * size // width)
            steps[-1][rows, columns] = 0  # the equalised film's middle
    return float(np.mean(side * served.network(np.stack(steps)).logits[:, 0]))
