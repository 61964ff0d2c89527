"""Pictures as a browser shows them."""

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app_service.exports.picture import png
from portal_wire.errors import BadRequest

RAMP = np.tile(np.arange(256, dtype=np.uint8), (64, 1))
COLOUR = np.dstack([RAMP, RAMP[:, ::-1], RAMP // 2])
WIDE = np.tile(np.arange(1000, 3560, 10, dtype=np.uint16), (64, 1))


def encoded(pixels: NDArray[Any], kind: str = ".png") -> bytes:
    return bytes(cv2.imencode(kind, pixels)[1].tobytes())


def decoded(data: bytes) -> NDArray[np.uint8]:
    assert data.startswith(b"\x89PNG")
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    assert pixels.dtype == np.uint8
    return pixels.astype(np.uint8)


@pytest.mark.parametrize("pixels", [RAMP, COLOUR], ids=["grey", "colour"])
def test_eight_bits_stay_as_they_are(pixels: NDArray[np.uint8]) -> None:
    np.testing.assert_array_equal(decoded(png(encoded(pixels))), pixels)


def test_sixteen_bits_are_shown_from_lowest_to_highest() -> None:
    np.testing.assert_array_equal(decoded(png(encoded(WIDE))), RAMP)


def test_a_blank_sixteen_bit_picture_is_shown() -> None:
    assert decoded(png(encoded(np.full((40, 40), 700, np.uint16)))).shape == (40, 40)


@pytest.mark.parametrize("kind", [".png", ".jpg"])
@pytest.mark.parametrize("grey", [True, False])
@pytest.mark.parametrize(
    ("max_side", "shape"), [(64, (32, 64)), (100, (50, 100)), (512, (256, 512)), (600, (256, 512))]
)
def test_thumbnails_keep_their_proportions(kind: str, grey: bool, max_side: int, shape: tuple[int, int]) -> None:
    pixels = cv2.resize(RAMP if grey else COLOUR, (512, 256), interpolation=cv2.INTER_LINEAR)
    small = decoded(png(encoded(pixels, kind), max_side=max_side))
    assert small.shape == (shape if grey else (*shape, 3))
    whole = cv2.resize(pixels, shape[::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - whole).mean() < 3


def test_a_long_picture_keeps_a_pixel_of_width() -> None:
    assert decoded(png(encoded(np.zeros((4000, 33), np.uint8)), max_side=64)).shape == (64, 1)


@pytest.mark.parametrize(
    ("window", "black", "grey", "white"),
    [((2048, 1024), 1530, 2048, 2560), ((2000, 1), 1990, 2010, 2010), ((0.5, 65536), 0, 3000, 65535)],
)
def test_a_window_is_dicoms_linear_one(window: tuple[float, float], black: int, grey: int, white: int) -> None:
    values = np.array([[black, grey, white] * 20] * 40, np.uint16)
    row = decoded(png(encoded(values), window=window))[0, :3].astype(int)
    centre, width = window
    expected = np.clip(((np.array([black, grey, white]) - (centre - 0.5)) / max(width - 1, 1e-9) + 0.5), 0, 1) * 255
    assert np.abs(row - expected).max() <= 1


def test_a_window_applies_to_eight_bits_too() -> None:
    shown = decoded(png(encoded(RAMP), window=(128, 64)))
    assert shown[0, 90] == 0
    assert shown[0, 170] == 255


@pytest.mark.parametrize("width", [0, -5, 0.5, float("nan")])
def test_a_window_without_width_is_refused(width: float) -> None:
    with pytest.raises(BadRequest):
        png(encoded(RAMP), window=(100, width))
