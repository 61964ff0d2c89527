"""The JPEG walker keeps the picture and nothing else, and ends on whatever bytes it is given."""

import io
from contextlib import suppress
from typing import Any

import numpy as np
import piexif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from app_service.intake.jpeg import read_jpeg
from app_service.intake.limits import Limits
from portal_wire.errors import Unprocessable

ANY_SIZE = Limits(min_side_pixels=1)
SECRET = b"Jane Doe 1970"


def jpeg(mode: str = "L", size: tuple[int, int] = (70, 50), **options: Any) -> bytes:
    """Noise, so that every coefficient counts."""
    channels = len(Image.new(mode, (1, 1)).getbands())
    shape = (size[1], size[0]) if channels == 1 else (size[1], size[0], channels)
    noise = np.random.default_rng(7).integers(0, 256, shape, dtype=np.uint8)
    file = io.BytesIO()
    Image.frombytes(mode, size, noise.tobytes()).save(file, "JPEG", **options)
    return file.getvalue()


def pixels(data: bytes) -> bytes:
    return Image.open(io.BytesIO(data)).tobytes()


def exif_with_gps() -> bytes:
    thumbnail = jpeg()
    block = {"0th": {piexif.ImageIFD.Artist: SECRET}, "GPS": {piexif.GPSIFD.GPSDateStamp: b"2020:01:01"}}
    return bytes(piexif.dump({**block, "1st": {}, "thumbnail": thumbnail}))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"quality": 100},
        {"quality": 5},
        {"progressive": True},
        {"optimize": True},
        {"restart_marker_blocks": 1},
        {"subsampling": 0},
        {"subsampling": 2},
        {"keep_rgb": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_pixels_stay(mode: str, options: dict[str, Any]) -> None:
    data = jpeg(mode, **options)
    assert pixels(read_jpeg(data, ANY_SIZE).stripped) == pixels(data)


def test_everything_else_goes() -> None:
    data = jpeg("RGB", exif=exif_with_gps(), comment=SECRET, icc_profile=SECRET, xmp=SECRET)
    data += b"PK\x03\x04" + SECRET
    stripped = read_jpeg(data, ANY_SIZE).stripped
    assert data.count(SECRET) == 5
    assert SECRET not in stripped
    assert b"Exif" not in stripped
    assert stripped.endswith(b"\xff\xd9")
    assert stripped.count(b"\xff\xd8\xff") == 1
    assert pixels(stripped) == pixels(data)


def test_a_second_picture_goes() -> None:
    data = jpeg()
    assert read_jpeg(data + jpeg("RGB"), ANY_SIZE).stripped == read_jpeg(data, ANY_SIZE).stripped


def test_what_the_header_says() -> None:
    read = read_jpeg(jpeg("RGB", (70, 50), progressive=True, exif=exif_with_gps()), ANY_SIZE)
    assert (read.frame.columns, read.frame.rows, read.frame.components) == (70, 50, 3)
    assert read.frame.huffman
    assert read.scans > 1
    assert read.exif is not None


def patched_frame(offset: int, value: bytes) -> bytes:
    """The frame header's parameters overwritten from `offset` on: precision, rows, columns, components."""
    data = bytearray(jpeg())
    at = data.index(b"\xff\xc0") + 4 + offset
    data[at : at + len(value)] = value
    return bytes(data)


def with_frame_marker(marker: int) -> bytes:
    return jpeg().replace(b"\xff\xc0", bytes((0xFF, marker)), 1)


GOOD = jpeg()
SCAN = GOOD.index(b"\xff\xda")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "corrupt"),
        (b"\xff\xd8", "corrupt"),
        (b"\xff\xd8\xff\xd9", "corrupt"),
        (b"\xff\xd8" + b"\xff" * 1000, "corrupt"),
        (b"\x89PNG", "corrupt"),
        (GOOD[: len(GOOD) * 6 // 10], "corrupt"),
        (GOOD[:-2], "corrupt"),
        (GOOD[:-1], "corrupt"),
        (GOOD[:SCAN] + b"\xff\xd9", "corrupt"),
        (GOOD[:SCAN] + b"stray" + GOOD[SCAN:], "corrupt"),
        (GOOD[:2] + b"\xff\xd0" + GOOD[2:], "corrupt"),
        (GOOD[:2] + b"\xff\xe0\x00\x01" + GOOD[2:], "corrupt"),
        (GOOD[:-2] + GOOD[2:], "corrupt"),
        (patched_frame(5, b"\2"), "corrupt"),
        (patched_frame(0, b"\x0c"), "type_not_allowed"),
        (with_frame_marker(0xC3), "type_not_allowed"),
        (patched_frame(1, b"\xff\xdc\xff\xdc"), "too_many_pixels"),
        (patched_frame(1, b"\0\0"), "too_small"),
    ],
)
def test_refused(data: bytes, code: str) -> None:
    with pytest.raises(Unprocessable) as caught:
        read_jpeg(data, ANY_SIZE)
    assert caught.value.code == code


@given(st.binary(max_size=400))
def test_no_bytes_crash_it(data: bytes) -> None:
    with suppress(Unprocessable):
        read_jpeg(b"\xff\xd8" + data, ANY_SIZE)


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(2, len(GOOD) - 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_no_change_of_a_good_file_crashes_it(changes: list[tuple[int, int]]) -> None:
    data = bytearray(GOOD)
    for place, value in changes:
        data[place] = value
    with suppress(Unprocessable):
        stripped = read_jpeg(bytes(data), ANY_SIZE).stripped
        assert len(stripped) <= len(data)
        assert read_jpeg(stripped, ANY_SIZE).stripped == stripped


@settings(max_examples=50)
@given(
    mode=st.sampled_from(["L", "RGB", "CMYK"]),
    width=st.integers(1, 40),
    height=st.integers(1, 40),
    quality=st.integers(1, 100),
    progressive=st.booleans(),
    tail=st.binary(max_size=50),
)
def test_any_size_keeps_its_pixels(
    mode: str, width: int, height: int, quality: int, progressive: bool, tail: bytes
) -> None:
    data = jpeg(mode, (width, height), quality=quality, progressive=progressive)
    stripped = read_jpeg(data + tail, ANY_SIZE).stripped
    assert pixels(stripped) == pixels(data)
    assert read_jpeg(stripped, ANY_SIZE).stripped == stripped
