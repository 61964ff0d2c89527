"""A file sealed in chunks, so that any part of it opens alone: AES-256-GCM, in the STREAM construction.

Layout: MAGIC, the id of the store key (16 bytes), a salt (32 bytes); then chunks of CHUNK bytes, each with a tag of 16.
The file's own key is HKDF-SHA256 of the store key and the salt, so no nonce is ever used twice. A nonce is the chunk's
number and whether it is the last: what is cut, moved or swapped does not open (https://eprint.iacr.org/2015/189). The
object's name in the store is authenticated too, so none passes for one that it was not sealed as.
"""

import errno
import io
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from portal_wire.errors import Unavailable

MAGIC = b"LBX\x01"
CHUNK = 256 * 1024
_ID, _SALT, _TAG = 16, 32, 16
HEAD = len(MAGIC) + _ID + _SALT
# `seal` reads a chunk ahead of what it writes, and each chunk grows by a tag: a file can be sealed in its own place
# until all the tags together fill a chunk.
IN_PLACE_BYTES = (CHUNK - HEAD) // _TAG * CHUNK


def seal(source: BinaryIO, target: BinaryIO, size: int, name: str, key_id: bytes, key: bytes) -> None:
    """Write the `size` bytes of `source` sealed to `target`, which may be the same file up to IN_PLACE_BYTES.

    Raises OSError where the source is shorter."""
    salt = os.urandom(_SALT)
    cipher, last = _cipher(key, salt), max(0, -(-size // CHUNK) - 1)
    chunk = _exactly(source, min(CHUNK, size))
    target.write(MAGIC + key_id + salt)
    for number in range(last + 1):
        left = size - (number + 1) * CHUNK
        following = _exactly(source, min(CHUNK, left)) if left > 0 else b""
        target.write(cipher.encrypt(_nonce(number, number == last), chunk, name.encode()))
        chunk = following


def _exactly(source: BinaryIO, size: int) -> bytes:
    data = source.read(size)
    if len(data) != size:
        raise OSError(errno.EIO, "The file that is to be sealed has become shorter.")
    return data


def plain_size(sealed_bytes: int) -> int:
    """How long a sealed file of so many bytes is when it is open."""
    body = sealed_bytes - HEAD
    return max(0, body - _TAG * -(-body // (CHUNK + _TAG)))


class SealedFile(io.RawIOBase):
    """What was sealed under one of `names`, seekable: only the chunks that are read are opened. Put io.BufferedReader
    round it.

    Raises Unavailable for what was changed, and for a key that is not there.
    """

    def __init__(self, sealed: BinaryIO, names: Sequence[str], key_of: Callable[[bytes], bytes]) -> None:
        self._sealed, self._names, self._at, self._held = sealed, [name.encode() for name in names], 0, (-1, b"")
        head = sealed.read(HEAD)
        if len(head) < HEAD or not head.startswith(MAGIC):
            raise damaged()
        whole = sealed.seek(0, os.SEEK_END)
        self._size, self._last = plain_size(whole), max(0, -(-(whole - HEAD) // (CHUNK + _TAG)) - 1)
        self._cipher = _cipher(key_of(head[len(MAGIC) : len(MAGIC) + _ID]), head[-_SALT:])

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed's Buffer has no length
        number, start = divmod(self._at, CHUNK)
        if self._over():
            return 0
        part = self._chunk(number)[start : start + len(buffer)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)

    def readall(self) -> bytes:
        """The rest, chunk by chunk: io's own goes through a file in 8 KiB steps."""
        if self._over():
            return b""
        number, start = divmod(self._at, CHUNK)
        parts = [self._chunk(number)[start:], *(self._chunk(each) for each in range(number + 1, self._last + 1))]
        self._at = self._size
        return b"".join(parts)

    def close(self) -> None:
        self._sealed.close()
        super().close()

    def _over(self) -> bool:
        """At the end, but for an empty file that was not looked at: its one chunk may not open."""
        return self._at >= self._size and self._at > 0

    def _chunk(self, number: int) -> bytes:
        if self._held[0] != number:
            self._sealed.seek(HEAD + number * (CHUNK + _TAG))
            self._held = number, self._opened(self._sealed.read(CHUNK + _TAG), _nonce(number, number == self._last))
        return self._held[1]

    def _opened(self, sealed: bytes, nonce: bytes) -> bytes:
        """All chunks of a file have one name: that of the first that opens is the only one from then on."""
        for name in self._names:
            with suppress(InvalidTag):
                opened = self._cipher.decrypt(nonce, sealed, name)
                self._names = [name]
                return opened
        raise damaged()


def damaged() -> Unavailable:
    """What a person is told; nothing of a damaged file is given away."""
    return Unavailable("A stored file cannot be opened: it was changed, or its key is not here.", code="store_damaged")


def _cipher(key: bytes, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt, b"lightbox stored file").derive(key))


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])
