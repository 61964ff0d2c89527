"""Does the heat depend on what was learnt, and does it point at what the answer rests on?

Randomisation: Adebayo et al. 2018 (https://arxiv.org/abs/1810.03292). Deletion: Petsiuk et al. 2018
(https://arxiv.org/abs/1806.07421). On the golden films and on the films that the page offers to try; of every network
that ships, by its newest version. No slice of a brain may be shipped: their networks forget on two drawings here, and
what deletion on real slices showed is on their cards.

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
from ml_service.training.heat import correlations, deletion, rank_correlations
from ml_service.weights import load_into

SAMPLES = Path(__file__).parents[2] / "ui_service" / "static" / "samples"
_FOLDERS = sorted(
    (path.parent for task in ("pneumonia", "brain-tumour") for path in SHIPPED.glob(f"{task}*/*/{manifests.FILE}")),
    key=lambda folder: int(folder.name),
)
NEWEST = {folder.parent.name: folder for folder in _FOLDERS}
FOR_FILMS = {name: folder for name, folder in NEWEST.items() if name.startswith("pneumonia")}
FILMS = sorted([*(SHIPPED / "pneumonia" / "1" / "golden").glob("*.jpg"), *SAMPLES.glob("*.jpg")])
DRAWINGS = sorted((SHIPPED / "brain-tumour" / "2" / "golden").glob("drawn-*.png"))
Floats = NDArray[np.float32]


@pytest.fixture(scope="module")
def films(shipped: Served) -> Floats:
    """Prepared, (n, side, side, 1)."""
    side = shipped.manifest.side
    return np.stack([shipped.task.prepare(grey_plane(path.read_bytes()), side) for path in FILMS])


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
        found.append(rank_correlations(np.asarray(forgetful(films, training=False)["heat"]), heat))
    assert np.mean(np.abs(found)) < at_most
    assert abs(np.mean(found)) < 0.2


@pytest.mark.parametrize("film", range(len(FILMS)), ids=[path.stem for path in FILMS])
def test_the_answer_rests_on_hot_places(shipped: Served, films: Floats, film: int) -> None:
    """Greying cells, the hottest for the answer first, takes the logit down faster than at random; the coldest first,
    slower."""
    hottest, chance, coldest = deletion(shipped.network, films[film]).mean(axis=1)
    assert hottest < chance < coldest


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
    paths = DRAWINGS if served.manifest.task == "brain-tumour" else FILMS
    return np.stack([served.task.prepare(grey_plane(path.read_bytes()), side) for path in paths])


def test_without_what_was_learnt_every_architecture_shows_another_map(each: Served) -> None:
    found = correlations(each.network, each.manifest, each.folder, prepared(each), shuffles=5)
    assert abs(np.mean(found)) < 0.25


@pytest.mark.parametrize("each", FOR_FILMS.values(), ids=FOR_FILMS, indirect=True)
def test_every_architectures_answer_rests_on_hot_places(each: Served) -> None:
    """On the mean over films: single ones of a weak network may go the other way."""
    found = [deletion(each.network, film).mean(axis=1) for film in prepared(each)]
    hottest, chance, coldest = np.mean(found, axis=0)
    assert hottest < chance < coldest
