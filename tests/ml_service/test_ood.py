"""The shipped model refuses what is no chest film, and says what may be wrong with one."""

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from sklearn.datasets import load_sample_image

from ml_service.checks import open_version
from ml_service.served import Served
from ml_service.settings import SHIPPED, Settings
from ml_service.tasks.decode import grey_plane

GOLDEN = SHIPPED / "pneumonia" / "1" / "golden"


def png(pixels: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]") -> bytes:
    encoded: bytes = cv2.imencode(".png", pixels)[1].tobytes()
    return encoded


def film(name: str) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    return grey_plane((GOLDEN / name).read_bytes())


@pytest.fixture(scope="module")
def newest() -> Iterator[Served]:
    """The newest version, which goes by the looks of an image as well."""
    served = open_version(SHIPPED / "pneumonia" / "3", Settings(service_token=None))
    yield served
    served.close()


def test_the_newest_version_knows_a_film_that_is_upside_down(newest: Served) -> None:
    for name in ("normal.jpg", "pneumonia.jpg"):
        assert newest.see_study((GOLDEN / name).read_bytes(), 30).verdicts[0].in_distribution
        for over in (film(name)[::-1, ::-1], film(name)[::-1]):
            verdict = newest.see_study(png(np.ascontiguousarray(over)), 30).verdicts[0]
            assert verdict.label == "not_answered"
            assert "upside_down" in [warning.code for warning in verdict.warnings]


@pytest.mark.parametrize("photograph", ["china.jpg", "flower.jpg"])
def test_a_photograph_is_refused(photograph: str, shipped: Served) -> None:
    verdict = shipped.see_study(png(load_sample_image(photograph)), 30).verdicts[0]
    assert (verdict.label, verdict.findings) == ("not_answered", [])
    assert verdict.ood_score > shipped.manifest.typical.threshold


@pytest.mark.parametrize("grain", [1, 4, 16])
def test_noise_is_refused(grain: int, shipped: Served) -> None:
    cells = np.random.default_rng(grain).integers(0, 256, (512 // grain, 512 // grain), dtype=np.uint8)
    noise = np.kron(cells, np.ones((grain, grain), np.uint8))
    assert shipped.see_study(png(noise), 30).verdicts[0].label == "not_answered"


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_blank_image_is_refused_with_the_reason(level: int, shipped: Served) -> None:
    verdict = shipped.see_study(png(np.full((300, 300), level, np.uint8)), 30).verdicts[0]
    assert (verdict.label, verdict.warnings[0].code) == ("not_answered", "blank_image")


@pytest.mark.parametrize("name", ["normal.jpg", "pneumonia.jpg"])
def test_a_film_is_answered(name: str, shipped: Served) -> None:
    assert shipped.see_study((GOLDEN / name).read_bytes(), 30).verdicts[0].in_distribution


def test_a_negative_is_refused_and_called_one(shipped: Served) -> None:
    verdict = shipped.see_study(png((255 - film("pneumonia.jpg")).astype(np.uint8)), 30).verdicts[0]
    assert verdict.label == "not_answered"
    assert "inverted" in [warning.code for warning in verdict.warnings]


def test_a_film_on_its_side_is_refused_and_called_so(shipped: Served) -> None:
    on_its_side = np.ascontiguousarray(np.rot90(film("normal.jpg"), -1))
    verdict = shipped.see_study(png(on_its_side), 30).verdicts[0]
    assert verdict.label == "not_answered"
    assert "quarter_turn_right" in [warning.code for warning in verdict.warnings]
