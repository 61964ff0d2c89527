"""A structure has one colour wherever it is shown: in the viewers, in the table beside them, in the stored overlay."""

import re
from pathlib import Path

from app_service.exports.overlay import STRUCTURES

STATIC = Path(__file__).parents[2] / "ui_service" / "static"
Colour = tuple[int, ...]


def in_the_viewers() -> list[Colour]:
    text = (STATIC / "structures.js").read_text()
    return [tuple(map(int, found)) for found in re.findall(r"\[(\d+), (\d+), (\d+)\]", text)]


def in_the_table() -> list[Colour]:
    found = re.findall(r"\.hue-(\d) \{ background: #(\w{6}); \}", (STATIC / "lightbox.css").read_text())
    assert [int(number) for number, _ in found] == list(range(1, len(found) + 1))
    return [tuple(bytes.fromhex(colour)) for _, colour in found]


def test_structures_are_coloured_alike_everywhere() -> None:
    assert len(in_the_viewers()) == 6
    assert in_the_viewers() == in_the_table() == [colour[::-1] for colour in STRUCTURES]
