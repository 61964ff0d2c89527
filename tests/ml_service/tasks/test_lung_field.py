"""Outlines on the film as it came: sides, sizes, areas, and films that are refused."""

import numpy as np
import pytest

from ml_service import tasks
from ml_service.manifest import read
from ml_service.settings import SHIPPED
from ml_service.tasks import lung_field


def heat(side: int = 64) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    """Two lungs, the right one with a hole and a stray piece."""
    maps = np.full((side, side, 2), -4, np.float32)
    maps[16:48, 8:28, 0] = 4
    maps[30:34, 16:20, 0] = -4
    maps[2:6, 2:6, 0] = 4
    maps[16:48, 36:56, 1] = 4
    return maps


def test_the_right_lung_is_on_the_pictures_left() -> None:
    right, left = lung_field.outline(heat(), (64, 64))
    assert (right.label, left.label) == ("right_lung", "left_lung")
    columns = [np.nonzero(one.mask)[1].mean() for one in (right, left)]
    assert columns[0] < 32 < columns[1]


def test_holes_are_filled_and_stray_pieces_left_out() -> None:
    right, _ = lung_field.outline(heat(), (64, 64))
    assert right.mask[31, 17] and not right.mask[3, 3]
    assert right.pixels == 32 * 20


@pytest.mark.parametrize("shape", [(128, 192), (200, 100)])
def test_a_mask_has_the_films_own_size_and_its_area_is_that_of_its_pixels(shape: tuple[int, int]) -> None:
    found = lung_field.outline(heat(), shape, spacing_mm=(0.5, 0.25))
    for one in found:
        assert one.mask.shape == shape and one.pixels == int(one.mask.sum())
        assert one.pixels == pytest.approx(32 * 20 / 64**2 * shape[0] * shape[1], rel=0.05)
        assert one.mm2 == pytest.approx(one.pixels * 0.125, abs=0.1)
    assert lung_field.outline(heat(), shape)[0].mm2 is None


def test_what_is_too_small_for_a_lung_is_none() -> None:
    maps = np.full((64, 64, 2), -4, np.float32)
    maps[:3, :3] = 4
    assert [one.pixels for one in lung_field.outline(maps, (64, 64))] == [0, 0]


def test_only_a_film_within_the_limit_is_answered() -> None:
    manifest = read(SHIPPED / "pneumonia" / "1")  # its limit is all that is used
    limit = manifest.typical.threshold
    film = np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8)
    task = tasks.load("lung-field")
    assert task.interpret(np.zeros(2), limit, film, manifest).label == "lung_field"
    for score in (limit * 1.01, float("nan")):
        refused = task.interpret(np.zeros(2), score, film, manifest)
        assert not refused.in_distribution and refused.warnings[0].code == "not_a_chest_film"
    assert task.interpret(np.zeros(2), 0.0, np.zeros_like(film), manifest).warnings[0].code == "blank_image"
    with pytest.raises(ValueError, match="NaN"):
        task.interpret(np.array([np.nan, 0]), 0.0, film, manifest)


def test_the_network_reads_the_whole_film() -> None:
    film = np.zeros((120, 80), np.uint8)
    film[:, :40] = 200
    pixels = lung_field.prepare(film, 32)
    assert pixels.shape == (32, 32, 1) and pixels.dtype == np.float32
    assert (pixels[:, :15] > pixels[:, 17:].max()).all()
