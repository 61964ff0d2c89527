"""What the network reads."""

import cv2
import numpy as np
import pytest

from ml_service.tasks.film import FRAME, centre, equalise, frame, network_input


def test_shape_and_kind() -> None:
    pixels = network_input(frame(np.random.default_rng(0).integers(0, 255, (300, 500), dtype=np.uint8)), 192)
    assert pixels.shape == (192, 192, 1)
    assert pixels.dtype == np.float32


def test_equalisation_takes_exposure_out() -> None:
    film = np.random.default_rng(0).integers(20, 200, (64, 64), dtype=np.uint8)
    brighter = (film.astype(int) + 30).astype(np.uint8)
    np.testing.assert_allclose(equalise(film), equalise(brighter))
    assert abs(float(equalise(film).mean())) < 0.05


def test_a_black_border_takes_no_part() -> None:
    film = np.random.default_rng(0).integers(20, 200, (64, 64), dtype=np.uint8)
    framed = np.pad(film, 16)
    np.testing.assert_allclose(equalise(framed)[16:-16, 16:-16], equalise(film))


def test_a_black_film_is_a_number() -> None:
    assert np.isfinite(equalise(np.zeros((8, 8), np.uint8))).all()


def test_the_middle() -> None:
    assert centre(np.zeros((200, 100), np.uint8)).shape == (180, 90)


@pytest.mark.parametrize("size", [(2401, 3001), (1500, 2500), (700, 4000)])
def test_the_quick_way_to_the_frame_is_an_area_average(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    smooth = cv2.resize(rng.integers(0, 255, (12, 12), dtype=np.uint8), size[::-1], interpolation=cv2.INTER_CUBIC)
    grain = rng.normal(0, 4, size)
    film = np.clip(smooth + grain, 0, 255).astype(np.uint8)
    exact = cv2.resize(film, (FRAME, FRAME), interpolation=cv2.INTER_AREA).astype(int)
    assert np.abs(frame(film).astype(int) - exact).max() <= 2
