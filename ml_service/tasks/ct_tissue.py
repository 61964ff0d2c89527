"""Air, lung, fat, soft tissue and bone in a CT, by published Hounsfield ranges and by what hangs together. No network.

Outside the body is background, the table too. Pieces of gas are followed through the slices: what is large and not
empty is lung, what is small or empty (windpipe, bowel, sinuses) is air.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ml_service.label_maps import LabelMap, Outlined, measured
from ml_service.manifest import Rules
from ml_service.tasks.ct_slice import BONE, Cut, cut
from ml_service.tasks.verdict import Verdict, turned_away
from ml_service.volume import Volume, read, written
from portal_wire.contract import SEGMENTED, Notice

LABELS = ("air", "lung", "fat", "soft_tissue", "bone")
NEGATIVE_LABEL = None
AIR, LUNG = 1, 2
LUNG_ML = 20.0  # a piece of gas that is smaller in all its slices together is no lung
STEP = 16  # slices
SAMPLE = 4  # every so many values are looked at to tell whether this is a CT
NOT_CT = Notice(
    code="not_a_ct",
    detail="This does not look like a CT in Hounsfield units: there is no air or fat at their levels, or no tissue.",
)

MUCH_BONE = 0.12  # of the body; without contrast agent a trunk has about half of that
DENSE = Notice(
    code="much_bone",
    detail="More than usual is as dense as bone. Contrast agent and metal count as bone here; in a head, bone is much.",
)

__all__ = ["LABELS", "NEGATIVE_LABEL", "outline", "read", "steps"]


class Pieces(NamedTuple):
    """Every slice's pieces of gas, one after the other: (n,) each."""

    pixels: NDArray[np.int64]
    hu: NDArray[np.float64]
    inner: NDArray[np.int64]
    light: NDArray[np.int64]
    open: NDArray[np.bool_]
    links: NDArray[np.int64]  # (m, 2): pieces of neighbouring slices that touch


def steps(volume: Volume) -> int:
    """Returns how often `outline` says that it has got on."""
    return -(-int(volume.values.shape[volume.long_axis]) // STEP) + 1


def outline(volume: Volume, manifest: Rules, step: Callable[[], None]) -> tuple[Verdict, Outlined | None]:
    """Returns the verdict on a volume and, when it is a CT, its tissues. `step` is called as it gets on."""
    if not in_hounsfield_units(volume):
        return turned_away(1.0, [NOT_CT]), None
    labels, counts, sums = segmented(volume, step)
    rows = [
        measured(
            label,
            index,
            int(counts[index]) / labels.size,
            voxels=int(counts[index]),
            volume_ml=round(int(counts[index]) * volume.voxel_ml, 2),
            mean_hu=round(float(sums[index] / counts[index]), 1) if counts[index] else None,
        )
        for index, label in enumerate(manifest.labels, start=1)
    ]
    step()
    much = counts[BONE] > MUCH_BONE * counts[AIR:].sum()
    verdict = Verdict(SEGMENTED, [], in_distribution=True, ood_score=0.0, warnings=[DENSE] if much else [])
    return verdict, Outlined(partial(written, labels, volume), rows, [])


def in_hounsfield_units(volume: Volume) -> bool:
    """True when some values are those of air or lung and some those of tissue: an MR has none below 0."""
    some = volume.values[::SAMPLE, ::SAMPLE, ::SAMPLE].astype(np.float32)
    hu = some * np.float32(volume.slope) + np.float32(volume.inter)
    return bool((hu < -200).mean() > 0.001 and ((hu > -200) & (hu < 200)).mean() > 0.01)


def segmented(volume: Volume, step: Callable[[], None]) -> tuple[LabelMap, NDArray[np.int64], NDArray[np.float64]]:
    """Returns the label map, as `volume.values`, and each number's voxels and summed levels, (6,) both."""
    axis = volume.long_axis
    across = [mm for number, mm in enumerate(volume.spacing_mm) if number != axis]
    labels = np.zeros(volume.values.shape, np.uint8)
    gas = np.zeros(volume.values.shape, np.uint16)
    planes, spots = np.moveaxis(labels, axis, 0), np.moveaxis(gas, axis, 0)
    counts, sums = np.zeros(len(LABELS) + 1, np.int64), np.zeros(len(LABELS) + 1)
    cuts: list[Cut] = []
    links: list[NDArray[np.int64]] = []
    first = 0  # number of the slice's first piece among all
    for at in range(len(planes)):
        hu = volume.levels(at, axis)
        found = cut(hu, sum(across) / 2)
        planes[at], spots[at] = found.tissue, found.gas
        counts += np.bincount(found.tissue.ravel(), minlength=len(counts))
        sums += np.bincount(found.tissue.ravel(), hu.ravel(), len(counts))
        if cuts:
            offsets = np.array([first - len(cuts[-1].pixels), first], np.int64)
            links.append(_links(spots[at - 1], found.gas) + offsets)
        first += len(found.pixels)
        cuts.append(found._replace(tissue=found.tissue[:0], gas=found.gas[:0]))  # only the pieces' numbers are kept
        if (at + 1) % STEP == 0 or at + 1 == len(planes):
            step()
    pieces = Pieces(
        pixels=np.concatenate([part.pixels for part in cuts]),
        hu=np.concatenate([part.hu for part in cuts]),
        inner=np.concatenate([part.inner for part in cuts]),
        light=np.concatenate([part.light for part in cuts]),
        open=np.concatenate([part.open for part in cuts]),
        links=np.concatenate([np.zeros((0, 2), np.int64), *links]),
    )
    kinds = _kinds(pieces, volume.voxel_ml)
    first = 0
    for plane, spot, part in zip(planes, spots, cuts, strict=True):
        own = kinds[first : first + len(part.pixels)]
        if len(own):
            plane |= np.concatenate([np.zeros(1, np.uint8), own])[spot]
        first += len(part.pixels)
    for kind in (AIR, LUNG):
        counts[kind], sums[kind] = pieces.pixels[kinds == kind].sum(), pieces.hu[kinds == kind].sum()
    return labels, counts, sums


def _links(below: NDArray[np.uint16], above: NDArray[np.uint16]) -> NDArray[np.int64]:
    """Returns which pieces of two neighbouring slices lie on each other, from 0: (m, 2)."""
    both = (below > 0) & (above > 0)
    pairs = np.unique(below[both].astype(np.int64) << 16 | above[both])
    return np.stack([pairs >> 16, pairs & 0xFFFF], axis=1) - 1


def _kinds(pieces: Pieces, voxel_ml: float) -> NDArray[np.uint8]:
    """Returns AIR or LUNG for each piece, 0 for one that is neither."""
    count = len(pieces.pixels)
    if not count:
        return np.zeros(0, np.uint8)
    graph = coo_array((np.ones(len(pieces.links), np.int8), pieces.links.T), (count, count))
    _, whole = connected_components(graph, directed=False)
    heavy = np.bincount(whole, pieces.inner) > 2 * np.bincount(whole, pieces.light)
    lungs = heavy & (np.bincount(whole, pieces.pixels) * voxel_ml >= LUNG_ML)
    airway = 2 * pieces.light > pieces.inner  # in this slice: the windpipe hangs together with the lungs
    return np.select([lungs[whole] & ~airway, ~pieces.open], [LUNG, AIR], 0).astype(np.uint8)
