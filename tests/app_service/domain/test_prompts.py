"""Boxes are measured against the study that they were drawn on: columns are x, rows are y."""

import pytest

from app_service.domain.prompts import check_prompts, clipped
from portal_wire.contract import Prompt
from portal_wire.errors import Unprocessable

WIDE = (40, 90)  # rows, columns
STACK = (40, 90, 12)


@pytest.mark.parametrize("box", [[0, 0, 89, 39], [80, 1, 81.5, 2.5], [0, 38.5, 1, 39]])
def test_a_box_within_a_wide_image_is_taken(box: list[float]) -> None:
    check_prompts([Prompt(box=box)], "image", WIDE)
    check_prompts([Prompt(box=box)], "image", (*WIDE, 3))  # three colours are no slices


@pytest.mark.parametrize("box", [[0, 0, 89, 39, 11, 0], [3, 4, 5, 6, 7, 5], [0, 0, 0, 89, 39, 11]])
def test_a_box_of_a_volume_has_both_corners_one_after_the_other(box: list[float]) -> None:
    """x, y, z of the lower corner, then of the upper: the first two have x exchanged with z or run backwards."""
    sound = box[0] < box[3] and box[1] < box[4] and box[2] <= box[5]
    if sound:
        check_prompts([Prompt(box=box, through=True)], "volume", STACK)
    else:
        with pytest.raises(Unprocessable):
            check_prompts([Prompt(box=box)], "volume", STACK)


@pytest.mark.parametrize(
    ("box", "kind", "said"),
    [
        ([0, 0, 39, 89], "image", "y must lie from 0 to 39"),  # x and y exchanged
        ([0, 0, 90, 39], "image", "x must lie from 0 to 89"),
        ([-1, 0, 9, 9], "image", "x must lie from 0"),
        ([5, 5, 5, 9], "image", "x_max must be above x_min"),
        ([5, 9, 8, 5], "image", "y_max must be above y_min"),
        ([0, 0, 0, 9, 9, 9], "image", "expected 4 numbers, x_min, y_min, x_max, y_max"),
        ([0, 0, 9, 9], "volume", "expected 6 numbers, x_min, y_min, z_min, x_max"),
        ([0, 0, 3, 9, 9, 12], "volume", "z must lie from 0 to 11"),
        ([0, 0, 3, 9, 9, 2], "volume", "z_max not below z_min"),
        ([0, 0, 2.5, 9, 9, 3], "volume", "whole numbers"),
    ],
)
def test_a_box_that_is_none_is_refused_by_its_place(box: list[float], kind: str, said: str) -> None:
    good = [0.0, 0, 5, 5] if kind == "image" else [0.0, 0, 0, 5, 5, 0]
    with pytest.raises(Unprocessable, match=r"prompts\[1\].box: ") as refused:
        check_prompts([Prompt(box=good), Prompt(box=box)], kind, STACK if kind == "volume" else WIDE)
    assert said in refused.value.detail and refused.value.code == "bad_prompt"


def test_only_a_volume_has_slices_to_go_through() -> None:
    with pytest.raises(Unprocessable, match=r"prompts\[0\].through"):
        check_prompts([Prompt(box=[0, 0, 5, 5], through=True)], "image", WIDE)


def test_boxes_of_files_are_cut_at_the_borders() -> None:
    assert clipped([-3, 2, 90, 41], (90, 40)) == [0, 2, 89, 39]
    assert clipped([1, 2, 0, 30, 41, 12], (90, 40, 12)) == [1, 2, 0, 30, 39, 11]
    assert clipped([95, 2, 99, 9], (90, 40)) is None and clipped([1, 2, 3], (90, 40)) is None
