"""Of an archive of several studies each keeps its own files alone, and not a copy of everybody's."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app_service.intake.archive import entries, open_archive, part_of
from app_service.intake.examine import CanonicalStudy
from app_service.intake.found import find_studies
from app_service.intake.limits import IntakeSettings
from app_service.intake.package import contents, unpack
from tests.app_service.conftest import film
from tests.app_service.intake.dicom_maker import made
from tests.app_service.intake.test_volume import AFFINES, VALUES, nifti, slices, zipped

Found = list[tuple[CanonicalStudy, Path]]


@pytest.fixture
def found_in(tmp_path: Path, sandbox: IntakeSettings) -> Callable[[bytes], Found]:
    folders = iter(range(100))

    def another() -> Path:
        folder = tmp_path / str(next(folders))
        folder.mkdir()
        return folder

    def find(data: bytes) -> Found:
        original = another() / "original"
        original.write_bytes(data)
        return find_studies(original, sandbox, another)[0]

    return find


def held(folder: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(folder / "original") as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_every_study_keeps_its_own_files(found_in: Any) -> None:
    scan, other = slices(AFFINES["plain"], VALUES), slices(AFFINES["turned"], VALUES[:5])
    files = {"a/film.png": film(1), "b/film.png": film(2), "Ärztin/scan.nii": nifti(VALUES, AFFINES["plain"])}
    files |= {f"one/{name}": data for name, data in scan.items()} | {
        f"two/{name}": data for name, data in other.items()
    }
    data = zipped(files)
    found = found_in(data)
    kept = [held(folder) for _, folder in found]
    assert [len(each) for each in kept] == [1, 1, 1, len(scan), len(other)]
    assert {name: content for each in kept for name, content in each.items()} == files
    sizes = [(folder / "original").stat().st_size for _, folder in found]
    assert sum(sizes) < len(data) + 22 * len(found)
    for (study, folder), size in zip(found, sizes, strict=True):
        assert study.sha256 == hashlib.sha256((folder / "original").read_bytes()).hexdigest()
        assert study.size_bytes == size
        assert sorted(path.name for path in folder.iterdir()) in (
            ["image", "original"],
            ["image", "original", "preview"],
        )


def test_a_part_can_be_taken_in_again_and_is_the_same_study(found_in: Any) -> None:
    files = slices(AFFINES["oblique"], VALUES) | {"film": made(VALUES[0])}
    found = found_in(zipped(files))
    again = [found_in((folder / "original").read_bytes()) for _, folder in found]
    assert [len(each) for each in again] == [1, 1]
    for (_, folder), ((_, anew),) in zip(found, again, strict=True):
        assert (folder / "image").read_bytes() == (anew / "image").read_bytes()


def test_an_archive_of_one_study_is_its_original(found_in: Any) -> None:
    data = zipped(slices(AFFINES["plain"], VALUES))
    ((study, folder),) = found_in(data)
    assert (folder / "original").read_bytes() == data and study.sha256 is None


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("before", [b"", b"#!/bin/sh\n"])
def test_an_archive_of_any_making_is_cut_up(method: int, streamed: bool, before: bytes) -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return not streamed  # then sizes follow the data, with bit 3 of the flags

    file, rng = Pipe(), np.random.default_rng(3)
    file.write(before)
    contents = {f"{number}-ß": rng.bytes(1000 + number) for number in range(5)}
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    data = file.getvalue()
    whole = open_archive(data)
    ranges, directory = part_of(whole, data, [entries(whole)[number] for number in (4, 1)])
    part = io.BytesIO(b"".join(data[at : at + count] for at, count in ranges) + directory)
    with zipfile.ZipFile(part) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            name: contents[name] for name in ("4-ß", "1-ß")
        }


def test_a_file_that_is_many_studies_is_cut_out_once(tmp_path: Path) -> None:
    """The phases of one file of many frames: together they have more than the file, and it is no damage."""
    (tmp_path / "original").write_bytes(b"x" * 100)
    facts: dict[str, Any] = {"kind": "image", "modality": "OT", "shape": [9, 9], "spacing_mm": None, "warnings": []}
    facts |= {"media_type": "image/png", "size_bytes": 3, "own": [[10, 80]], "directory_bytes": 2}
    table = json.dumps({"studies": [facts] * 5}).encode()
    (tmp_path / "image").write_bytes(b"imgdr" * 5 + table + len(table).to_bytes(8, "big"))
    folders = [tmp_path, *(tmp_path / str(number) for number in range(4))]
    for folder in folders[1:]:
        folder.mkdir()
    unpack(tmp_path / "image", contents(tmp_path / "image"), folders, tmp_path / "original")
    assert [(folder / "original").read_bytes() for folder in folders] == [b"x" * 80 + b"dr"] * 5
    assert [(folder / "image").read_bytes() for folder in folders] == [b"img"] * 5
    assert len({(folder / "original").stat().st_ino for folder in folders}) == 1


@pytest.mark.parametrize("own", [[[0, 10**9]], [[90, 20]], [[0, 100], [0, 100], [0, 1]], [[-1, 5]]])
def test_a_child_that_lies_gets_nothing_else_of_the_file(tmp_path: Path, own: list[list[int]]) -> None:
    (tmp_path / "original").write_bytes(b"x" * 100)
    facts: dict[str, Any] = {"kind": "image", "modality": "OT", "shape": [9, 9], "spacing_mm": None, "warnings": []}
    facts |= {"media_type": "image/png", "size_bytes": 3, "own": own, "directory_bytes": 2}
    table = json.dumps({"studies": [facts]}).encode()
    (tmp_path / "image").write_bytes(b"imgdr" + table + len(table).to_bytes(8, "big"))
    with pytest.raises(ValueError, match=r"part of the archive|greater than"):
        unpack(tmp_path / "image", contents(tmp_path / "image"), [tmp_path], tmp_path / "original")
    assert (tmp_path / "original").read_bytes() == b"x" * 100
