"""What on a slice a person might box, and the boxes that people draw."""

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from ml_service.prompts.compact import Box, Plane
from ml_service.training.augment import Rng
from ml_service.training.prompts.sources import Labels

Mask = NDArray[np.uint8]  # (height, width), 0 or 1
LEAST_PIXELS = 24  # of an object; below, no outline can be told from its box
LEAST_SIDE = 4  # pixels of its box
WHOLE = "vessels"  # a tree that hangs together through what lies outside of the picture


class Thing(NamedTuple):
    """One object of one slice."""

    name: str
    mask: Mask


def things(labels: Labels, names: dict[int, str]) -> Iterator[Thing]:
    """Yields the connected pieces of every structure, each an object of its own."""
    for number, name in names.items():
        mask = (labels == number).astype(np.uint8)
        if name == WHOLE:
            yield Thing(name, mask)
            continue
        count, pieces, facts, _ = cv2.connectedComponentsWithStats(mask)
        for piece in range(1, count):
            _, _, width, height, area = facts[piece]
            if area >= LEAST_PIXELS and min(width, height) >= LEAST_SIDE:
                yield Thing(name, (pieces == piece).astype(np.uint8))


def box_of(mask: NDArray[np.generic]) -> Box:
    """Returns the tight box of a mask that is not empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return np.array([columns[0], rows[0], columns[-1], rows[-1]], np.float32)


def jittered(box: Box, shape: tuple[int, int], rng: Rng, strength: float = 1.0) -> Box:
    """Returns a box as a person draws it: every edge a little off, now and then with room around the object, never
    beyond the slice (height, width). The same generator gives the same box."""
    sides = np.array([box[2] - box[0], box[3] - box[1]] * 2, np.float32) + 1
    moved = rng.normal(0, 0.035 * strength, 4) * sides
    if rng.random() < 0.3 * strength:
        moved += np.array([-1, -1, 1, 1]) * rng.uniform(0, 0.15) * sides
    low, high = np.zeros(4), np.array([shape[1], shape[0]] * 2, np.float64) - 1
    found = np.clip(box + np.clip(moved, -0.2 * sides, 0.2 * sides), low, high)
    return np.where([False, False, True, True], np.maximum(found, np.roll(found, 2) + 1), found).astype(np.float32)


def flooded(plane: Plane, rng: Rng, tries: int = 6) -> Thing | None:
    """Returns a piece of like levels around a random place: nobody's structure, but something with an edge. None when
    `tries` places gave none of a fit size and shape."""
    low, high = np.percentile(plane, (1, 99))
    grey = np.clip((plane - low) / max(high - low, 1e-6) * 255, 0, 255).astype(np.uint8)
    grey = cv2.GaussianBlur(grey, (0, 0), float(rng.uniform(0.6, 2.5)))
    height, width = grey.shape
    for _ in range(tries):
        seed = (int(rng.integers(0, width)), int(rng.integers(0, height)))
        reach = float(rng.uniform(6, 40))
        canvas = np.zeros((height + 2, width + 2), np.uint8)
        flags = 4 | cv2.FLOODFILL_MASK_ONLY | cv2.FLOODFILL_FIXED_RANGE | (1 << 8)
        cv2.floodFill(grey, canvas, seed, 0, reach, reach, flags)
        edges, _ = cv2.findContours(canvas[1:-1, 1:-1], cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        if not edges:
            continue
        edge = max(edges, key=cv2.contourArea)
        area, hull = cv2.contourArea(edge), cv2.contourArea(cv2.convexHull(edge))
        if 40 <= area <= 0.35 * grey.size and area > 0.72 * hull:
            x, y, across, down = cv2.boundingRect(edge)
            if min(x, y) < 2 or x + across > width - 2 or y + down > height - 2:
                continue  # it may be the outside
            mask = np.zeros_like(grey)
            cv2.drawContours(mask, [edge], -1, 255, -1)  # its holes are filled: a person boxes a whole
            return Thing("piece", (cv2.GaussianBlur(mask, (0, 0), 1.0) > 127).astype(np.uint8))
    return None
