"""A folder of images whose classes are known: one subfolder a class, or a labels.csv with path and label."""

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

LABELS = "labels.csv"
_PATIENT = ("patient_key", "patient", "group")  # columns of labels.csv that may say whose image it is


@dataclass(frozen=True)
class Labelled:
    """An image's file, the number of its class, and whose it is (the image's own hash where nothing says that)."""

    path: Path
    number: int
    patient: str


def read(folder: Path, classes: Sequence[str]) -> list[Labelled]:
    """Every image of the folder. Labels are the classes' names, in small or large letters.

    Raises ValueError when a label is no class, or when there is nothing.
    """
    rows = _from_table(folder) if (folder / LABELS).exists() else _from_subfolders(folder)
    unknown = sorted({label for _, label, _ in rows} - set(_spellings(classes)))
    if unknown:
        raise ValueError(f"Expected the labels {', '.join(classes)}. Received also: {', '.join(unknown)}.")
    if not rows:
        raise ValueError(f"Expected one subfolder a class ({', '.join(classes)}) with images, or a {LABELS}.")
    number = {spelling: classes.index(name) for spelling, name in _spellings(classes).items()}
    return [Labelled(path, number[label], patient or _hash(path)) for path, label, patient in rows]


def _from_table(folder: Path) -> list[tuple[Path, str, str]]:
    with (folder / LABELS).open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    if rows and not {"path", "label"} <= rows[0].keys():
        raise ValueError(f"Expected columns path and label in {LABELS}.")
    return [
        (folder / row["path"], row["label"].lower(), next((row[c] for c in _PATIENT if row.get(c)), "")) for row in rows
    ]


def _from_subfolders(folder: Path) -> list[tuple[Path, str, str]]:
    found = [path for path in sorted(folder.glob("*/*")) if path.is_file() and not path.name.startswith(".")]
    return [(path, path.parent.name.lower(), "") for path in found]


def _spellings(classes: Sequence[str]) -> dict[str, str]:
    return {name.lower(): name for name in classes}


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else str(path)
