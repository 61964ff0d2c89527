"""`python -m ml_service.training.index DIR --patient PATTERN`: writes DIR/labels.csv for a tree of folders.

Reads DIR/{train,val,test}/<class>/ or, where there are no such splits, DIR/<class>/, and then splits by patient: the
same key always falls in the same split. PATTERN is a regular expression that finds the patient's key in a file's name
(its first group, if it has one). A patient in two splits is refused by key.
"""

import argparse
import csv
import hashlib
import re
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from ml_service.training.datasets import SPLITS, Row, refuse_leaks
from ml_service.training.foreign import IMAGES

SHARES = {"train": 0.70, "val": 0.15, "test": 0.15}


def main() -> None:
    """Reads the command line and writes labels.csv."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--patient", required=True, metavar="PATTERN", help=r"for example '^(person\d+)_'")
    given = parser.parse_args()
    rows = find_rows(given.folder, given.patient)
    write_rows(given.folder, rows)
    for (split, label), count in sorted(Counter((row.split, row.label) for row in rows).items()):
        print(f"{split:6} {label:20} {count:6}")  # noqa: T201


def find_rows(folder: Path, patient: str) -> list[Row]:
    """Returns a row for every image. Raises PatientLeak, or ValueError for a name without a patient's key."""
    split_before = all((folder / split).is_dir() for split in SPLITS)
    pattern = re.compile(patient)
    rows = []
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in IMAGES):
        place = path.relative_to(folder)
        if len(place.parts) != (3 if split_before else 2):
            raise ValueError("Expected images in <split>/<class>/ or in <class>/, and nowhere else")
        found = pattern.search(path.name)
        if found is None:
            raise ValueError(f"Expected the patient's key in every file's name. Received one in {place.parent} without")
        key = found[1] if pattern.groups else found[0]
        split = place.parts[0] if split_before else fall(key)
        rows.append(Row(str(place), split, path.parent.name, key))
    refuse_leaks(rows)
    return rows


def fall(key: str) -> str:
    """Returns the split of a patient: by a hash of the key, so that more images later change nothing."""
    place = int(hashlib.sha256(key.encode()).hexdigest()[:8], 16) / 0x1_0000_0000
    return "train" if place < SHARES["train"] else "val" if place < SHARES["train"] + SHARES["val"] else "test"


def write_rows(folder: Path, rows: list[Row]) -> None:
    """Writes labels.csv. Raises FileExistsError: a split that was made is not made again."""
    with (folder / "labels.csv").open("x", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, list(asdict(rows[0])))
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


if __name__ == "__main__":
    main()
