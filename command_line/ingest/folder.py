"""A watched folder, for hospitals without S3: a share, or where a PACS or a modality exports to."""

import hashlib
import math
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from command_line.ingest import INCOMING, PROCESSED, REJECTED, RESULTS
from command_line.ingest.box import Parcel

HALF = (".part", ".tmp", ".crdownload", ".filepart")  # what copying programs call a file that is not whole yet
REASON = ".reason.txt"


class FolderBox:
    """`root` gets the four places. A parcel is whole when nothing in it has changed for `quiet_s` seconds. Directly in
    incoming/ a file is a parcel; a folder that holds files is one, too, when its name ends with `.series`."""

    SERIES = ".series"

    def __init__(self, root: Path, quiet_s: float = 5.0) -> None:
        self._root, self._quiet_s = root, quiet_s
        for place in (INCOMING, RESULTS, PROCESSED, REJECTED):
            (root / place).mkdir(parents=True, exist_ok=True)

    def arrived(self, known: set[str], most: int) -> Iterator[Parcel]:
        """Oldest first, so that nothing waits for ever behind what comes later."""
        found = [path for path in self._candidates(self._root / INCOMING) if self._name(path) not in known]
        for path in sorted(found, key=_changed)[:most]:
            files = tuple(sorted(file for file in path.rglob("*") if file.is_file())) if path.is_dir() else (path,)
            if files and time.time() - _changed(path) >= self._quiet_s:
                yield Parcel(self._name(path), files, _stamp(files), path)

    def keep_result(self, parcel: Parcel, job_id: str, folder: Path) -> None:
        target = self._root / RESULTS / parcel.name / job_id
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            shutil.rmtree(target)
        shutil.move(folder, target)

    def processed(self, parcel: Parcel) -> None:
        self._move(parcel, PROCESSED)

    def rejected(self, parcel: Parcel, reason: str) -> None:
        target = self._move(parcel, REJECTED)
        target.with_name(target.name + REASON).write_text(f"{reason}\n", encoding="utf-8")

    def still_at_it(self, parcel: Parcel) -> None:
        """A folder has nobody who would hand it to another."""

    def _candidates(self, folder: Path) -> Iterator[Path]:
        for path in folder.iterdir():
            if path.name.startswith(".") or path.suffix.lower() in HALF or path.is_symlink():
                continue
            if path.is_dir() and path.suffix != self.SERIES:
                yield from self._candidates(path)
            else:
                yield path

    def _name(self, path: Path) -> str:
        return path.relative_to(self._root / INCOMING).as_posix()

    def _move(self, parcel: Parcel, place: str) -> Path:
        """An older parcel of this name stays: the newer gets a number."""
        plain = self._root / place / parcel.name
        target, number = plain, 1
        while target.exists():
            number += 1
            target = plain.with_name(f"{plain.stem} ({number}){plain.suffix}")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(parcel.origin, target)
        return target


def _changed(path: Path) -> float:
    """When the youngest part of it was written, seconds since 1970; a moment far ahead for what is just leaving."""
    try:
        return float(max(part.stat().st_mtime for part in (path, *(path.rglob("*") if path.is_dir() else ()))))
    except FileNotFoundError:
        return math.inf


def _stamp(files: tuple[Path, ...]) -> str:
    facts = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return hashlib.sha256(repr(facts).encode()).hexdigest()
