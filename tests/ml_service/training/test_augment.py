"""Random films."""

import numpy as np

from ml_service.training.augment import augmented, exposed, hidden, moved, moved_as_003, varied
from ml_service.training.recipes import Phase

FILM = np.random.default_rng(0).integers(0, 255, (224, 224), dtype=np.uint8)


def test_the_same_generator_gives_the_same_film() -> None:
    phase = Phase(64, 1, 1e-3, bands=0.5)
    first, again, other = (augmented(FILM, phase, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_every_variant_is_what_the_network_reads() -> None:
    for seed in range(50):
        pixels = augmented(FILM, Phase(96, 1, 1e-3, bands=0.5), np.random.default_rng(seed))
        assert pixels.shape == (96, 96, 1)
        assert pixels.dtype == np.float32
        assert np.isfinite(pixels).all()


def test_geometry_keeps_the_middle_in_view() -> None:
    film = np.zeros((224, 224), np.uint8)
    film[92:132, 92:132] = 255
    assert all(moved(film, 128, np.random.default_rng(seed)).max() == 255 for seed in range(50))


def test_a_phase_may_stretch_more() -> None:
    """A square of 40 pixels: how much wider than high it comes out, as a logarithm."""
    film = np.zeros((224, 224), np.uint8)
    film[92:132, 92:132] = 255

    def widest(stretch: float) -> float:
        seen = [moved(film, 224, np.random.default_rng(seed), stretch=stretch) > 0 for seed in range(60)]
        return max(abs(float(np.log(one.any(axis=0).sum() / one.any(axis=1).sum()))) for one in seen)

    assert widest(0.12) < 0.3 < 0.4 < widest(0.5) < 0.8


def test_a_black_border_stays_dark() -> None:
    film = np.zeros((64, 64), np.uint8)
    assert max(float(exposed(film, np.random.default_rng(seed)).mean()) for seed in range(20)) < 12


def test_the_variation_of_system_003_leaves_no_black_corner() -> None:
    white = np.full((224, 224), 200, np.uint8)
    films = [moved_as_003(white, 96, np.random.default_rng(seed)) for seed in range(20)]
    assert {film.shape for film in films} == {(96, 96)}
    assert min(int(film.min()) for film in films) == 200


def test_cells_are_greyed_and_the_rest_stays() -> None:
    pixels = np.ones((100, 100, 1), np.float32)  # no multiple of either grid
    shares = []
    for seed in range(200):
        left = hidden(pixels, np.random.default_rng(seed))
        assert left.dtype == np.float32 and set(np.unique(left)) <= {0.0, 1.0}
        rows = (np.diff(left[:, :, 0], axis=0) != 0).any(axis=1).sum()  # lines where a cell ends
        assert rows <= 13
        shares.append(1 - left.mean())
    assert 0.25 < np.mean(shares) < 0.35 and 0.5 < max(shares) < 0.8


def test_a_phase_hides_as_often_as_it_says() -> None:
    def changed(hide: float) -> int:
        ways = (Phase(64, 1, 1.0, hide=share) for share in (0.0, hide))
        pairs = [[varied(FILM, way, np.random.default_rng(seed)) for seed in range(100)] for way in ways]
        return sum(not np.array_equal(one, other) for one, other in zip(*pairs, strict=True))

    assert changed(0.0) == 0 and 30 < changed(0.5) < 70


def test_a_phase_chooses_the_variation() -> None:
    hard, other = (
        varied(FILM, Phase(64, 1, 1.0, variation=kind), np.random.default_rng(1)) for kind in ("hard", "003")
    )
    assert hard.shape == other.shape == (64, 64, 1)
    assert not np.array_equal(hard, other)
