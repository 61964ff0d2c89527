"""Objects as files in a directory, each fsynced with its folder before `put` returns; obstore's local store is not.

A file gets its name only when it is whole: what a power cut leaves half written lies in `.incoming` and nowhere else.
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import BinaryIO

from app_service.storage.file_errors import portal_errors
from app_service.storage.object_store import checked_key
from portal_wire.errors import NotFound

INCOMING = ".incoming"  # no key begins with a dot


class DirectoryStore:
    """An ObjectStore; safe for many threads and processes on one folder."""

    def __init__(self, root: Path) -> None:
        self._root = root
        with portal_errors():
            self.temporary_folder.mkdir(parents=True, exist_ok=True)

    @property
    def temporary_folder(self) -> Path:
        return self._root / INCOMING

    def put_folder(self, prefix: str, folder: Path) -> None:
        target = self._path(prefix)
        with portal_errors():
            for path in {path.stat().st_ino: path for path in folder.iterdir()}.values():  # one file may have two names
                _fsync(path)
            _fsync(folder)
            _name(folder, target)

    def put_bytes(self, key: str, data: bytes) -> None:
        target = self._path(key)
        with portal_errors():
            number, name = tempfile.mkstemp(dir=self.temporary_folder)
            try:
                with open(number, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(number)
                _name(Path(name), target)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise

    def read(self, key: str) -> bytes:
        with self.open(key) as file:
            return file.read()

    def open(self, key: str) -> BinaryIO:
        path = self._path(key)
        with portal_errors():
            try:
                return path.open("rb")
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
                raise NotFound("There is no such file in the store.") from error

    def size(self, key: str) -> int:
        with self.open(key) as file:
            return os.fstat(file.fileno()).st_size

    def names(self, prefix: str) -> list[str]:
        with portal_errors():
            return os.listdir(folder) if (folder := self._path(prefix)).is_dir() else []

    def delete_prefix(self, prefix: str) -> None:
        with portal_errors():
            if (folder := self._path(prefix)).is_dir():
                shutil.rmtree(folder)

    def sealed(self, key: str, data: bytes) -> bytes:
        return data

    def opened(self, key: str, kept: bytes) -> bytes:
        return kept

    def check(self) -> None:
        with portal_errors(), tempfile.TemporaryFile(dir=self.temporary_folder) as file:
            file.write(b"\0")
            file.flush()

    def _path(self, key: str) -> Path:
        return self._root / checked_key(key)


def _name(path: Path, target: Path) -> None:
    """Gives what is durable at `path` its name; a name before its content could outlive a power cut without it.

    New folders on the way are fsynced after that, from the inside out: on ext4 one journal commit then does for all.
    """
    grown = _make_folder(target.parent)
    path.replace(target)
    for folder in (target.parent, *grown):
        _fsync(folder)


def _make_folder(folder: Path) -> list[Path]:
    """Makes the folder; returns the folders that have a new entry by that, the innermost first."""
    try:
        folder.mkdir()
    except FileExistsError:
        return []
    except FileNotFoundError:
        above = _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        return [folder.parent, *above]
    return [folder.parent]


def _fsync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
