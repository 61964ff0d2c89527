"""What the network reads."""

import numpy as np

from ml_service.tasks.film import centre, equalise, frame, network_input


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
