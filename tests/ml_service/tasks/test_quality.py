"""What is said about a picture's quality, and that good films get no remark."""

import cv2
import numpy as np
import pytest

from ml_service.served import Served
from ml_service.settings import SHIPPED
from ml_service.tasks.decode import Grey, grey_plane
from ml_service.tasks.quality import is_blank, remarks

GOLDEN = SHIPPED / "pneumonia" / "1" / "golden"
SAMPLES = SHIPPED.parents[1] / "ui_service" / "static" / "samples"
WHOLE = sorted([*SHIPPED.glob("pneumonia*/*/golden/*.jpg"), *SAMPLES.glob("*.jpg")])


def film(height: int = 800, width: int = 800) -> Grey:
    large = cv2.resize(grey_plane((GOLDEN / "normal.jpg").read_bytes()), (width, height), interpolation=cv2.INTER_CUBIC)
    return large.astype(np.uint8)


def codes(plane: Grey) -> list[str]:
    return [remark.code for remark in remarks(plane)]


@pytest.mark.parametrize("name", ["normal.jpg", "pneumonia.jpg"])
def test_a_good_film_gets_no_remark(name: str) -> None:
    assert codes(grey_plane((GOLDEN / name).read_bytes())) == []
    assert codes(film()) == []


@pytest.mark.parametrize("level", [0, 128, 255])
def test_one_grey_level_is_blank(level: int) -> None:
    assert is_blank(np.full((60, 80), level, np.uint8))
    assert not is_blank(film())


def test_a_small_film_in_a_wide_border() -> None:
    assert codes(np.pad(film(300, 300), 250)) == ["wide_border"]


def test_a_strip_of_a_film() -> None:
    assert codes(film()[200:500]) == ["long_image"]


@pytest.mark.parametrize("kept", [1 / 2, 3 / 5, 2 / 3])
@pytest.mark.parametrize("name", ["normal.jpg", "pneumonia.jpg"])
def test_a_film_whose_lower_part_is_cut_off(name: str, kept: float) -> None:
    whole = grey_plane((GOLDEN / name).read_bytes())
    assert codes(whole[: int(kept * len(whole))]) == ["long_image"]
    assert codes(np.ascontiguousarray(whole[:, : int(kept * len(whole))])) == ["long_image"]


def test_a_film_that_is_read_though_half_of_it_is_gone_is_answered_with_a_warning(shipped: Served) -> None:
    """Trap: the lower half of a child's lungs cut off, and the answer stood there without a word."""
    whole = grey_plane((GOLDEN / "pneumonia.jpg").read_bytes())
    for rows, expected in ((len(whole), []), (134, ["long_image"]), (112, ["long_image"])):
        film = cv2.imencode(".png", whole[:rows])[1].tobytes()
        (verdict,) = shipped.see_study(film, 30).verdicts
        assert verdict.label == "pneumonia" and [notice.code for notice in verdict.warnings] == expected


def test_no_film_that_is_shipped_is_called_cut() -> None:
    assert len(WHOLE) > 10
    assert [path for path in WHOLE if codes(grey_plane(path.read_bytes()))] == []


@pytest.mark.parametrize("size", [(430, 350), (350, 430), (400, 300), (430, 300)])
def test_a_whole_film_of_any_shape_that_chests_are_taken_on(size: tuple[int, int]) -> None:
    """Millimetres of the sizes in ISO 4090, and of one collimated further; a pixel each."""
    assert codes(film(*size)) == []


@pytest.mark.parametrize("place", [(20, 50), (300, 780)])
def test_writing_is_reported(place: tuple[int, int]) -> None:
    """Only reported: the picture is read all the same, and nobody's name is repeated."""
    written = cv2.putText(film(), "DOE JOHN 1970", place, cv2.FONT_HERSHEY_SIMPLEX, 1.2, 255, 2, cv2.LINE_AA)
    (remark,) = remarks(written.astype(np.uint8))
    assert remark.code == "burnt_in_text"
    assert "DOE" not in remark.detail


def test_a_side_marker_is_no_writing() -> None:
    assert (
        codes(cv2.putText(film(), "R", (40, 90), cv2.FONT_HERSHEY_SIMPLEX, 2, 255, 3, cv2.LINE_AA).astype(np.uint8))
        == []
    )
