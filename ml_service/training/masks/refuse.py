"""What a mask model refuses: fitted on its own films and on films of others, which lend no masks but many looks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml_service.engines import Network
from ml_service.manifest import Typical
from ml_service.measures import Floats
from ml_service.refusal import Refusal
from ml_service.tasks import lung_field
from ml_service.tasks.decode import Grey, grey_plane
from ml_service.tasks.film import Pixels
from ml_service.training.bar import FOREIGN, GOOD, NOISE
from ml_service.training.datasets import read_rows
from ml_service.training.fit import REFUSED, appearance, spans, typical_features
from ml_service.training.judge import BATCH, run

FOLDS = 5
MOST = 400  # films of others, so that they do not outvote the model's own


@dataclass(frozen=True)
class Films:
    """Films with masks (`own`) and without (`others`): no mask is needed to say what a film looks like."""

    own: list[Grey]
    others: list[Grey]


def others(data: Path, split: str) -> list[Grey]:
    """Returns up to MOST films of one split of a data folder, spread evenly."""
    rows = [row for row in read_rows(data) if row.split == split]
    return [grey_plane((data / row.path).read_bytes()) for row in rows[:: max(1, len(rows) // MOST)][:MOST]]


def prepared(planes: Sequence[Grey], side: int) -> Pixels:
    """Returns films as served, (n, side, side, 1)."""
    return np.stack([lung_field.prepare(plane, side) for plane in planes])


def fitted(network: Network, train: Films, held_out: Films, patients: Sequence[str]) -> tuple[Refusal, Typical]:
    """Returns how strange a film is: its features' distance to the mean of either kind of film, and its looks.

    The limit lets pass 98 % of the films with masks and 99 % of the others. Held-out films with masks are too few to
    say how much such films differ, so each film of `train.own` is scored too, by a fit to the other `patients`.
    """
    planes = [*train.own, *train.others]
    pixels = prepared(planes, network.side)
    features = run(network, pixels)[1]
    own = np.arange(len(planes)) < len(train.own)
    whole = _fit(planes, features, own, network.side)
    mine, theirs = (_measures(whole, network, films) for films in (held_out.own, held_out.others))
    for fold in _folds(patients):
        kept = np.pad(~fold, (0, len(train.others)), constant_values=True)
        part = _fit([p for p, keep in zip(planes, kept, strict=True) if keep], features[kept], own[kept], network.side)
        mine = np.concatenate([mine, part.measures(features[~kept], pixels[~kept])])
    reach = spans(np.concatenate([mine, theirs]))
    refusal = Refusal(whole.typical, whole.appearance, reach)
    limits = [np.quantile(refusal.scaled(mine), 1 - GOOD), np.quantile(refusal.scaled(theirs), REFUSED)]
    return refusal, Typical(threshold=round(float(np.max(limits)), 4), nearest="class mean", spans=reach)


def _measures(refusal: Refusal, network: Network, planes: Sequence[Grey]) -> Floats:
    pixels = prepared(planes, network.side)
    return refusal.measures(run(network, pixels)[1], pixels)


def _fit(planes: Sequence[Grey], features: Floats, own: NDArray[np.bool_], side: int) -> Refusal:
    kinds = np.where(own, 0, 1).astype(np.int64)
    return Refusal(typical_features(features, kinds), appearance(planes, lung_field, side))


def _folds(patients: Sequence[str]) -> list[NDArray[np.bool_]]:
    """Returns up to FOLDS masks over films, (n,), that leave out whole patients."""
    names = sorted(set(patients))
    return [np.isin(patients, names[number::FOLDS]) for number in range(min(FOLDS, len(names)))]


def refused(network: Network, refusal: Refusal, limit: float, planes: Sequence[Grey]) -> dict[str, Any]:
    """Returns how many of the images get no answer."""
    shares: list[bool] = []
    for at in range(0, len(planes), BATCH):
        pixels = prepared(planes[at : at + BATCH], network.side)
        shares.extend(~(refusal.score(run(network, pixels)[1], pixels) <= limit))
    return {"n": len(planes), "refused_share": round(float(np.mean(shares)), 4)}


def shortfalls(good: Mapping[str, Any], foreign: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Returns each set of `foreign` images that is not refused as often as ml_service/training/bar.py wants, and the
    held-out films with masks where too many of those are refused."""
    least = {name: NOISE if name == "noise" else FOREIGN for name in foreign}
    missed: dict[str, Any] = {
        name: {"refused": found["refused_share"], "at_least": least[name]}
        for name, found in foreign.items()
        if found["refused_share"] < least[name]
    }
    if good["refused_share"] > GOOD:
        missed["good images (validation)"] = {"refused": good["refused_share"], "at_most": GOOD}
    return missed
