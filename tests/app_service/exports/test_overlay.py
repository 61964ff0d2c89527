"""The heatmap covers the whole picture, is clear where it is low, and gets lighter as it rises."""

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app_service.exports.overlay import overlay_png


def encoded(pixels: NDArray[Any]) -> bytes:
    return bytes(cv2.imencode(".png", pixels)[1].tobytes())


def drawn(image: NDArray[Any], heatmap: NDArray[Any]) -> NDArray[np.uint8]:
    return np.asarray(
        cv2.imdecode(np.frombuffer(overlay_png(encoded(image), encoded(heatmap)), np.uint8), -1), np.uint8
    )


FILM = np.random.default_rng(1).integers(0, 256, (120, 90), dtype=np.uint8)


@pytest.mark.parametrize("level", [0, 20, 38])
def test_a_low_heatmap_changes_nothing(level: int) -> None:
    overlay = drawn(FILM, np.full((12, 9), level, np.uint8))
    np.testing.assert_array_equal(overlay, cv2.cvtColor(FILM, cv2.COLOR_GRAY2BGR))


@pytest.mark.parametrize("image", [FILM, np.dstack([FILM] * 3), FILM.astype(np.uint16) * 257], ids=["8", "RGB", "16"])
def test_it_has_the_size_of_the_picture(image: NDArray[Any]) -> None:
    assert drawn(image, np.zeros((7, 7), np.uint8)).shape == (120, 90, 3)


def test_it_lies_where_the_heatmap_is_high() -> None:
    heatmap = np.zeros((4, 3), np.uint8)
    heatmap[3, 2] = 255
    changed = (drawn(FILM, heatmap) != FILM[..., None]).any(axis=2)
    assert changed[110:, 80:].all()
    assert not changed[:60, :45].any()


def test_it_gets_lighter_as_it_rises() -> None:
    black = np.zeros((40, 256), np.uint8)
    ramp = np.tile(np.arange(256, dtype=np.uint8), (40, 1))
    lightness = cv2.cvtColor(drawn(black, ramp), cv2.COLOR_BGR2LAB)[20, :, 0].astype(int)
    assert (np.diff(lightness) >= -1).all()
    assert lightness[-1] > lightness[0] + 100
