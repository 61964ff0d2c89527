"""How the sandbox's child hands over what one picture cannot: a volume, facts from a header, or several studies.

One file: the studies' bodies one behind the other, then a table of contents in JSON, then its length. The table is
last, so that a package with one study becomes that study's file by being cut short, without a copy.
"""

import hashlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from app_service.domain.prompts import MOST
from app_service.intake.image import Picture

MEDIA_TYPE = "application/vnd.lightbox.studies"
MOST_TABLE_BYTES = 2**20
_LENGTH_BYTES = 8
_OWN = "own"
_Count = Annotated[int, Field(ge=0)]
_Side = Annotated[int, Field(ge=1, le=2**20)]
_Millimetres = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _Told(BaseModel):
    """The child has read a foreign file: what it says is checked like anything from outside."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Facts(_Told):
    """A study. `shape` is rows, columns[, slices or 3], `spacing_mm` in the same order, `warnings` are codes of
    `notices.py`; the two sizes are of its canonical file and of the small picture of a volume (0: none). `boxes` are
    the file's own, of which the n-th asks for label n (None: left out). `own` are the ranges (where, how many bytes)
    of an archive of several studies that are this study's, and `directory_bytes` the length of the ZIP directory that
    goes behind them; without any the whole file is its original."""

    kind: Literal["image", "volume"]
    modality: Annotated[str, Field(pattern="^[A-Z]{2,16}$")]
    shape: Annotated[tuple[_Side, ...], Field(min_length=2, max_length=3)]
    spacing_mm: Annotated[tuple[_Millimetres, ...], Field(min_length=2, max_length=3)] | None
    media_type: Literal["image/png", "image/jpeg", "application/gzip"]
    warnings: list[str]
    size_bytes: Annotated[int, Field(ge=1)]
    preview_bytes: _Count = 0
    boxes: Annotated[list[list[FiniteFloat] | None], Field(max_length=MOST)] = []
    own: list[tuple[_Count, _Count]] = []
    directory_bytes: _Count = 0


class Refused(_Told):
    """A part of the file that became no study. `name` is what the archive calls it."""

    name: str
    code: Annotated[str, Field(pattern="^[a-z_]{1,40}$")]
    detail: str


class Table(_Told):
    studies: Annotated[list[Facts], Field(min_length=1)]
    refused: list[Refused] = []


def packed(studies: Sequence[tuple[Facts, Sequence[bytes]]], refused: Sequence[Refused] = ()) -> Picture:
    """In the child: `studies` are facts with the canonical file, for a volume the preview, and of an archive of several
    studies the directory. As a Picture, since that is what every parser returns."""
    table = Table(studies=[facts for facts, _ in studies], refused=list(refused)).model_dump_json().encode()
    bodies = [body for _, parts in studies for body in parts]
    length = len(table).to_bytes(_LENGTH_BYTES, "big")
    return Picture(MEDIA_TYPE, (len(studies),), b"".join((*bodies, table, length)), [])


def contents(path: Path) -> Table:
    """In App. Raises ValueError when this is no package."""
    with path.open("rb") as file:
        end = file.seek(-_LENGTH_BYTES, os.SEEK_END)
        length = int.from_bytes(file.read(_LENGTH_BYTES), "big")
        if not 0 < length <= min(MOST_TABLE_BYTES, end):
            raise ValueError("The package has no table.")
        file.seek(end - length)
        table = Table.model_validate_json(file.read(length))
    if sum(facts.size_bytes + facts.preview_bytes + facts.directory_bytes for facts in table.studies) != end - length:
        raise ValueError("The package's table does not describe it.")
    return table


def unpack(path: Path, table: Table, folders: Sequence[Path], original: Path) -> None:
    """Writes `image` and `preview` of each study into its folder, and its own part of an archive as `original`; uses up
    the package at `path`, which may be the `image` of the first folder. Raises ValueError for a part that cannot be.
    """
    _check_parts(table, original.stat().st_size)
    cut: dict[tuple[tuple[int, int], ...], Path] = {}  # one file of many frames may be several studies
    at = table.studies[0].size_bytes
    with path.open("r+b") as package:
        for number, (facts, folder) in enumerate(zip(table.studies, folders, strict=True)):
            if number:
                _copy(package.fileno(), at, facts.size_bytes, folder / "image")
                at += facts.size_bytes
            if facts.preview_bytes:
                _copy(package.fileno(), at, facts.preview_bytes, folder / "preview")
                at += facts.preview_bytes
            if facts.own:
                if (first := cut.setdefault(tuple(facts.own), folder / _OWN)) == folder / _OWN:
                    _cut_out(original, facts.own, package.fileno(), at, facts.directory_bytes, first)
                else:
                    (folder / _OWN).hardlink_to(first)
                at += facts.directory_bytes
        package.truncate(table.studies[0].size_bytes)
    if path != folders[0] / "image":
        shutil.move(path, folders[0] / "image")
    for folder in folders:
        if (own := folder / _OWN).exists():
            own.replace(folder / original.name)
        elif folder != original.parent:
            (folder / original.name).hardlink_to(original)


def sha256(path: Path) -> str:
    """In hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_parts(table: Table, size: int) -> None:
    """No study has more of the file than there is, and what is cut out is no more than twice of it: a file may be in
    two studies of which each has others beside it."""
    ranges = [each for own in {tuple(facts.own) for facts in table.studies} for each in own]
    if any(at + count > size for at, count in ranges) or sum(count for _, count in ranges) > 2 * size:
        raise ValueError("A study's part of the archive lies outside of it.")


def _cut_out(archive: Path, own: Sequence[tuple[int, int]], package: int, at: int, size: int, target: Path) -> None:
    with archive.open("rb") as source, target.open("xb") as file:
        for start, count in own:
            _append(file.fileno(), source.fileno(), start, count)
        _append(file.fileno(), package, at, size)


def _copy(source: int, at: int, size: int, target: Path) -> None:
    with target.open("xb") as file:
        _append(file.fileno(), source, at, size)


def _append(target: int, source: int, at: int, size: int) -> None:
    while size:
        done = os.sendfile(target, source, at, size)
        at, size = at + done, size - done
