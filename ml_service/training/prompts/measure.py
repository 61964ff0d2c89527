"""Everything that metrics.json says of a version. The test patients are read here, once a release."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ml_service.prompts.boxes import Prompt
from ml_service.prompts.compact import Box, Plane
from ml_service.prompts.networks import PromptNetwork
from ml_service.prompts.studies import Study
from ml_service.tasks import box_prompt
from ml_service.training.masks.scores import dice, surface
from ml_service.training.prompts import baselines
from ml_service.training.prompts.objects import Mask, box_of, jittered, things
from ml_service.training.prompts.sources import KEPT, SCANS, Scan, Slice, volume
from ml_service.volume import read as read_volume

DRAWS = 1000
TOLERANCE = 2.0  # pixels, as the challenge's script has it
Outline = Callable[[Plane, Box], NDArray[np.bool_]]
STARTS: dict[str, baselines.Start] = {
    "GrabCut": "rectangle",
    "GrabCut, ellipse given": "ellipse",
    "GrabCut, middle given": "middle",
}
WAYS = ("network", "network, boxes as people draw", "ellipse", *STARTS, "box")


class Scored(NamedTuple):
    """One object and how well each way outlined it."""

    structure: str
    patient: str
    slice_: Slice
    mask: Mask
    box: Box
    found: NDArray[np.bool_]  # by the network, from the tight box
    dices: dict[str, float]
    near: float  # share of both outlines within TOLERANCE of the other


def outlines(network: PromptNetwork, slices: Sequence[Slice]) -> list[Scored]:
    """Returns every object of the slices, each asked for by its tight box, and by one as a person draws it."""
    rows = []
    for number, one in enumerate(slices):
        rng = np.random.default_rng((7, number))
        embedding = network.encode(one.plane)
        for thing in things(one.labels, one.names) if one.labels is not None else ():
            box, shape = box_of(thing.mask), one.plane.shape
            found, loose = network.outline(embedding, one.plane, [box, jittered(box, shape, rng)])  # type: ignore[list-item]
            truth = thing.mask > 0
            cut = [baselines.grabcut(one.plane, box, start) for start in STARTS.values()]
            masks = (found, loose, baselines.ellipse(box, shape), *cut, baselines.whole_box(box, shape))
            dices = [dice(mask, truth) for mask in masks]
            near = surface(found, truth, TOLERANCE) if dices[0] > 0.2 else 0.0
            by_way = dict(zip(WAYS, dices, strict=True))
            rows.append(Scored(thing.name, one.patient, one, thing.mask, box, found, by_way, near))
    return rows


def summary(rows: Sequence[Scored]) -> dict[str, Any]:
    """Returns, by structure and patient, each way's mean Dice, and each way's mean over those, with an interval of
    bootstraps that draw patients, then slices of each structure."""
    groups: dict[str, list[Scored]] = {}
    for row in rows:
        groups.setdefault(f"{row.structure} ({row.slice_.set})", []).append(row)
    by_structure = {
        name: {
            "objects": len(own),
            "patients": len({row.patient for row in own}),
            "surface_within_2_pixels": round(float(np.mean([row.near for row in own])), 4),
            **{way: _interval([(row.patient, row.dices[way]) for row in own]) for way in WAYS},
        }
        for name, own in groups.items()
    }
    mean = {way: _over_structures(groups, way) for way in WAYS}
    return {"objects": len(rows), "patients": len({row.patient for row in rows}), "mean": mean, "by": by_structure}


def volumes(network: PromptNetwork, data: Path, split: str) -> dict[str, Any]:
    """Returns how well a structure is followed through its volume from one box on its largest slice, by structure:
    Dice in three dimensions, and how many slices too many or too few there are at its ends; and its Dice from two
    boxes, where a quarter and three quarters of its slices lie below."""
    found: dict[str, Any] = {}
    for scan in SCANS:
        if scan.split == split:
            found |= _followed(network, data, scan)
    return found


def _followed(network: PromptNetwork, data: Path, scan: Scan) -> dict[str, Any]:
    study = Study(read_volume((data / f"{scan.image}.nii.gz").read_bytes()), scan.patient)
    numbers = volume(data, scan)[1].transpose(2, 1, 0)
    kept: dict[int, Any] = {}

    def outline(z: int, boxes: Sequence[Any]) -> list[Plane]:
        plane = study.plane(z)
        if z not in kept:
            kept[z] = network.encode(plane, study.hounsfield)
        return network.logits(kept[z], plane, boxes)

    def followed(prompts: Sequence[Prompt]) -> NDArray[np.bool_]:
        return box_prompt.drawn(study, prompts, outline, lambda: None, network.memory) > 0

    rows: dict[str, Any] = {}
    for number, name in scan.names.items():
        truth = numbers == number
        if not truth.any() or len(truth) < 6:  # of three slices nothing can be said
            continue
        areas = truth.sum(axis=(1, 2))
        middle = int(areas.argmax())
        whole = largest(truth[middle])
        if whole is None:
            continue
        box = box_of(whole)
        came = followed([_prompt(box, middle)])
        ends = np.flatnonzero(areas)[[0, -1]]
        quarter = int(ends[1] - ends[0]) // 4
        two = [(at, largest(truth[at])) for at in (int(ends[0]) + quarter, int(ends[1]) - quarter)]
        boxes = [_prompt(box_of(mask), at) for at, mask in two if mask is not None]
        from_two = round(dice(followed(boxes), truth), 4) if len(boxes) == 2 and quarter else None
        reached = np.flatnonzero(came.any(axis=(1, 2)))
        off = [int(ends[0] - reached[0]), int(reached[-1] - ends[1])] if len(reached) else None
        scores = {"dice": round(dice(came, truth), 4), "dice_from_two_boxes": from_two, "beyond": off}
        rows[f"{name} ({scan.patient})"] = {"slices": len(truth), **scores}
    return rows


def largest(mask: NDArray[np.bool_]) -> Mask | None:
    """Returns the largest piece of what one slice shows; None where nothing can be boxed."""
    pieces = [thing.mask for thing in things(mask.astype(np.uint8), {1: "piece"})]
    return max(pieces, key=lambda piece: int(piece.sum())) if pieces else None


def _prompt(box: Box, z: int) -> Prompt:
    return Prompt(tuple(float(edge) for edge in box), z, z, 1, True)  # type: ignore[arg-type]


def measure(network: PromptNetwork, slices: list[Slice], data: Path, reason: str, version: str) -> Any:
    """Returns the metrics and the test's objects."""
    test = outlines(network, [one for one in slices if one.split == "test"])
    unseen, seen = ([row for row in test if (row.structure in KEPT) == kept] for kept in (True, False))
    held_out = outlines(network, [one for one in slices if one.split == "val"])
    scores = summary(unseen)
    metrics = {
        "test": scores,
        "test_of_structures_learnt_in_others": summary(seen),
        "validation": summary(held_out),
        "through_volumes": {"test": volumes(network, data, "test"), "validation": volumes(network, data, "val")},
        "readings": [
            {
                "date": datetime.now(UTC).isoformat(timespec="seconds"),
                "version": version,
                "reason": reason,
                "dice": scores["mean"]["network"]["value"],
            }
        ],
    }
    return metrics, test


def _over_structures(groups: dict[str, list[Scored]], way: str) -> dict[str, float]:
    """The mean over structures' means, and its interval."""
    found = [_by_patient([(row.patient, row.dices[way]) for row in own]) for own in groups.values()]
    patients = sorted({patient for own in found for patient in own})
    rng = np.random.default_rng(0)
    means = []
    for _ in range(DRAWS):
        drawn = [patients[pick] for pick in rng.integers(0, len(patients), len(patients))]
        parts = [[rng.choice(own[one], len(own[one])) for one in drawn if one in own] for own in found]
        means.append(float(np.mean([np.concatenate(part).mean() for part in parts if part])))
    value = float(np.mean([np.concatenate([*own.values()]).mean() for own in found]))
    return _rounded(value, means)


def _interval(rows: Sequence[tuple[str, float]]) -> dict[str, float]:
    """The mean of one structure's slices, and its interval: patients are drawn, then their slices."""
    rng = np.random.default_rng(0)
    own = [*_by_patient(rows).values()]
    means = []
    for _ in range(DRAWS):
        drawn = [own[pick] for pick in rng.integers(0, len(own), len(own))]
        means.append(float(np.concatenate([rng.choice(part, len(part)) for part in drawn]).mean()))
    return _rounded(float(np.mean([value for _, value in rows])), means)


def _by_patient(rows: Sequence[tuple[str, float]]) -> dict[str, NDArray[np.float64]]:
    patients = dict.fromkeys(patient for patient, _ in rows)
    return {each: np.array([value for patient, value in rows if patient == each]) for each in patients}


def _rounded(value: float, means: Sequence[float]) -> dict[str, float]:
    low, high = np.percentile(means, [2.5, 97.5])
    return {"value": round(value, 4), "low": round(float(low), 4), "high": round(float(high), 4)}
