"""The PNG reader checks every chunk that it keeps, and keeps the picture alone."""

import io
import struct
import zlib
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from app_service.intake.limits import Limits
from app_service.intake.png import SIGNATURE, read_png
from portal_wire.errors import Unprocessable

ANY_SIZE = Limits(min_side_pixels=1)
SECRET = "Jane Doe 1970"


def png(**options: Any) -> bytes:
    noise = np.random.default_rng(7).integers(0, 256, (40, 60), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "PNG", **options)
    return file.getvalue()


def chunk(name: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def header(columns: int, rows: int) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0))


GOOD = png()
FIRST = len(SIGNATURE) + 25  # where the header chunk ends
IDAT = GOOD.index(b"IDAT")


def flipped(place: int) -> bytes:
    data = bytearray(GOOD)
    data[place] ^= 1
    return bytes(data)


def test_text_and_trailing_bytes_go() -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Patient", SECRET)
    text.add_text("Packed", SECRET * 100_000, zip=True)
    data = png(pnginfo=text, icc_profile=b"profile", dpi=(72, 72)) + f"<script>{SECRET}</script>".encode()
    assert read_png(data, ANY_SIZE).stripped == GOOD


def test_grey_with_one_transparent_value() -> None:
    assert read_png(png(transparency=9), ANY_SIZE).transparent_grey == 9
    assert read_png(GOOD, ANY_SIZE).transparent_grey is None


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "corrupt"),
        (SIGNATURE, "corrupt"),
        (GOOD[: len(GOOD) * 6 // 10], "corrupt"),
        (GOOD[:-1], "corrupt"),
        (GOOD[:-12], "corrupt"),
        (flipped(IDAT + 50), "corrupt"),
        (flipped(IDAT - 1), "corrupt"),
        (flipped(len(GOOD) - 1), "corrupt"),
        (SIGNATURE + chunk(b"IDAT") + GOOD[8:], "corrupt"),
        (GOOD[:FIRST] + GOOD[8:], "corrupt"),
        (GOOD[:FIRST] + chunk(b"EVIL") + GOOD[FIRST:], "corrupt"),
        (GOOD[:FIRST] + chunk(b"IEND"), "corrupt"),
        (SIGNATURE + chunk(b"IHDR", b"short") + GOOD[FIRST:], "corrupt"),
        (GOOD[:FIRST] + chunk(b"acTL", bytes(8)) + GOOD[FIRST:], "multiframe_not_allowed"),
        (SIGNATURE + header(20_000, 20_000), "too_many_pixels"),
        (SIGNATURE + header(2**31 - 1, 2**31 - 1), "too_many_pixels"),
        (SIGNATURE + header(0, 10), "too_small"),
    ],
)
def test_refused(data: bytes, code: str) -> None:
    with pytest.raises(Unprocessable) as caught:
        read_png(data, ANY_SIZE)
    assert caught.value.code == code


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(8, len(GOOD) - 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_no_change_of_a_good_file_crashes_it(changes: list[tuple[int, int]]) -> None:
    data = bytearray(GOOD)
    for place, value in changes:
        data[place] = value
    with suppress(Unprocessable):
        assert read_png(bytes(data), ANY_SIZE).stripped == GOOD
