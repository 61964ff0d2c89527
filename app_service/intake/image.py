"""PNG and JPEG to the canonical picture: 8- or 16-bit, grey or RGB, upright, without metadata or foreign bytes.

Runs in the sandbox's child. A common JPEG keeps its own compressed data, so that no pixel changes and little time
goes; everything else is decoded and written anew as PNG.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2

from app_service.intake.decoding import decode
from app_service.intake.jpeg import File, Jpeg, read_jpeg
from app_service.intake.limits import Limits
from app_service.intake.medical import FORMATS
from app_service.intake.orientation import orientation, upright
from app_service.intake.pixels import Pixels, encode_png, grey_if_equal, on_black
from app_service.intake.png import read_png

# Encoders write ten or so; a thousand make a decompression bomb of the copy that models and browsers read.
USUAL_SCANS = 32
READING_SIDE = 448  # pixels of the shorter side: as the ML tier's `tasks.decode`, so that both read the same levels
REDUCED = {2: cv2.IMREAD_REDUCED_GRAYSCALE_2, 4: cv2.IMREAD_REDUCED_GRAYSCALE_4, 8: cv2.IMREAD_REDUCED_GRAYSCALE_8}
TURNED, SPARE_BYTES, BLANK = "turned_upright", "spare_bytes", "low_quality"


@dataclass(frozen=True)
class Picture:
    """`shape` is rows, columns[, 3]; `body` is the file to keep; `warnings` are codes of `notices.py`.

    `reading` is the same picture at the size that the ML tier would decode it to, where that is smaller.
    """

    media_type: str
    shape: tuple[int, ...]
    body: File
    warnings: list[str]
    reading: Pixels | None = None


def from_png(data: bytes, limits: Limits) -> Picture:
    """Raises Unprocessable with the codes of `refusals`."""
    header = read_png(data, limits)
    pixels, spare = decode(header.stripped)
    if header.transparent_grey is not None:  # OpenCV heeds tRNS in colour pictures only
        scale = 1 if header.bits == 16 else 255 // (2**header.bits - 1)  # 1, 2 and 4 bits are decoded to 8
        pixels[pixels == header.transparent_grey * scale] = 0
    return _written_anew(pixels, header.exif, spare)


def from_jpeg(data: File, limits: Limits) -> Picture:
    """Raises Unprocessable with the codes of `refusals`."""
    header = read_jpeg(data, limits)
    common = header.frame.huffman and header.frame.components < 4 and header.scans <= USUAL_SCANS
    if common and orientation(header.exif) == 1:
        kept = _kept_as_it_is(header)
        if kept:
            return kept
    pixels, spare = decode(header.stripped)
    return _written_anew(pixels, header.exif, spare)


def _kept_as_it_is(header: Jpeg) -> Picture | None:
    """The stripped JPEG, unless it has bytes to spare or its three channels seem to be one grey."""
    frame = header.frame
    shape = (frame.rows, frame.columns)
    if frame.components > 1:
        # At an eighth of the size every coded bit is still read, so damage shows; only the arithmetic is saved.
        preview, spare = decode(header.stripped, cv2.IMREAD_REDUCED_COLOR_8)
        if spare or grey_if_equal(preview).ndim == 2:
            return None
        return Picture("image/jpeg", (*shape, 3), header.stripped, _remarks(preview))
    by = next((by for by in (8, 4, 2) if min(shape) >= by * READING_SIDE), None)
    plane, spare = decode(header.stripped, REDUCED[by or 8])
    if spare:
        return None
    return Picture("image/jpeg", shape, header.stripped, _remarks(plane), plane if by else None)


def _remarks(preview: Pixels) -> list[str]:
    return [BLANK] if _blank(preview) else []


def _written_anew(pixels: Pixels, exif: bytes | None, spare: bool) -> Picture:
    turn = orientation(exif)
    pixels = grey_if_equal(on_black(upright(pixels, turn)))
    found = ((TURNED, turn != 1), (SPARE_BYTES, spare), (BLANK, _blank(pixels)))
    warnings = [code for code, holds in found if holds]
    return Picture("image/png", pixels.shape, encode_png(pixels), warnings)


def _blank(pixels: Pixels) -> bool:
    return bool(pixels.min() == pixels.max())


PARSERS: dict[str, Callable[[Any, Limits], Picture]] = {"image/png": from_png, "image/jpeg": from_jpeg, **FORMATS}
