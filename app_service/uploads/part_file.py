"""An upload's files go straight to the store's disk while they are hashed and counted: none is held in memory."""

import hashlib
import shutil
import tempfile
from pathlib import Path

from flask import g

from app_service.parts import parts
from app_service.storage.file_errors import portal_errors


class PartFile:
    """What a form's file is written into: `original` in `folder`, a new folder of its own.

    Bytes beyond `max_bytes` are counted and dropped.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self.path = folder / "original"
        self.size_bytes = 0
        self._max_bytes = max_bytes
        self._hash = hashlib.sha256()
        with portal_errors():
            self._file = self.path.open("wb")

    @property
    def sha256(self) -> str:
        """In hex, of everything written."""
        return self._hash.hexdigest()

    @property
    def too_large(self) -> bool:
        return self.size_bytes > self._max_bytes

    def write(self, data: bytes) -> int:
        """Raises StorageFull when the disk is, Unavailable when it cannot be written to."""
        self.size_bytes += len(data)
        if not self.too_large:
            self._hash.update(data)
            with portal_errors():
                self._file.write(data)
        return len(data)

    def flush(self) -> None:
        """`close` does."""

    def close(self) -> None:
        """Reading goes by `path`; an upload may have 1,000 files, too many to stay open."""
        with portal_errors():
            self._file.close()


def new_folder() -> Path:
    """For one study on its way in; `remove_folders` clears it away with the request unless it is stored by then."""
    with portal_errors():
        folder = Path(tempfile.mkdtemp(dir=parts().store.temporary_folder))
    g.setdefault("upload_folders", []).append(folder)
    return folder


def remove_folders(error: BaseException | None = None) -> None:
    """After each request, however it ended."""
    for folder in g.get("upload_folders", ()):
        if folder.exists():
            shutil.rmtree(folder, ignore_errors=True)
