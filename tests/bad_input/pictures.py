"""B01 to B26: PNG, JPEG and what pretends to be one. Everything is built here; nothing large lies in the repository."""

import io
import random
import struct
import zlib
from typing import Any

import numpy as np
import piexif
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from tests.bad_input.zeros import Packed, deflated_zeros

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HTML = b"<html><script>alert('polyglot')</script></html>"
NOISE: NDArray[Any] = np.random.default_rng(1).integers(0, 256, (96, 128), dtype=np.uint8)


def saved(pixels: NDArray[Any] | Image.Image = NOISE, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    picture = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    picture.save(file, kind, **options)
    return file.getvalue()


def chunk(name: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def header(columns: int, rows: int) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0))


def before_the_end(*chunks: bytes) -> bytes:
    """A good PNG with more chunks in it."""
    good = saved()
    at = good.index(b"IDAT") - 4
    return good[:at] + b"".join(chunks) + good[at:]


def program() -> bytes:
    return b"MZ\x90\0" + bytes(60) + b"PE\0\0" + random.Random(4).randbytes(4096)


def drawing() -> bytes:
    return b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def random_bytes() -> bytes:
    return b"\x01" + random.Random(8).randbytes(2**20)


def with_html() -> bytes:
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", HTML.decode())
    return saved(pnginfo=text)


def with_zip() -> bytes:
    return saved(kind="JPEG") + b"PK\x03\x04" + bytes(60) + HTML + b"PK\x05\x06" + bytes(18)


def flipped() -> bytes:
    data = bytearray(saved())
    data[data.index(b"IDAT") + 100] ^= 1
    return bytes(data)


def black(side: int) -> bytes:
    """A whole PNG of side x side black pixels: each row is a filter byte and its pixels, all zero."""
    body = deflated_zeros(side * (side + 1), Packed.ZLIB)
    return SIGNATURE + header(side, side) + chunk(b"IDAT", body) + chunk(b"IEND")


def text_bomb() -> bytes:
    packed = deflated_zeros(2**20, Packed.ZLIB)
    return before_the_end(*[chunk(b"zTXt", b"Comment\0\0" + packed)] * 64)


def animated() -> bytes:
    frame = chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 128, 96, 0, 0, 1, 10, 0, 0))
    return before_the_end(chunk(b"acTL", struct.pack(">II", 10_000, 0)), frame * 10_000)


def huge_jpeg() -> bytes:
    data = bytearray(saved(kind="JPEG"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", 65500, 65500)
    return bytes(data)


def many_scans() -> bytes:
    """A progressive JPEG whose last scan comes a thousand times: each makes a decoder go through the picture."""
    data = saved(np.kron(NOISE, np.ones((8, 8), np.uint8)), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + (data[last:-2]) * 1000 + data[-2:]


def located(whose: bytes = b"Canary^Marigold") -> bytes:
    """Where and on whom: GPS, a name and a thumbnail."""
    thumbnail = saved(NOISE[:48, :64], "JPEG")
    facts = {
        "0th": {piexif.ImageIFD.Artist: whose, piexif.ImageIFD.ImageDescription: b"Canary-4711"},
        "GPS": {piexif.GPSIFD.GPSLatitude: ((48, 1), (8, 1), (14, 1)), piexif.GPSIFD.GPSLatitudeRef: b"N"},
        "1st": {piexif.ImageIFD.Compression: 6},
        "thumbnail": thumbnail,
    }
    return saved(kind="JPEG", exif=piexif.dump(facts))


def fits() -> bytes:
    cards = [
        "SIMPLE  =                    T",
        "BITPIX  =                    8",
        "NAXIS   =                    0",
        "END",
    ]
    return "".join(card.ljust(80) for card in cards).encode().ljust(2880)


def photoshop() -> bytes:
    return b"8BPS\0\x01" + bytes(6) + struct.pack(">HIIHH", 3, 64, 64, 8, 3) + bytes(200)


def mode(name: str, kind: str = "PNG") -> bytes:
    return saved(Image.fromarray(np.dstack([NOISE, NOISE[::-1], NOISE.T.reshape(96, 128)])).convert(name), kind)


def line() -> NDArray[Any]:
    return np.zeros((1, 20_000), np.uint8)
