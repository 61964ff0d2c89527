"""Random films."""

import numpy as np

from ml_service.training.augment import augmented, exposed, moved

FILM = np.random.default_rng(0).integers(0, 255, (224, 224), dtype=np.uint8)


def test_the_same_generator_gives_the_same_film() -> None:
    first, again, other = (augmented(FILM, 64, np.random.default_rng(seed), 0.5) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_every_variant_is_what_the_network_reads() -> None:
    for seed in range(50):
        pixels = augmented(FILM, 96, np.random.default_rng(seed), 0.5)
        assert pixels.shape == (96, 96, 1)
        assert pixels.dtype == np.float32
        assert np.isfinite(pixels).all()


def test_geometry_keeps_the_middle_in_view() -> None:
    film = np.zeros((224, 224), np.uint8)
    film[92:132, 92:132] = 255
    assert all(moved(film, 128, np.random.default_rng(seed)).max() == 255 for seed in range(50))


def test_a_black_border_stays_dark() -> None:
    film = np.zeros((64, 64), np.uint8)
    assert max(float(exposed(film, np.random.default_rng(seed)).mean()) for seed in range(20)) < 12
