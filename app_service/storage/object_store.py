"""Where originals, canonical studies and artifacts lie: one interface, a directory or S3 behind it.

Keys are made by the portal alone, such as `studies/0198…/original`; no part of one ever comes from a user. An object
is written once, whole and durably, and never changed.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from app_service.storage.store_keys import OuterKey

KEYS = "keys"  # the prefix beside studies and jobs where an encrypted store has its own
KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*")


class ObjectStore(Protocol):
    """Every method raises NotFound for a key that is not there, StorageFull without room, Unavailable otherwise."""

    @property
    def temporary_folder(self) -> Path:
        """Where to make a folder that is on its way in, for `put_folder`. Not durable."""
        ...

    def put_folder(self, prefix: str, folder: Path) -> None:
        """Stores the files of `folder`, which lies in `temporary_folder`, durably as `prefix/name`: they survive a
        power cut from the return on. There is nothing under `prefix` before, and no `folder` afterwards."""
        ...

    def put_bytes(self, key: str, data: bytes) -> None:
        """Stores `data` durably."""
        ...

    def read(self, key: str) -> bytes: ...

    def open(self, key: str) -> BinaryIO:
        """A seekable file for reading; the caller closes it."""
        ...

    def size(self, key: str) -> int:
        """In bytes."""
        ...

    def names(self, prefix: str) -> list[str]:
        """What stands directly below `prefix`, objects and prefixes alike. There may be nothing."""
        ...

    def delete_prefix(self, prefix: str) -> None:
        """Deletes all objects whose key begins with `prefix` and a slash. There may be none."""
        ...

    def sealed(self, key: str, data: bytes) -> bytes:
        """`data` as the store would keep it under `key`, for whoever keeps it in the database instead."""
        ...

    def opened(self, key: str, kept: bytes) -> bytes:
        """What `sealed` was given. Raises Unavailable for what was changed or belongs to another key."""
        ...

    def check(self) -> None:
        """Returns when the store can be used now; cheap enough for a readiness probe."""
        ...


def checked_key(key: str) -> str:
    """The key, if it is one. Raises ValueError: a wrong key is a mistake in our code, and never a user's."""
    if not KEY.fullmatch(key):
        raise ValueError("An object's key is made of plain names and slashes.")
    return key


def open_store(url: str, outer: "OuterKey | None" = None) -> ObjectStore:
    """The store at `url`, its files sealed when there is a key. Raises ValueError as plain_store does, and where a key
    is missing."""
    store = plain_store(url)
    if outer is None:
        if url.startswith("file:") and store.names(KEYS):
            raise ValueError("Files in the object store are sealed: LIGHTBOX_STORE_KEY must be set.")
        return store
    from app_service.storage.encrypted_store import EncryptedStore

    return EncryptedStore(store, outer)


def plain_store(url: str) -> ObjectStore:
    """The store at `file:///folder` or `s3://bucket/prefix`. Raises ValueError for any other address."""
    address = urlsplit(url)
    if address.scheme == "file" and address.path.startswith("/") and not address.netloc:
        from app_service.storage.directory_store import DirectoryStore

        return DirectoryStore(Path(unquote(address.path)))
    if address.scheme == "s3" and address.netloc:
        from app_service.storage.s3_store import S3Objects  # obstore is loaded only where it is used

        return S3Objects(address.netloc, address.path.strip("/"))
    raise ValueError("The object store's address must look like file:///folder or s3://bucket/prefix.")
