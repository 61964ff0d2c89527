"""Everything that metrics.json says of a mask model. The test patients are read here, once a release."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from ml_service.engines import Network
from ml_service.label_maps import LabelMap
from ml_service.tasks import lung_field
from ml_service.training.masks import baselines
from ml_service.training.masks.pairs import Pair
from ml_service.training.masks.scores import apart, by_patient, dice, surface

TOLERANCE = 0.01  # of a film's longer side: as far as outlines may lie apart and still count as one
Outline = Callable[[Pair], LabelMap]


def outline(network: Network, pair: Pair) -> LabelMap:
    """Returns a film's label map as it is served."""
    heat = network(lung_field.prepare(pair.plane, network.side)[np.newaxis]).heat[0]
    return lung_field.outline(heat, pair.plane.shape)


def measure(network: Network, pairs: list[Pair], reason: str, version: str) -> tuple[dict[str, Any], list[LabelMap]]:
    """Returns the scores of all splits, and the test films' label maps."""
    train, held_out, test = ([pair for pair in pairs if pair.split == split] for split in ("train", "val", "test"))
    mean = baselines.mean_mask(train)
    found = [outline(network, pair) for pair in test]
    scores = score(found, test)
    metrics = {
        "test": scores,
        "validation": score([outline(network, pair) for pair in held_out], held_out),
        "of_training_films": score([outline(network, pair) for pair in train], train),
        "test_by_baselines": {
            "mean mask of the training films": score([baselines.everywhere(mean, p.plane.shape) for p in test], test),
            "Otsu's threshold": score([baselines.otsu(p.plane) for p in test], test),
        },
        "readings": [
            {
                "date": datetime.now(UTC).isoformat(timespec="seconds"),
                "version": version,
                "reason": reason,
                "dice": scores["dice"]["value"],
            }
        ],
    }
    return metrics, found


def score(found: Sequence[LabelMap], pairs: Sequence[Pair]) -> dict[str, Any]:
    """Returns the agreement with the masks: of both lungs as one mean, and of each, with intervals over patients."""
    patients = [pair.patient for pair in pairs]
    rows = [_film(came, pair) for came, pair in zip(found, pairs, strict=True)]
    lungs: dict[str, Any] = {}
    for number, label in enumerate(lung_field.LABELS):
        lungs[label] = {name: _interval([row[name][number] for row in rows], patients) for name in rows[0]}
    return {
        "n": len(pairs),
        "patients": len(set(patients)),
        "dice": _interval([float(np.mean(row["dice"])) for row in rows], patients),
        "worst_dice": round(min(min(row["dice"]) for row in rows), 4),
        "share_with_a_lung_below_0.9": round(float(np.mean([min(row["dice"]) < 0.9 for row in rows])), 4),
        "sides_swapped": round(float(np.mean([swapped(c, p) for c, p in zip(found, pairs, strict=True)])), 4),
        "by_structure": lungs,
    }


def swapped(found: LabelMap, pair: Pair) -> bool:
    """Whether any lung lies more on the other lung's mask than on its own."""
    return any(
        int(((found == number + 1) & (pair.masks[:, :, 1 - number] > 0)).sum())
        > int(((found == number + 1) & (pair.masks[:, :, number] > 0)).sum())
        for number in (0, 1)
    )


def _film(found: LabelMap, pair: Pair) -> dict[str, list[float]]:
    longer = max(pair.plane.shape)
    sides = [(found == number + 1, pair.masks[:, :, number] > 0) for number in range(len(lung_field.LABELS))]
    return {
        "dice": [dice(*side) for side in sides],
        "surface_within_1_percent": [surface(*side, tolerance=TOLERANCE * longer) for side in sides],
        "surface_distance_percent": [100 * apart(*side) / longer for side in sides],
    }


def _interval(values: list[float], patients: list[str]) -> dict[str, float]:
    kept = [(value, patient) for value, patient in zip(values, patients, strict=True) if np.isfinite(value)]
    return by_patient(np.array([value for value, _ in kept]), [patient for _, patient in kept])
