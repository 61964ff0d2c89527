"""ZIP archives: what is in them is counted and weighed by their directory before anything is unpacked."""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from app_service.intake.refusals import corrupt, too_large_inflated
from portal_wire.errors import Unprocessable

MOST_ENTRIES = 2000
MOST_INFLATED_BYTES = 2**30
MOST_RATIO, RATIO_FROM_BYTES = 200, 10 * 2**20
ENCRYPTED = 0x1
# What `zipfile` raises for an archive whose numbers lie, as found by fuzzing.
_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, struct.error),
    *(ValueError, EOFError, OSError, NotImplementedError, RuntimeError, IndexError),
)
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# APPNOTE 4.3.7, 4.3.12 and 4.3.16 (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT).
_LOCAL_HEADER, _DIRECTORY_ENTRY, _DIRECTORY_END = 30, struct.Struct("<4s4B4HL2L5H2L"), struct.Struct("<4s4H2LH")
_SIZES_FOLLOW, _LONGEST_SIZES = 0x8, 24
Ranges = list[tuple[int, int]]  # where, and how many bytes


@dataclass(frozen=True)
class Entry:
    """`name` is for people; nothing is ever written under it. `place` is the file itself: two may have one name."""

    name: str
    place: zipfile.ZipInfo


def open_archive(data: bytes) -> zipfile.ZipFile:
    """Raises Unprocessable `corrupt`, `too_many_files`, `archive_unsafe` or `too_large_inflated`."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except _DAMAGE as error:
        raise corrupt("Its ZIP directory cannot be read.") from error
    files = [entry for entry in archive.infolist() if not _folder(entry)]
    if len(archive.infolist()) > MOST_ENTRIES:
        raise Unprocessable(f"The archive holds more than {MOST_ENTRIES:,} files.", code="too_many_files")
    if any(_unsafe(entry) for entry in files):
        raise Unprocessable(
            "The archive is encrypted, packed in a way of its own, or names files outside itself.",
            code="archive_unsafe",
        )
    total = sum(entry.file_size for entry in files)
    if total > MOST_INFLATED_BYTES or total > max(RATIO_FROM_BYTES, MOST_RATIO * len(data)):
        raise too_large_inflated()
    return archive


def entries(archive: zipfile.ZipFile) -> list[Entry]:
    """The files in the archive's order, without what computers add of their own."""
    found = []
    for info in archive.infolist():
        last = info.filename.rsplit("/", 1)[-1]
        if _folder(info) or not info.file_size or last.startswith(".") or "__MACOSX/" in info.filename:
            continue
        name = "".join(character for character in last if character.isprintable())[-200:] or "unnamed"
        found.append(Entry(name, info))
    return found


def member(archive: zipfile.ZipFile, place: zipfile.ZipInfo) -> bytes:
    """A file's content. Raises Unprocessable `corrupt`; never gives more than the directory announced."""
    try:
        with archive.open(place) as file:
            data = file.read(place.file_size)
            if file.read(1):
                raise too_large_inflated()
    except _DAMAGE as error:
        raise corrupt("A file in the archive cannot be unpacked.") from error
    return data


def part_of(archive: zipfile.ZipFile, data: bytes, chosen: Iterable[Entry]) -> tuple[Ranges, bytes]:
    """Where some of an archive's files lie in it, packed as they are, and the directory that makes an archive of them
    once they stand one behind the other. Raises Unprocessable `corrupt`."""
    ranges: Ranges = []
    directory, at = b"", 0
    for info in (entry.place for entry in chosen):
        start = info.header_offset
        try:
            name_bytes, extra_bytes = struct.unpack_from("<2H", data, start + _LOCAL_HEADER - 4)
        except struct.error as error:
            raise corrupt("A file in the archive cannot be unpacked.") from error
        end = start + _LOCAL_HEADER + name_bytes + extra_bytes + info.compress_size
        end = min(len(data), end + (_LONGEST_SIZES if info.flag_bits & _SIZES_FOLLOW else 0))
        name = data[start + _LOCAL_HEADER : start + _LOCAL_HEADER + name_bytes]  # as bytes: its coding is unknown
        directory += _directory_entry(info, name, at)
        ranges.append((start, end - start))
        at += end - start
    count = len(ranges)
    return ranges, directory + _DIRECTORY_END.pack(b"PK\5\6", 0, 0, count, count, len(directory), at, 0)


def _directory_entry(info: zipfile.ZipInfo, name: bytes, at: int) -> bytes:
    year, month, day, hour, minute, second = info.date_time
    when = (hour << 11 | minute << 5 | second // 2, (year - 1980) << 9 | month << 5 | day)
    made_by = (info.create_version, info.create_system, info.extract_version, info.reserved)
    packed = (info.flag_bits, info.compress_type, *when, info.CRC, info.compress_size, info.file_size)
    rest = (len(name), 0, 0, 0, info.internal_attr & 0xFFFF, info.external_attr & 0xFFFFFFFF, at)
    return _DIRECTORY_ENTRY.pack(b"PK\1\2", *made_by, *packed, *rest) + name


def _folder(entry: zipfile.ZipInfo) -> bool:
    return entry.filename.endswith("/")  # ZipInfo's own fails at an empty name


def _unsafe(entry: zipfile.ZipInfo) -> bool:
    name = entry.filename.replace("\\", "/")
    outside = name.startswith("/") or name[1:2] == ":" or ".." in name.split("/")
    link = stat.S_ISLNK(entry.external_attr >> 16)
    return outside or link or bool(entry.flag_bits & ENCRYPTED) or entry.compress_type not in METHODS
