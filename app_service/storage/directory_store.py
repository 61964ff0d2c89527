"""Objects as files in a directory, each fsynced with its folder before `put` returns; obstore's local store is not.

A file gets its name only when it is whole: what a power cut leaves half written lies in `.incoming` and nowhere else.
"""

import io
import os
import shutil
import tempfile
from pathlib import Path
from typing import BinaryIO

from app_service.storage.file_errors import portal_errors
from app_service.storage.object_store import checked_key
from portal_wire.errors import NotFound

COPY_BYTES = 1024**2
INCOMING = ".incoming"  # no key begins with a dot


class DirectoryStore:
    """An ObjectStore; safe for many threads and processes on one folder."""

    def __init__(self, root: Path) -> None:
        self._root = root
        with portal_errors():
            _make_durable_folder(self.temporary_folder)

    @property
    def temporary_folder(self) -> Path:
        return self._root / INCOMING

    def put_file(self, key: str, path: Path) -> None:
        target = self._path(key)
        with portal_errors():
            if path.stat().st_dev == self._root.stat().st_dev:
                self._put(target, path)
                return
            with path.open("rb") as source:
                self._put_copy(target, source)
            path.unlink()

    def put_bytes(self, key: str, data: bytes) -> None:
        target = self._path(key)
        with portal_errors():
            self._put_copy(target, io.BytesIO(data))

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

    def delete_prefix(self, prefix: str) -> None:
        with portal_errors():
            if (folder := self._path(prefix)).is_dir():
                shutil.rmtree(folder)

    def check(self) -> None:
        with portal_errors(), tempfile.TemporaryFile(dir=self.temporary_folder) as file:
            file.write(b"\0")
            file.flush()

    def _path(self, key: str) -> Path:
        return self._root / checked_key(key)

    def _put_copy(self, target: Path, source: BinaryIO) -> None:
        number, name = tempfile.mkstemp(dir=self.temporary_folder)
        try:
            with open(number, "wb") as file:
                shutil.copyfileobj(source, file, COPY_BYTES)
            self._put(target, Path(name))
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def _put(self, target: Path, path: Path) -> None:
        """The content first, then the folder that names it; the other order could leave a name without content."""
        _fsync(path)
        _make_durable_folder(target.parent)
        path.replace(target)
        _fsync(target.parent)


def _make_durable_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    _make_durable_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _fsync(folder.parent)


def _fsync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
