"""An object store round another: what is put comes out as it was, and lies there sealed under its name with `.sealed`.

Objects from before a key was set lie there plain, and are read as they are. Files on their way in, before they have a
name, lie plain in the temporary folder.

A picture that was kept as it came is one file with two names, `original` and `image`. So is the sealed one, under the
name of `image`: whoever can write to the store can so pass a study's image for its original, and nothing else for
anything; the study's row has the original's hash.
"""

import io
from pathlib import Path
from typing import BinaryIO, cast

from app_service.storage.file_errors import portal_errors
from app_service.storage.object_store import ObjectStore
from app_service.storage.sealed_file import IN_PLACE_BYTES, MAGIC, SealedFile, plain_size, seal
from app_service.storage.store_keys import OuterKey, StoreKeys
from portal_wire.errors import NotFound

SEALED = ".sealed"
ORIGINAL, IMAGE = "original", "image"


class EncryptedStore:
    """An ObjectStore; as safe for many threads as the one inside."""

    def __init__(self, inner: ObjectStore, outer: OuterKey) -> None:
        self._inner, self._keys = inner, StoreKeys(inner, outer)

    @property
    def temporary_folder(self) -> Path:
        return self._inner.temporary_folder

    def put_folder(self, prefix: str, folder: Path) -> None:
        key_id, key = self._keys.newest()
        with portal_errors():
            original, image = folder / ORIGINAL, folder / IMAGE
            one = image.exists() and original.exists() and image.samefile(original)
            for path in [path for path in folder.iterdir() if not (one and path == original)]:
                _seal(path, f"{prefix}/{path.name}", key_id, key, names=2 if one and path == image else 1)
            if one:
                original.unlink()
                _sealed(original).hardlink_to(_sealed(image))
        self._inner.put_folder(prefix, folder)

    def put_bytes(self, key: str, data: bytes) -> None:
        self._inner.put_bytes(key + SEALED, self.sealed(key, data))

    def read(self, key: str) -> bytes:
        with self.open(key) as file:
            return file.read()

    def open(self, key: str) -> BinaryIO:
        try:
            sealed = self._inner.open(key + SEALED)
        except NotFound:
            return self._inner.open(key)
        try:
            return cast(BinaryIO, io.BufferedReader(SealedFile(sealed, _names(key), self._keys.key_of)))
        except BaseException:
            sealed.close()
            raise

    def size(self, key: str) -> int:
        try:
            return plain_size(self._inner.size(key + SEALED))
        except NotFound:
            return self._inner.size(key)

    def names(self, prefix: str) -> list[str]:
        return [name.removesuffix(SEALED) for name in self._inner.names(prefix)]

    def delete_prefix(self, prefix: str) -> None:
        self._inner.delete_prefix(prefix)

    def sealed(self, key: str, data: bytes) -> bytes:
        sealed = io.BytesIO()
        seal(io.BytesIO(data), sealed, len(data), key, *self._keys.newest())
        return sealed.getvalue()

    def opened(self, key: str, kept: bytes) -> bytes:
        if not kept.startswith(MAGIC):  # from before a key was set
            return kept
        return SealedFile(io.BytesIO(kept), [key], self._keys.key_of).readall()

    def check(self) -> None:
        self._inner.check()
        self._keys.newest()


def _seal(path: Path, name: str, key_id: bytes, key: bytes, names: int) -> None:
    """Makes a file on its way in a sealed one: in its own place, so that nothing lies in the clear a moment longer,
    where it has no more than these `names` and the sealing does not overtake itself."""
    facts = path.stat()
    own = facts.st_nlink == names and facts.st_size <= IN_PLACE_BYTES
    target = path if own else _sealed(path)
    with path.open("rb") as plain, target.open("r+b" if own else "xb") as sealed:
        seal(plain, sealed, facts.st_size, name, key_id, key)
    if own:
        path.rename(_sealed(path))
    else:
        path.unlink()


def _sealed(path: Path) -> Path:
    return path.with_name(path.name + SEALED)


def _names(key: str) -> list[str]:
    """What the object may have been sealed as."""
    folder, _, name = key.rpartition("/")
    return [key, f"{folder}/{IMAGE}"] if name == ORIGINAL else [key]
