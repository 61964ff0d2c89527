"""One film in every encoding gives one answer."""

from typing import Any

import cv2
import numpy as np
import pytest

from ml_service.served import Served
from ml_service.settings import SHIPPED
from ml_service.tasks.decode import grey_plane

FILM = (SHIPPED / "pneumonia" / "1" / "golden" / "pneumonia.jpg").read_bytes()


def encoded(kind: str, pixels: "np.ndarray[Any, np.dtype[Any]]") -> bytes:
    done: bytes = cv2.imencode(kind, pixels)[1].tobytes()
    return done


def twins() -> dict[str, bytes]:
    """The film in the forms that intake may hand over."""
    grey = grey_plane(FILM)
    return {
        "8-bit grey PNG": encoded(".png", grey),
        "16-bit grey PNG": encoded(".png", grey.astype(np.uint16) * 257),
        "RGB PNG": encoded(".png", cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB)),
        "16-bit RGB PNG": encoded(".png", cv2.cvtColor(grey.astype(np.uint16) * 257, cv2.COLOR_GRAY2RGB)),
    }


@pytest.mark.parametrize("kind", twins())
def test_a_converted_twin_gives_the_same_probability(kind: str, shipped: Served) -> None:
    asked = shipped.see_study(FILM, 30).verdicts[0].findings[0].probability
    assert shipped.see_study(twins()[kind], 30).verdicts[0].findings[0].probability == pytest.approx(asked, abs=1e-6)


def test_a_large_film_and_its_16_bit_twin_agree(shipped: Served) -> None:
    large = cv2.resize(grey_plane(FILM), (1500, 1200), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    said = [
        shipped.see_study(encoded(".png", pixels), 30).verdicts[0].findings[0].probability
        for pixels in (large, large.astype(np.uint16) * 257)
    ]
    assert said[0] == pytest.approx(said[1], abs=1e-3)


def test_served_and_scored_films_are_prepared_by_the_same_code(shipped: Served) -> None:
    """What the evaluation computes for a file is what the server answers for its bytes."""
    pixels = shipped.task.prepare(grey_plane(FILM), shipped.manifest.side)[np.newaxis]
    through_pixels = shipped.see_pixels(pixels, 30).verdicts[0].findings[0].probability
    assert shipped.see_study(FILM, 30).verdicts[0].findings[0].probability == through_pixels


@pytest.mark.parametrize("study", [b"", b"no image", FILM[:60], b"\x89PNG\r\n\x1a\n" + b"0" * 40])
def test_what_does_not_decode_is_an_error_and_no_picture(study: bytes) -> None:
    with pytest.raises(ValueError, match="Expected a PNG or JPEG"):
        grey_plane(study)


def test_an_array_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="Received: shape"):
        grey_plane(np.zeros((4, 4, 2), np.uint8))
    with pytest.raises(ValueError, match="grey levels"):
        grey_plane(np.zeros((4, 4), np.float32))


def test_a_large_jpeg_comes_smaller_and_is_answered_the_same(shipped: Served) -> None:
    large = cv2.resize(grey_plane(FILM), (2048, 2500), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    jpeg, exact = (
        encoded(".jpg", large),
        encoded(".png", cv2.imdecode(np.frombuffer(encoded(".jpg", large), np.uint8), 0)),
    )
    assert grey_plane(jpeg).shape == (625, 512)
    assert grey_plane(exact).shape == (2500, 2048)
    said = [shipped.see_study(study, 30).verdicts[0].findings[0].probability for study in (jpeg, exact)]
    assert said[0] == pytest.approx(said[1], abs=5e-3)


@pytest.mark.parametrize("size", [(895, 3000), (896, 3000)])
def test_a_jpeg_stays_larger_than_any_network_reads(size: tuple[int, int]) -> None:
    jpeg = encoded(".jpg", np.random.default_rng(0).integers(0, 255, size, dtype=np.uint8))
    assert min(grey_plane(jpeg).shape) == (895 if size[0] == 895 else 448)
