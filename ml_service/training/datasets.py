"""Reads a folder with labels.csv, every image once, into memory. index.py makes a labels.csv of a folder tree."""

import csv
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ml_service.tasks.decode import Grey, grey_plane
from ml_service.tasks.film import FRAME, frame

SPLITS = ("train", "val", "test")


class PatientLeak(ValueError):
    """One patient has images in two splits, so scores would be flattered."""


@dataclass(frozen=True)
class Split:
    """Framed films (n, 224, 224) uint8, their class numbers (n,), patient keys (n), and the classes' names."""

    films: NDArray[np.uint8]
    classes: NDArray[np.int64]
    patients: tuple[str, ...]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.classes)


@dataclass(frozen=True)
class Row:
    """A line of labels.csv: columns path, split, label, and patient_key or group; others are ignored."""

    path: str
    split: str
    label: str
    patient_key: str


def read_rows(folder: Path) -> list[Row]:
    """Returns the lines of labels.csv. Raises PatientLeak, naming the first patient in two splits."""
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as lines:
        reader = csv.DictReader(lines)
        patient = next((name for name in ("patient_key", "group") if name in (reader.fieldnames or ())), None)
        if patient is None:
            raise ValueError("Expected a column patient_key or group in labels.csv: splits go by patient")
        rows = [Row(r["path"], r["split"], r["label"], r[patient]) for r in reader]
    refuse_leaks(rows)
    return rows


def refuse_leaks(rows: Sequence[Row]) -> None:
    """Raises PatientLeak, naming the first patient in two splits, and ValueError for an unknown split."""
    split_of: dict[str, str] = {}
    for row in rows:
        if row.split not in SPLITS:
            raise ValueError(f"Expected a split out of {SPLITS}. Received: {row.split!r}")
        first = split_of.setdefault(row.patient_key, row.split)
        if first != row.split:
            raise PatientLeak(f"Patient {row.patient_key!r} is in both {first!r} and {row.split!r}")


def read_split(folder: Path, split: str, classes: Sequence[str]) -> Split:
    """Returns one split, or all of them for "all"; `classes` are labels in the order of the class numbers."""
    rows = [row for row in read_rows(folder) if split in (row.split, "all")]
    with ThreadPoolExecutor(2) as pool:
        films = list(pool.map(lambda row: read_film(folder / row.path), rows))
    return Split(
        np.stack(films) if films else np.zeros((0, FRAME, FRAME), np.uint8),
        np.array([list(classes).index(row.label) for row in rows], np.int64),
        tuple(row.patient_key for row in rows),
        tuple(classes),
    )


def together(*splits: Split) -> Split:
    """Returns several splits as one."""
    patients = tuple(patient for split in splits for patient in split.patients)
    films, classes = (np.concatenate([getattr(split, name) for split in splits]) for name in ("films", "classes"))
    return Split(films, classes, patients, splits[0].names)


def part_of(split: Split, numbers: Sequence[int] | NDArray[np.int64]) -> Split:
    """Returns the images with these numbers, in that order."""
    return Split(split.films[numbers], split.classes[numbers], tuple(split.patients[n] for n in numbers), split.names)


def read_film(path: Path) -> Grey:
    """Returns a file's framed film, by the code that serves it."""
    return frame(grey_plane(path.read_bytes()))
