"""A watched folder: what is a parcel, when it is whole, and where it goes."""

import os
import time
from pathlib import Path

from command_line.ingest.folder import FolderBox


def put(root: Path, name: str, content: bytes = b"x", age_s: float = 60) -> Path:
    path = root / "incoming" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    for each in (path, path.parent):
        os.utime(each, (time.time() - age_s,) * 2)
    return path


def names(box: FolderBox, *known: str) -> list[str]:
    return [parcel.name for parcel in box.arrived(set(known), 50)]


def test_files_anywhere_below_and_folders_of_slices_are_parcels(tmp_path: Path) -> None:
    box = FolderBox(tmp_path)
    put(tmp_path, "ct/knee.series/1.dcm")
    put(tmp_path, "ct/knee.series/2.dcm")
    put(tmp_path, "xr/film.png")
    (found,) = [parcel for parcel in box.arrived(set(), 50) if parcel.name == "ct/knee.series"]
    assert [file.name for file in found.files] == ["1.dcm", "2.dcm"]
    assert sorted(names(box)) == ["ct/knee.series", "xr/film.png"]
    assert names(box, "xr/film.png") == ["ct/knee.series"]


def test_what_is_still_being_written_waits(tmp_path: Path) -> None:
    box = FolderBox(tmp_path, quiet_s=5)
    put(tmp_path, "whole.png")
    put(tmp_path, "young.png", age_s=0)
    put(tmp_path, "half.png.part")
    put(tmp_path, ".hidden")
    put(tmp_path, "a.series/1.dcm")
    put(tmp_path, "a.series/2.dcm", age_s=0)
    assert names(box) == ["whole.png"]


def test_a_link_leads_nowhere(tmp_path: Path) -> None:
    box = FolderBox(tmp_path)
    (tmp_path / "secret.png").write_bytes(b"x")
    (tmp_path / "incoming" / "link.png").symlink_to(tmp_path / "secret.png")
    assert names(box) == []


def test_a_name_that_comes_again_overwrites_nothing(tmp_path: Path) -> None:
    """Trap: the same file name for two patients."""
    box = FolderBox(tmp_path)
    for content in (b"first", b"second"):
        put(tmp_path, "film.png", content)
        (parcel,) = box.arrived(set(), 1)
        box.processed(parcel)
    kept = {path.name: path.read_bytes() for path in (tmp_path / "processed").iterdir()}
    assert kept == {"film.png": b"first", "film (2).png": b"second"}


def test_what_is_rejected_has_its_reason_beside_it(tmp_path: Path) -> None:
    box = FolderBox(tmp_path)
    put(tmp_path, "xr/notes.txt")
    (parcel,) = box.arrived(set(), 1)
    box.rejected(parcel, "This is a text.")
    assert (tmp_path / "rejected" / "xr" / "notes.txt").read_bytes() == b"x"
    assert (tmp_path / "rejected" / "xr" / "notes.txt.reason.txt").read_text() == "This is a text.\n"
    assert names(box) == []
