"""Chest films with lung masks, split by patient."""

import csv
import hashlib
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from ml_service.tasks.decode import Grey, grey_plane

SPLITS = {"test": 12, "val": 4}  # patients; all others are learnt from


class Pair(NamedTuple):
    """One film."""

    name: str
    patient: str
    split: str
    plane: Grey  # (height, width)
    masks: NDArray[np.uint8]  # (height, width, 2): right lung, left lung, 0 or 1


def read(data: Path) -> list[Pair]:
    """Returns every film of the folder's labels.csv. Raises ValueError for a mask that is not two lungs."""
    with (data / "labels.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    split = splits({row["patient"] for row in rows})
    return [
        Pair(
            Path(row["image"]).stem,
            row["patient"],
            split[row["patient"]],
            grey_plane((data / row["image"]).read_bytes()),
            lungs(grey_plane((data / row["mask"]).read_bytes()) > 0),
        )
        for row in rows
    ]


def splits(patients: set[str]) -> dict[str, str]:
    """Returns each patient's split, by a hash of the key: the same for everybody, and for no reason in the films."""
    order = sorted(patients, key=lambda patient: hashlib.sha256(patient.encode()).hexdigest())
    names = [name for name, count in SPLITS.items() for _ in range(count)]
    names += ["train"] * (len(order) - len(names))
    return dict(zip(order, names, strict=True))


def lungs(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Returns the two largest pieces of a mask, the patient's right one (on the picture's left) first: (h, w, 2)."""
    count, pieces, facts, middles = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if count < 3:
        raise ValueError(f"Expected a mask of two lungs. Received: {count - 1} pieces")
    largest = 1 + np.argsort(facts[1:, cv2.CC_STAT_AREA])[-2:]
    by_place = sorted(largest, key=lambda piece: float(middles[piece, 0]))
    return np.stack([pieces == piece for piece in by_place], axis=-1).astype(np.uint8)
