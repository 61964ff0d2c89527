"""The heat map: exact, and in the frame of the whole film."""

import cv2
import numpy as np

from ml_service.explain import SIDE, heatmap_png
from ml_service.served import Served
from ml_service.settings import SHIPPED


def drawn(
    maps: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]",
) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    decoded = cv2.imdecode(np.frombuffer(heatmap_png(maps[:, :, 0], 1.0), np.uint8), cv2.IMREAD_UNCHANGED)
    assert decoded is not None
    return decoded.astype(np.uint8)


def test_the_maps_mean_is_the_logit(shipped: Served) -> None:
    """Holds for a network that ends in a mean; it makes the map exact."""
    film = (SHIPPED / "pneumonia" / "1" / "golden" / "pneumonia.jpg").read_bytes()
    seen = shipped.see_study(film, 30)
    np.testing.assert_allclose(seen.heat[0].mean(axis=(0, 1)), seen.logits[0], atol=1e-4)


def test_a_hot_corner_lies_where_the_network_saw_it() -> None:
    maps = np.zeros((6, 6, 2), np.float32)
    maps[0, 5, 0] = 1.0  # top right
    heat = drawn(maps)
    assert heat.shape == (SIDE, SIDE)
    row, column = np.unravel_index(int(heat.argmax()), heat.shape)
    assert row < SIDE / 3 < 2 * SIDE / 3 < column
    assert heat[SIDE // 2 :, : SIDE // 2].max() == 0


def test_the_border_that_the_network_does_not_see_is_dark() -> None:
    heat = drawn(np.ones((6, 6, 2), np.float32))
    assert heat[:6].max() == heat[:, :6].max() == heat[-6:].max() == heat[:, -6:].max() == 0
    assert heat[6:-6, 6:-6].min() == 255


def test_evidence_against_is_dark_and_a_weak_map_is_not_stretched() -> None:
    assert drawn(np.full((6, 6, 2), -3.0, np.float32)).max() == 0
    assert drawn(np.full((6, 6, 2), 0.1, np.float32)).max() < 30
