"""Random slices with objects and boxes, as the network reads them."""

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from ml_service.prompts import compact
from ml_service.prompts.compact import Box, Plane
from ml_service.training.augment import Rng
from ml_service.training.prompts.objects import LEAST_PIXELS, Thing, box_of, flooded, jittered, things
from ml_service.training.prompts.sources import Slice

LONGEST = 384  # pixels of a varied slice
Floats = NDArray[np.float32]


class Example(NamedTuple):
    """One slice with `boxes` prompts."""

    pixels: Floats  # (side, side, 1)
    patches: Floats  # (boxes, patch, patch, channels)
    rectangles: Floats  # (boxes, 4)
    targets: Floats  # (boxes, patch, patch, 1), 0 .. 1


def varied(slice_: Slice, boxes: int, rng: Rng) -> Example | None:
    """Returns a random variant of a slice with `boxes` prompts; None when nothing on it can be boxed."""
    known = list(things(slice_.labels, slice_.names)) if slice_.labels is not None else []
    plane, matrix, size = moved(slice_.plane, rng)
    found = []
    for thing in _picked(known, boxes, rng):
        mask = cv2.warpAffine(thing.mask * 255, matrix, size, flags=cv2.INTER_LINEAR) > 127
        found.append(Thing(thing.name, mask.astype(np.uint8)))
    if rng.random() < 0.3:
        plane, blob = drawn_on(plane, rng)
        found = [*found[1:], blob]
    wanted = boxes if not known else boxes // 4  # of pieces that nobody drew, where somebody drew others
    found += [piece for _ in range(wanted) if (piece := flooded(plane, rng))]
    plane = exposed(plane, rng)
    found = [thing for thing in found if int(thing.mask.sum()) >= LEAST_PIXELS]
    if not found:
        return None
    order = rng.permutation(len(found))
    return prompted(plane, [found[order[n % len(found)]] for n in range(boxes)], rng)


def prompted(plane: Plane, chosen: list[Thing], rng: Rng) -> Example:
    """Returns what the network reads of a plane and of one jittered box an object, and what it should answer."""
    levels = compact.spread(plane)
    drawn: list[Box] = [jittered(box_of(thing.mask), plane.shape, rng) for thing in chosen]
    targets = [
        compact.cut(thing.mask.astype(np.float32), box)[..., None] for thing, box in zip(chosen, drawn, strict=True)
    ]
    return Example(
        compact.prepare(plane),
        np.stack([compact.patch(plane, box, levels) for box in drawn]),
        np.stack([compact.shares(box, plane.shape) for box in drawn]),
        np.stack(targets),
    )


def moved(plane: Plane, rng: Rng) -> tuple[Plane, Any, tuple[int, int]]:
    """Flips, turns, stretches and scales; returns the plane, the matrix and the size (width, height)."""
    height, width = plane.shape
    scale = np.exp(rng.uniform(-0.35, 0.9)) if max(plane.shape) < 200 else np.exp(rng.uniform(-0.7, 0.2))
    scale = min(scale, LONGEST / max(plane.shape))
    stretch = np.exp(rng.uniform(-0.25, 0.25) / 2)
    angle = np.deg2rad(rng.choice([0, 90, 180, 270]) + rng.uniform(-25, 25))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    flip = np.diag([1.0 if rng.random() < 0.5 else -1.0, 1.0])
    linear = turn @ flip @ np.diag([scale * stretch, scale / stretch])
    # A quarter turn exchanges the sides of what is not square.
    across, down = (width, height) if abs(np.cos(angle)) > 0.5 else (height, width)
    size = (max(24, round(across * scale)), max(24, round(down * scale)))
    middle = np.array(size) / 2 - linear @ (np.array([width, height]) / 2)
    matrix = np.column_stack([linear, middle])
    smooth = cv2.GaussianBlur(plane, (0, 0), 0.5 / float(scale)) if scale < 0.8 else plane
    out = cv2.warpAffine(smooth, matrix, size, flags=cv2.INTER_LINEAR, borderValue=float(plane.min()))
    return out.astype(np.float32, copy=False), matrix, size


def exposed(plane: Plane, rng: Rng) -> Plane:
    """Windows, bends, inverts, shades, blurs and adds noise. Returns levels in 0 .. 1, before noise."""
    low, high = compact.spread(plane)
    if plane.min() < -500 and rng.random() < 0.6:  # a CT: as somebody windowed it
        level, width = rng.uniform(-20, 100), rng.uniform(250, 1500)
        low, high = level - width / 2, level + width / 2
    seen: Any = np.clip((plane - low) / (high - low), 0, 1)
    seen = seen ** np.exp(rng.uniform(-0.7, 0.7))
    if rng.random() < 0.35:
        seen = 1 - seen
    if rng.random() < 0.3:
        seen = seen * _shade(seen.shape, rng)
    if rng.random() < 0.3:
        seen = cv2.GaussianBlur(seen, (0, 0), float(rng.uniform(0.4, 1.5)))
    noise = rng.standard_normal(seen.shape, np.float32) * np.float32(rng.uniform(0, 0.06) * (rng.random() < 0.7))
    noisy: Plane = (seen + noise).astype(np.float32)
    return noisy


def drawn_on(plane: Plane, rng: Rng) -> tuple[Plane, Thing]:
    """Draws a smooth random shape, brighter or darker than its place, or with a texture of its own."""
    height, width = plane.shape
    turns = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    radius = rng.uniform(0.04, 0.22) * min(plane.shape)
    ripple = sum(rng.normal(0, 0.16 / k) * np.cos(k * turns + rng.uniform(0, 7)) for k in range(2, 7))
    reach = np.maximum(radius * (1 + ripple), 2)
    stretch = np.exp(rng.uniform(-0.4, 0.4))
    middle = rng.uniform(0.15, 0.85, 2) * (width, height)
    points = np.stack([np.cos(turns) * reach * stretch, np.sin(turns) * reach / stretch], axis=-1) + middle
    mask = np.zeros(plane.shape, np.uint8)
    cv2.fillPoly(mask, [np.rint(points).astype(np.int32)], 1)
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), float(rng.uniform(0.5, 1.5)))
    low, high = compact.spread(plane)
    level = rng.choice([-1, 1]) * rng.uniform(0.08, 0.6) * (high - low)
    inner = plane * np.float32(rng.uniform(0.1, 1)) + np.float32(level)
    grain = cv2.GaussianBlur(rng.standard_normal(plane.shape, np.float32), (0, 0), float(rng.uniform(0.7, 3)))
    inner = inner + grain * np.float32(rng.uniform(0, 0.15) * (high - low))
    return (plane * (1 - soft) + inner * soft).astype(np.float32), Thing("drawn", mask)


def _shade(shape: tuple[int, ...], rng: Rng) -> Floats:
    coarse = rng.uniform(0.6, 1.0, (3, 3)).astype(np.float32)
    shade = cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return shade.astype(np.float32, copy=False)


def _picked(known: list[Thing], count: int, rng: Rng) -> list[Thing]:
    """Returns up to `count` objects, every structure as likely, however many pieces it is in."""
    by_name: dict[str, list[Thing]] = {}
    for thing in known:
        by_name.setdefault(thing.name, []).append(thing)
    names = [list(by_name)[n] for n in rng.permutation(len(by_name))][:count]
    return [by_name[name][int(rng.integers(0, len(by_name[name])))] for name in names]
