"""A tree of folders becomes a labels.csv whose splits go by patient."""

from pathlib import Path

import pytest

from ml_service.training.datasets import PatientLeak, read_rows
from ml_service.training.index import find_rows, write_rows

PATIENT = r"^(person\d+)_"


def touch(folder: Path, *places: str) -> Path:
    for place in places:
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return folder


def test_splits_that_are_there_are_kept(tmp_path: Path) -> None:
    touch(tmp_path, "train/ILL/person1_a.png", "train/WELL/person2_a.png", "val/ILL/person3_a.png")
    touch(tmp_path, "test/WELL/person4_a.png", "test/WELL/person4_b.png")
    write_rows(tmp_path, find_rows(tmp_path, PATIENT))
    rows = read_rows(tmp_path)
    assert {(row.split, row.label, row.patient_key) for row in rows} == {
        ("train", "ILL", "person1"),
        ("train", "WELL", "person2"),
        ("val", "ILL", "person3"),
        ("test", "WELL", "person4"),
    }
    assert len(rows) == 5


def test_a_patient_in_two_split_folders_is_refused_by_key(tmp_path: Path) -> None:
    touch(tmp_path, "train/ILL/person17_a.png", "val/ILL/person3_a.png", "test/WELL/person17_b.png")
    with pytest.raises(PatientLeak, match="'person17' is in both 'test' and 'train'"):
        find_rows(tmp_path, PATIENT)


def test_class_folders_are_split_by_patient_and_always_alike(tmp_path: Path) -> None:
    touch(tmp_path, *(f"{label}/person{k}_{n}.png" for label in ("ILL", "WELL") for k in range(100) for n in range(2)))
    rows = find_rows(tmp_path, PATIENT)
    split_of = {row.patient_key: row.split for row in rows}
    assert all(split_of[row.patient_key] == row.split for row in rows)
    assert set(split_of.values()) == {"train", "val", "test"}
    assert 50 < sum(split == "train" for split in split_of.values()) < 90
    fewer = touch(tmp_path / "again", *(row.path for row in rows[:40]))
    assert all(split_of[row.patient_key] == row.split for row in find_rows(fewer, PATIENT))


def test_a_name_without_a_patient_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="patient's key in every file's name"):
        find_rows(touch(tmp_path, "ILL/anyone.png"), PATIENT)


def test_a_split_that_was_made_is_not_made_again(tmp_path: Path) -> None:
    rows = find_rows(touch(tmp_path, "ILL/person1_a.png"), PATIENT)
    write_rows(tmp_path, rows)
    with pytest.raises(FileExistsError):
        write_rows(tmp_path, rows)
