"""Compressed zeros of any length in no time: one block is compressed once and written as often as needed."""

import enum
import struct
import zlib

BLOCK = 2**20


class Packed(enum.Enum):
    """What stands around the deflated data."""

    RAW = 0
    ZLIB = 1
    GZIP = 2


def deflated_zeros(length: int, packed: Packed, before: bytes = b"") -> bytes:
    """`before` and then zeros, `length` bytes in all, as a deflate stream with its checksum (RFC 1950 to 1952)."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = packer.compress(before) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(BLOCK)) + packer.flush(zlib.Z_FULL_FLUSH)
    blocks, rest = divmod(length - len(before), BLOCK)
    last = packer.compress(bytes(rest)) + packer.flush(zlib.Z_FINISH)
    body = first + block * blocks + last
    if packed is Packed.ZLIB:
        return b"\x78\x9c" + body + struct.pack(">I", _checksum(zlib.adler32, before, length))
    if packed is Packed.GZIP:
        trailer = struct.pack("<II", crc_of_zeros(length, before), length % 2**32)
        return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + body + trailer
    return body


def crc_of_zeros(length: int, before: bytes = b"") -> int:
    """The CRC of `before` and zeros up to `length`; of more than 2 GiB nobody waits for it, and it is wrong."""
    return _checksum(zlib.crc32, before, length) if length <= 2**31 else 0


def _checksum(function: object, before: bytes, length: int) -> int:
    assert callable(function)
    value: int = function(before)
    blocks, rest = divmod(length - len(before), BLOCK)
    zeros = bytes(BLOCK)
    for _ in range(blocks):
        value = function(zeros, value)
    return int(function(zeros[:rest], value))
