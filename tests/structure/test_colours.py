"""A structure has one colour wherever it is shown: in the viewers, in the table beside them, in the stored overlay; and
no other has it, whatever cones a reader lacks."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app_service.exports.structure_colours import STRUCTURES
from ui_service import sizes

STATIC = Path(__file__).parents[2] / "ui_service" / "static"
Colour = tuple[int, ...]


def in_the_viewers() -> list[Colour]:
    text = (STATIC / "structures.js").read_text()
    return [tuple(map(int, found)) for found in re.findall(r"\[(\d+), (\d+), (\d+)\]", text)]


def in_the_table() -> list[Colour]:
    found = re.findall(r"\.hue-(\d+) \{ background: #(\w{6}); \}", (STATIC / "lightbox.css").read_text())
    assert [int(number) for number, _ in found] == list(range(1, len(found) + 1))
    return [tuple(bytes.fromhex(colour)) for _, colour in found]


def test_structures_are_coloured_alike_everywhere() -> None:
    assert len(in_the_viewers()) == sizes.COLOURS == 32
    assert in_the_viewers() == in_the_table() == list(map(tuple, STRUCTURES))


# How linear red, green and blue look without one kind of cone (Machado, Oliveira and Fernandes 2009, severity 1).
SIGHT = {
    "every cone": np.eye(3),
    "no red cones": np.array([[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0521]]),
    "no green cones": np.array([[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]]),
    "no blue cones": np.array([[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]]),
}


def nearest(count: int, sight: NDArray[np.float64]) -> float:
    """The least distance in CIELAB between any two of the first `count`; about 2 can just be told apart."""
    coded = np.array([list(colour) for colour in STRUCTURES[:count]]) / 255
    linear = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4) @ sight.T
    seen = np.clip(linear, 0, 1)
    seen = np.where(seen <= 0.0031308, seen * 12.92, 1.055 * seen ** (1 / 2.4) - 0.055).astype(np.float32)
    lab = cv2.cvtColor(seen[None], cv2.COLOR_RGB2LAB)[0]
    apart = np.linalg.norm(lab[:, None] - lab[None], axis=-1)
    return float(apart[~np.eye(count, dtype=bool)].min())


@pytest.mark.parametrize("sight", SIGHT)
def test_no_two_structures_look_alike(sight: str) -> None:
    """The seventh once had the first one's colour. Okabe and Ito's six themselves are 16 apart at least."""
    assert nearest(16, SIGHT[sight]) > 15 and nearest(32, SIGHT[sight]) > 9
