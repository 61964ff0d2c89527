"""Outlines on the film as it came: sides, sizes, areas, and films that are refused."""

import numpy as np
import pytest

from ml_service import tasks
from ml_service.label_maps import measured_image
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


def test_label_order_and_sides_the_patients_right_lung_is_1_and_on_the_pictures_left() -> None:
    assert lung_field.LABELS == ("right_lung", "left_lung")
    found = lung_field.outline(heat(), (64, 64))
    assert set(np.unique(found)) == {0, 1, 2}
    assert np.nonzero(found == 1)[1].max() < 32 < np.nonzero(found == 2)[1].min()


def test_holes_are_filled_and_stray_pieces_left_out() -> None:
    found = lung_field.outline(heat(), (64, 64))
    assert found[31, 17] == 1 and found[3, 3] == 0
    assert (found == 1).sum() == 32 * 20


def test_a_pixel_that_both_lungs_claim_goes_to_the_surer_one() -> None:
    maps = heat()
    maps[20:40, 26:40] = (2, 1)
    found = lung_field.outline(maps, (64, 64))
    assert (found[25:35, 30:34] == 1).all() and (found[20:40, 45:50] == 2).all()


@pytest.mark.parametrize("shape", [(128, 192), (200, 100)])
def test_a_mask_has_the_films_own_size_and_its_area_is_that_of_its_pixels(shape: tuple[int, int]) -> None:
    found = lung_field.outline(heat(), shape)
    assert found.shape == shape and found.dtype == np.uint8
    rows = measured_image(found, lung_field.LABELS, spacing_mm=(0.5, 0.25))
    for index, row in enumerate(rows, start=1):
        assert (row["label"], row["index"]) == (lung_field.LABELS[index - 1], index)
        assert row["pixels"] == int((found == index).sum())
        assert row["pixels"] == pytest.approx(32 * 20 / 64**2 * shape[0] * shape[1], rel=0.05)
        assert row["share"] == pytest.approx(row["pixels"] / found.size, abs=1e-6)
        assert row["area_mm2"] == pytest.approx(row["pixels"] * 0.125, abs=0.1)
        assert row["voxels"] is row["volume_ml"] is row["mean_hu"] is None
    assert measured_image(found, lung_field.LABELS)[0]["area_mm2"] is None


def test_what_is_too_small_for_a_lung_is_none_and_said_to_be_missing() -> None:
    maps = np.full((64, 64, 2), -4, np.float32)
    maps[:3, :3] = 4
    found = lung_field.outline(maps, (64, 64))
    assert not found.any()
    notices = lung_field.missing(measured_image(found, lung_field.LABELS))
    assert [notice.detail for notice in notices] == ["No right lung was found.", "No left lung was found."]
    assert not lung_field.missing(measured_image(lung_field.outline(heat(), (64, 64)), lung_field.LABELS))


def test_only_a_film_within_the_limit_is_answered() -> None:
    manifest = read(SHIPPED / "pneumonia" / "1")  # its limit is all that is used
    limit = manifest.typical.threshold
    film = np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8)
    task = tasks.load("lung-field")
    assert task.interpret(np.zeros(2), limit, film, manifest).label == "segmented"
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
