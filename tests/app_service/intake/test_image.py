"""Every kind of PNG and JPEG gives the same pixels as its plainly converted twin."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import piexif
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from app_service.intake import image
from app_service.intake.image import PARSERS, Picture
from app_service.intake.limits import Limits
from app_service.intake.notices import TEXTS
from portal_wire.errors import Unprocessable

Array = NDArray[Any]


def film(rows: int = 120, columns: int = 90) -> Array:
    """A smooth grey picture that differs in every corner, as a film does."""
    corners = np.random.default_rng(3).integers(0, 256, (6, 5)).astype(np.float32)
    smooth = cv2.resize(corners, (columns, rows), interpolation=cv2.INTER_CUBIC)
    return np.clip(smooth, 0, 255).astype(np.uint8)


def saved(picture: Image.Image | Array, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    image.save(file, kind, **options)
    return file.getvalue()


def examined(data: bytes) -> tuple[Picture, Array]:
    """The canonical picture and its pixels, colours as red, green, blue."""
    picture = PARSERS["image/png" if data.startswith(b"\x89") else "image/jpeg"](data, Limits())
    pixels = cv2.imdecode(np.frombuffer(picture.body, np.uint8), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    assert pixels.shape == picture.shape
    return picture, pixels if pixels.ndim == 2 else pixels[..., ::-1]


GREY = film()
COLOUR = np.dstack([GREY, GREY[::-1], GREY[:, ::-1]])
ALPHA = GREY[::-1, ::-1]
WIDE = GREY.astype(np.uint16) * 257 + 3


def wide_png(pixels: Array) -> bytes:
    """16 bits a channel, which Pillow cannot write in colour."""
    return bytes(cv2.imencode(".png", pixels)[1].tobytes())


@pytest.mark.parametrize(
    ("data", "twin"),
    [
        (saved(GREY), GREY),
        (saved(GREY, interlace=1), GREY),
        (saved(COLOUR), COLOUR),
        (saved(np.dstack([GREY] * 3)), GREY),
        (saved(Image.fromarray(GREY).convert("P")), GREY),
        (saved(Image.fromarray(GREY).convert("1")), np.asarray(Image.fromarray(GREY).convert("1")) * np.uint8(255)),
        (
            saved(Image.fromarray(COLOUR).quantize(64)),
            np.asarray(Image.fromarray(COLOUR).quantize(64).convert("RGB")),
        ),
        (wide_png(WIDE), WIDE),
        (wide_png(np.dstack([WIDE] * 3)), WIDE),
        (wide_png(np.dstack([WIDE, WIDE[::-1], WIDE])), np.dstack([WIDE, WIDE[::-1], WIDE])),
        (saved(Image.fromarray(GREY).convert("LA")), GREY),
        (saved(np.dstack([COLOUR, np.full_like(GREY, 255)])), COLOUR),
        (saved(np.dstack([GREY, ALPHA])), np.rint(GREY / 255 * ALPHA).astype(np.uint8)),
        (saved(np.dstack([COLOUR, ALPHA])), np.rint(COLOUR / 255 * ALPHA[..., None]).astype(np.uint8)),
        (saved(GREY, transparency=int(GREY[5, 5])), np.where(GREY == GREY[5, 5], 0, GREY)),
        (saved(GREY, transparency=0, icc_profile=b"profile"), GREY),
    ],
    ids=[
        *("grey", "interlaced", "colour", "grey as colour", "grey palette", "1 bit", "palette"),
        *("16 bit", "16 bit grey as colour", "16 bit colour", "opaque grey", "opaque colour", "grey alpha"),
        *("colour alpha", "transparent value", "transparent black"),
    ],
)
def test_png_equals_its_twin(data: bytes, twin: Array) -> None:
    picture, pixels = examined(data)
    assert picture.media_type == "image/png"
    assert pixels.dtype == twin.dtype
    np.testing.assert_array_equal(pixels, twin)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 95}, {"restart_marker_rows": 1}], ids=str)
@pytest.mark.parametrize("pixels", [GREY, COLOUR], ids=["grey", "colour"])
def test_a_common_jpeg_keeps_its_data(pixels: Array, options: dict[str, Any]) -> None:
    data = saved(pixels, "JPEG", **options, comment=b"Jane Doe")
    picture, kept = examined(data)
    assert picture.media_type == "image/jpeg"
    assert b"Jane Doe" not in picture.body
    np.testing.assert_array_equal(kept, np.asarray(Image.open(io.BytesIO(data))))


def rgb_of(data: bytes) -> Array:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


@pytest.mark.parametrize(
    "data",
    [
        saved(np.dstack([GREY] * 3), "JPEG"),
        saved(np.dstack([GREY] * 3), "JPEG", keep_rgb=True),
        saved(Image.fromarray(GREY).convert("CMYK"), "JPEG"),
        saved(COLOUR, "JPEG", keep_rgb=True),
        saved(Image.fromarray(COLOUR).convert("CMYK"), "JPEG"),
    ],
    ids=["grey as colour", "grey as RGB", "grey as CMYK", "RGB", "CMYK"],
)
def test_a_rare_jpeg_equals_its_twin(data: bytes) -> None:
    _, pixels = examined(data)
    twin = rgb_of(data)
    if (twin == twin[..., :1]).all():
        twin = twin[..., 0]
    assert pixels.shape == twin.shape
    # CMYK to RGB is integer arithmetic that Pillow and OpenCV round differently.
    assert np.abs(pixels.astype(int) - twin).max() <= 1


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("pixels", [GREY, COLOUR], ids=["grey", "colour"])
def test_a_turned_picture_stands_upright(pixels: Array, kind: str, orientation: int) -> None:
    exif = piexif.dump({"0th": {piexif.ImageIFD.Orientation: orientation}})
    data = saved(pixels, kind, exif=exif)
    picture, turned = examined(data)
    with Image.open(io.BytesIO(data)) as stored:
        np.testing.assert_array_equal(turned, np.asarray(ImageOps.exif_transpose(stored)))
    assert picture.warnings == ([] if orientation == 1 else ["turned_upright"])


@pytest.mark.parametrize("block", [b"Exif\0\0", b"Exif\0\0MM\0*\xff\xff\xff\xff", b"Exif\0\0" + b"\xff" * 40])
def test_a_bad_exif_block_spoils_no_picture(block: bytes) -> None:
    _, pixels = examined(saved(GREY, "JPEG", exif=block))
    assert pixels.shape == GREY.shape


def cut_with_an_end(data: bytes) -> bytes:
    return data[: len(data) // 2] + b"\xff\xd9"


def with_short_data(data: bytes) -> bytes:
    """A PNG whose chunks are whole, but with fewer rows than its header says."""
    at = data.index(b"IDAT")
    size = int.from_bytes(data[at - 4 : at], "big")
    body = zlib.compress(zlib.decompress(data[at + 4 : at + 4 + size])[:-200])
    whole = struct.pack(">I", len(body)) + b"IDAT" + body + struct.pack(">I", zlib.crc32(b"IDAT" + body))
    return data[: at - 4] + whole + data[at + 8 + size :]


@pytest.mark.parametrize(
    "damaged",
    [
        lambda: cut_with_an_end(saved(GREY, "JPEG")),
        lambda: cut_with_an_end(saved(COLOUR, "JPEG")),
        lambda: cut_with_an_end(saved(GREY, "JPEG", progressive=True)),
        lambda: cut_with_an_end(saved(Image.fromarray(COLOUR).convert("CMYK"), "JPEG")),
        lambda: saved(GREY, "JPEG").replace(b"\xff\xdb", b"\xff\xfe"),
        lambda: with_short_data(saved(GREY)),
    ],
    ids=["cut grey", "cut colour", "cut progressive", "cut CMYK", "without tables", "short PNG"],
)
def test_damage_that_decoders_forgive_is_refused(damaged: Callable[[], bytes]) -> None:
    with pytest.raises(Unprocessable) as caught:
        examined(damaged())
    assert caught.value.code == "corrupt"


def test_bytes_hidden_behind_the_last_block_go() -> None:
    data = saved(GREY, "JPEG", quality=95)
    hidden = b"<script>alert(1)</script>"
    picture, pixels = examined(data[:-2] + hidden + b"\xff\xd9")
    assert hidden not in picture.body
    assert picture.warnings == ["spare_bytes"]
    np.testing.assert_array_equal(pixels, np.asarray(Image.open(io.BytesIO(data))))


@pytest.mark.parametrize("value", [0, 255])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_blank_picture_is_said_to_be_one(value: int, kind: str) -> None:
    picture, _ = examined(saved(np.full((64, 64), value, np.uint8), kind))
    assert picture.warnings == ["low_quality"]


def test_many_scans_are_not_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A progressive JPEG of a thousand scans would cost each later reader what it cost here."""
    data = saved(GREY, "JPEG", progressive=True)
    monkeypatch.setattr(image, "USUAL_SCANS", 2)
    picture, pixels = examined(data)
    assert picture.media_type == "image/png"
    np.testing.assert_array_equal(pixels, np.asarray(Image.open(io.BytesIO(data))))


def test_every_warning_has_words_and_all_words_a_warning() -> None:
    assert {image.TURNED, image.SPARE_BYTES, image.BLANK} <= set(TEXTS)
    files = [path for path in Path(image.__file__).parent.glob("*.py") if path.name != "notices.py"]
    code = "".join(path.read_text() for path in files)
    assert [word for word in TEXTS if f'"{word}"' not in code] == []
