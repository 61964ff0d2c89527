"""Random films."""

import numpy as np

from ml_service.training.augment import augmented, exposed, moved, moved_as_003, varied
from ml_service.training.recipes import Phase

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


def test_the_variation_of_system_003_leaves_no_black_corner() -> None:
    white = np.full((224, 224), 200, np.uint8)
    films = [moved_as_003(white, 96, np.random.default_rng(seed)) for seed in range(20)]
    assert {film.shape for film in films} == {(96, 96)}
    assert min(int(film.min()) for film in films) == 200


def test_a_phase_chooses_the_variation() -> None:
    hard, other = (
        varied(FILM, Phase(64, 1, 1.0, variation=kind), np.random.default_rng(1)) for kind in ("hard", "003")
    )
    assert hard.shape == other.shape == (64, 64, 1)
    assert not np.array_equal(hard, other)
