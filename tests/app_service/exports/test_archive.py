"""The zip is whole, streamed, and never looks whole when it is not."""

import io
import json
import os
import zipfile
from collections.abc import Iterator
from functools import partial

import pytest

from app_service.exports.archive import zip_stream


def opened(data: bytes) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(data))


def test_entries_come_back() -> None:
    result = json.dumps({"label": "normal"} | dict.fromkeys(map(str, range(500)), 0)).encode()
    entries = {"image.png": os.urandom(3000), "result.json": result, "empty.txt": b"", "Röntgen/1.png": b"x"}
    archive = opened(b"".join(zip_stream((name, partial(bytes, body)) for name, body in entries.items())))
    assert archive.testzip() is None
    assert {name: archive.read(name) for name in archive.namelist()} == entries
    assert archive.getinfo("image.png").compress_type == zipfile.ZIP_STORED
    assert archive.getinfo("result.json").compress_size < len(result) / 4


def test_an_archive_of_nothing_opens() -> None:
    assert opened(b"".join(zip_stream([]))).namelist() == []


def test_one_entry_is_made_at_a_time() -> None:
    made: list[int] = []

    def content(number: int) -> bytes:
        made.append(number)
        return bytes(1000)

    stream: Iterator[bytes] = zip_stream((f"{number}.png", partial(content, number)) for number in range(9))
    first = next(stream)
    assert made == [0]
    assert 1000 < len(first) < 1200
    second = next(stream)
    assert made == [0, 1]
    assert 1000 < len(second) < 1200


def test_a_broken_entry_leaves_no_whole_archive() -> None:
    def missing() -> bytes:
        raise FileNotFoundError

    received = []
    with pytest.raises(FileNotFoundError):
        for part in zip_stream([("a.png", lambda: b"a"), ("b.png", missing)]):
            received.append(part)
    with pytest.raises(zipfile.BadZipFile):
        opened(b"".join(received))
