"""The keys that files are sealed with, kept in the store itself, each wrapped by a key that is not: the portal's own
(LIGHTBOX_STORE_KEY) or one of a key service (LIGHTBOX_STORE_KMS_KEY). Another outer key needs these few to be wrapped
anew, and no file (`python -m app_service.storage.rewrap`).
"""

import hashlib
import os
import threading
from typing import Any, Protocol
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app_service.storage.object_store import KEYS, ObjectStore
from app_service.storage.sealed_file import damaged
from portal_wire import env
from portal_wire.errors import Unavailable
from portal_wire.ids import new_id

_SHORTEST = 32  # characters
_NONCE = 12


class OuterKey(Protocol):
    """What wraps store keys; it is not in the store."""

    def wrap(self, key: bytes, key_id: str) -> bytes: ...

    def unwrap(self, wrapped: bytes, key_id: str) -> bytes:
        """Raises Unavailable for what another key wrapped."""
        ...


class TextKey:
    """A random text, such as `openssl rand -base64 32` makes."""

    def __init__(self, text: str) -> None:
        self._cipher = AESGCM(hashlib.sha256(b"lightbox store keys" + text.encode()).digest())

    def wrap(self, key: bytes, key_id: str) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, key, key_id.encode())

    def unwrap(self, wrapped: bytes, key_id: str) -> bytes:
        try:
            return self._cipher.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], key_id.encode())
        except (InvalidTag, ValueError):
            raise damaged() from None


class KmsKey:
    """A key of AWS KMS; credentials and region as for S3. It needs the extra `bucket` (boto3)."""

    def __init__(self, name: str) -> None:
        import boto3  # only here: most portals have no KMS

        self._client: Any = boto3.client("kms", region_name=os.environ.get("AWS_REGION"))
        self._name = name

    def wrap(self, key: bytes, key_id: str) -> bytes:
        told = self._asked("encrypt", Plaintext=key, EncryptionContext={"lightbox": key_id})
        return bytes(told["CiphertextBlob"])

    def unwrap(self, wrapped: bytes, key_id: str) -> bytes:
        told = self._asked("decrypt", CiphertextBlob=wrapped, EncryptionContext={"lightbox": key_id})
        return bytes(told["Plaintext"])

    def _asked(self, verb: str, **what: Any) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return getattr(self._client, verb)(KeyId=self._name, **what)
        except (BotoCoreError, ClientError):
            raise Unavailable("The key service does not open the store's keys.", code="store_key") from None


class StoreKeys:
    """The store's keys, read at the first use; safe for many threads and processes."""

    def __init__(self, store: ObjectStore, outer: OuterKey) -> None:
        self._store, self._outer, self._lock = store, outer, threading.Lock()
        self._known: dict[str, bytes] = {}

    def newest(self) -> tuple[bytes, bytes]:
        """(id, key) to seal with; the first is made where there is none."""
        with self._lock:
            if not self._known:
                self._read()
            key_id = max(self._known) if self._known else self._made()
            return UUID(key_id).bytes, self._known[key_id]

    def key_of(self, key_id: bytes) -> bytes:
        """Raises Unavailable for one that the store does not hold."""
        name = str(UUID(bytes=key_id))
        with self._lock:
            if name not in self._known:
                self._read()  # another process may have made it
            if name not in self._known:
                raise damaged()
            return self._known[name]

    def rewrap(self, outer: OuterKey) -> int:
        """Wrap every key by `outer`, and make a new one for what comes; returns how many there were."""
        with self._lock:
            self._read()
            for name, key in self._known.items():
                self._store.put_bytes(f"{KEYS}/{name}", outer.wrap(key, name))
            self._outer, count = outer, len(self._known)
            self._made()
            return count

    def _read(self) -> None:
        for name in self._store.names(KEYS):
            if name not in self._known:
                self._known[name] = self._outer.unwrap(self._store.read(f"{KEYS}/{name}"), name)

    def _made(self) -> str:
        name, key = new_id(), os.urandom(32)
        self._store.put_bytes(f"{KEYS}/{name}", self._outer.wrap(key, name))
        self._known[name] = key
        return name


def outer_key() -> OuterKey | None:
    """The key of the settings; None where none is set. Raises SettingsError."""
    return _named("LIGHTBOX_STORE_KEY", "LIGHTBOX_STORE_KMS_KEY")


def former_key() -> OuterKey | None:
    """The key until now, while it is changed."""
    return _named("LIGHTBOX_STORE_KEY_BEFORE", "LIGHTBOX_STORE_KMS_KEY_BEFORE")


def _named(of_text: str, of_kms: str) -> OuterKey | None:
    text, name = env.secret(of_text, " ").strip(), env.text(of_kms, " ").strip()
    if text and name:
        raise env.SettingsError(f"{of_text}: expected this or {of_kms}, both came.")
    if text and len(text) < _SHORTEST:
        raise env.SettingsError(f"{of_text}: expected {_SHORTEST} characters or more, {len(text)} came.")
    return TextKey(text) if text else KmsKey(name) if name else None
