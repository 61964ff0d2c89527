"""What an image looks like, and the number that decides whether it is answered."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from ml_service import manifest as manifests
from ml_service.appearance import Appearance, described
from ml_service.ood import TypicalFeatures
from ml_service.refusal import Refusal
from ml_service.settings import SHIPPED
from ml_service.tasks import pneumonia
from ml_service.tasks.decode import Grey
from ml_service.training.fit import appearance, refusal_threshold, spans
from ml_service.training.foreign import noise, turned

SIDE = 64


def drawings(count: int, seed: int) -> list[Grey]:
    """Two bright lungs on grey above a bright belly, each a little different."""
    rng = np.random.default_rng(seed)
    films = []
    for _ in range(count):
        film = np.full((224, 224), 90, np.float32)
        for x in (70, 154):
            middle = (int(x + rng.normal(0, 5)), int(90 + rng.normal(0, 5)))
            cv2.ellipse(film, middle, (30, 60), 0, 0, 360, 40.0, -1)
        cv2.rectangle(film, (0, int(180 + rng.normal(0, 6))), (224, 224), 180.0, -1)
        films.append(np.clip(film + rng.normal(0, 6, film.shape), 0, 255).astype(np.uint8))
    return films


@pytest.fixture(scope="module")
def seen() -> Appearance:
    return appearance(drawings(120, 1), pneumonia, SIDE)


def prepared(planes: list[Grey]) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    return np.stack([pneumonia.prepare(plane, SIDE) for plane in planes])


def test_a_description_has_one_row_an_image_and_is_the_same_again() -> None:
    pixels = prepared([*drawings(2, 2), np.zeros((50, 80), np.uint8)])
    rows = described(pixels)
    assert rows.shape == (3, 358)
    assert np.isfinite(rows).all()  # of a black image, too
    np.testing.assert_array_equal(rows, described(pixels))
    np.testing.assert_array_equal(rows[1:2], described(pixels[1:2]))


def test_turned_images_negatives_and_noise_are_told_from_good_ones(seen: Appearance) -> None:
    good = seen.measures(prepared(drawings(60, 3)))
    limits = good.max(axis=0)
    for how, planes in turned(drawings(30, 4)).items():
        assert (seen.measures(prepared(planes))[:, 1] > limits[1]).mean() > 0.9, how
    assert (seen.measures(prepared(noise()))[:, 0] > limits[0]).all()


def test_a_mirrored_image_is_not_called_turned(seen: Appearance) -> None:
    mirrored = [np.ascontiguousarray(film[:, ::-1]) for film in drawings(30, 5)]
    assert (seen.measures(prepared(mirrored))[:, 1] < 0).mean() > 0.9


def test_the_largest_of_the_three_measures_counts(seen: Appearance, tmp_path: Path) -> None:
    good, features = prepared(drawings(60, 6)), np.random.default_rng(7).normal(size=(60, 4)).astype(np.float32)
    typical = TypicalFeatures(np.zeros(4, np.float32), np.eye(4, dtype=np.float32))
    reach = spans(Refusal(typical, seen).measures(features, good))
    refusal = Refusal(typical, seen, reach)
    limit = refusal_threshold(refusal.score(features, good))
    strange = prepared([np.ascontiguousarray(film[::-1]) for film in drawings(10, 8)])
    assert (refusal.score(features[:10], strange) > limit).mean() >= 0.9  # features are as good as any
    assert (refusal.score(features[:10] + 50, good[:10]) > limit).all()  # looks are as good as any
    assert not refusal.score(np.full((1, 4), np.nan, np.float32), good[:1])[0] <= limit
    refusal.save(tmp_path)
    again = Refusal(TypicalFeatures.load(tmp_path / "typical.npz"), Appearance.load(tmp_path / "appearance.npz"), reach)
    np.testing.assert_allclose(again.score(features, good), refusal.score(features, good), rtol=1e-4, atol=1e-4)


def test_what_is_somewhat_strange_in_both_distances_is_strange(seen: Appearance) -> None:
    typical = TypicalFeatures(np.zeros(4, np.float32), np.eye(4, dtype=np.float32))
    reach = ((1.0, 3.0), (10.0, 14.0), (-2.0, 0.0))
    apart, together = Refusal(typical, seen, reach), Refusal(typical, seen, reach, together=True)
    found = np.array([[2.6, 13.2, -2], [2.6, 10, -2], [2.6, 2, -2], [1, 10, -0.4], [1, np.nan, -2]], np.float32)
    np.testing.assert_allclose(apart.scaled(found), [0.8, 0.8, 0.8, 0.8, np.nan], atol=1e-5)
    np.testing.assert_allclose(together.scaled(found), [0.8 * 2**0.5, 0.8, 0.8, 0.8, np.nan], atol=1e-5)


@pytest.mark.parametrize(("version", "together"), [("4", False), ("5", True)])
def test_a_version_says_whether_its_distances_count_as_one(version: str, together: bool) -> None:
    folder = SHIPPED / "pneumonia" / version
    refusal = Refusal.load(folder, manifests.read(folder))
    middle, reach = refusal.spans[:, 0], refusal.spans[:, 1]  # type: ignore[index]
    assert refusal.scaled((middle + 0.9 * (reach - middle))[np.newaxis])[0] == pytest.approx(
        0.9 * 2**0.5 if together else 0.9, abs=1e-3
    )


def test_a_version_without_an_appearance_goes_by_its_features_alone() -> None:
    typical = TypicalFeatures(np.zeros(4, np.float32), np.eye(4, dtype=np.float32))
    features = np.random.default_rng(9).normal(size=(5, 4)).astype(np.float32)
    blank = np.zeros((5, SIDE, SIDE, 1), np.float32)
    np.testing.assert_array_equal(Refusal(typical).score(features, blank), typical.distance(features))
