"""What the network reads of a box lies where the box is, whatever the slice's shape."""

import numpy as np
import pytest

from ml_service.prompts import compact, sam

SHAPES = ((60, 140), (140, 60), (512, 300), (97, 97))


def box_in(shape: tuple[int, int]) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    """Off the middle, and not square."""
    return np.array([shape[1] * 0.5, shape[0] * 0.2, shape[1] * 0.8, shape[0] * 0.7], np.float32).round()


@pytest.mark.parametrize("shape", SHAPES)
def test_a_mask_comes_back_to_where_it_was_cut_from(shape: tuple[int, int]) -> None:
    box = box_in(shape)
    y, x = np.ogrid[: shape[0], : shape[1]]
    middle, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2
    truth = ((x - middle[0]) / half[0]) ** 2 + ((y - middle[1]) / half[1]) ** 2 <= 1
    seen = compact.cut(truth.astype(np.float32), box)
    came = compact.placed((seen - 0.5) * 20, box, shape) > 0
    assert came.shape == shape
    assert 2 * (came & truth).sum() / (came.sum() + truth.sum()) > 0.97


def test_left_and_right_and_top_and_bottom_stay() -> None:
    plane = np.zeros((80, 120), np.float32)
    plane[:40, :60] = 1  # the top left quarter
    box = np.array([20, 10, 99, 69], np.float32)
    seen = compact.cut(plane, box)
    assert seen[4, 4] == 1 and seen[4, -4] == 0 and seen[-4, 4] == 0
    came = compact.placed((seen - 0.5) * 20, box, plane.shape) > 0  # type: ignore[arg-type]
    assert came[30, 40] and not came[30, 80] and not came[55, 40]


@pytest.mark.parametrize("shape", SHAPES)
def test_the_embedding_s_rectangle_is_the_cut_out_s(shape: tuple[int, int]) -> None:
    """The same place in the encoder's square and in the slice: non-square slices are padded, not stretched."""
    plane = np.zeros(shape, np.float32)
    box = box_in(shape)
    x_min, y_min, x_max, y_max = (int(edge) for edge in box)
    plane[y_min : y_max + 1, x_min : x_max + 1] = 1
    square = compact.prepare(plane)[..., 0]
    rows, columns = np.flatnonzero(square.max(axis=1) > 0.5), np.flatnonzero(square.max(axis=0) > 0.5)
    side = len(square)
    left, top, right, bottom = compact.shares(box, shape) * side
    wide, high = right - left, bottom - top  # the box and a quarter of its sides around it
    assert columns[0] == pytest.approx(left + wide / 6, abs=1.5) and columns[-1] + 1 == pytest.approx(
        right - wide / 6, abs=1.5
    )
    assert rows[0] == pytest.approx(top + high / 6, abs=1.5) and rows[-1] + 1 == pytest.approx(
        bottom - high / 6, abs=1.5
    )


def test_levels_may_be_scaled_and_shifted() -> None:
    """A CT in Hounsfield units and the same one as 0 .. 255 are read alike."""
    plane = np.random.default_rng(1).random((90, 70)).astype(np.float32)
    box = np.array([10, 20, 50, 60], np.float32)
    other = plane * 400 - 160
    read, again = (compact.patch(one, box, compact.spread(one)) for one in (plane, other))
    np.testing.assert_allclose(read, again, atol=2e-3)
    np.testing.assert_allclose(compact.prepare(plane), compact.prepare(other), atol=2e-3)


def test_a_slice_of_one_level_is_read_as_numbers() -> None:
    plane = np.full((40, 50), -1000, np.float32)
    read = compact.patch(plane, np.array([0, 0, 49, 39], np.float32), compact.spread(plane))
    assert np.isfinite(read).all() and np.isfinite(compact.prepare(plane)).all()


@pytest.mark.parametrize("shape", SHAPES)
def test_lite_medsam_s_mask_has_the_slice_s_height_and_width(shape: tuple[int, int]) -> None:
    """Upstream's demo exchanged the two, which was wrong for every slice that is not square."""
    height, width = sam.scaled(shape)
    logits = np.full((sam.SIDE, sam.SIDE), -5, np.float32)
    logits[: height // 2, : width // 4] = 5
    came = sam.placed(logits, shape) > 0
    assert came.shape == shape and came[0, 0]
    assert np.flatnonzero(came.any(axis=1))[-1] == pytest.approx(shape[0] / 2, abs=3)
    assert np.flatnonzero(came.any(axis=0))[-1] == pytest.approx(shape[1] / 4, abs=3)
    np.testing.assert_array_equal(sam.boxes(np.array([[0, 0, max(shape), 1]], np.float32), shape)[0, [0, 2]], [0, 256])
