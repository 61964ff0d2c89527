"""An object from slice to slice of a volume, from boxes on one slice or on several.

The rules are those of the challenge that LiteMedSAM is from: the next slice's box is that of the mask before, widened
by 3 of 256 pixels; where that mask is empty, the drawn box. A box over several slices is first asked for in their
middle. Two things are added. Between two drawn boxes of one label the box is interpolated. And `through` goes on until
the object ends: `Likeness` says when.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from ml_service.prompts.boxes import Prompt
from ml_service.prompts.compact import Plane

Mask = NDArray[np.bool_]
Box = tuple[float, float, float, float]
Outline = Callable[[int, Box], Mask]  # slice, box -> mask of the slice
WIDER = 3 / 256  # of the slice's longer side, on each side of a box
LEAST_PIXELS = 6  # of an object on a slice
LEAST_SHARE = 0.02  # of its largest slice
OVERLAP = 0.4  # of the smaller of two neighbouring masks
LEAP = 2.2  # times as large as on the slice before: it has run into something else
CONTRAST = 0.4  # inside against outside, in spreads of the levels inside, below which levels tell nothing
HALFWAY = 0.5  # of the way from the object's level to that of what lies around it


class Found(NamedTuple):
    """What one slice holds of one label; None where the object is not."""

    z: int
    mask: Mask | None


class Run(NamedTuple):
    """A way through slices: from `start` over `slices`, asked first with `box`."""

    start: int
    box: Box
    slices: tuple[int, ...]
    ends: bool  # stop where the object ends
    drawn: dict[int, Box]  # slices that have a box of their own, drawn or interpolated


def runs(prompts: Sequence[Prompt], slices: int) -> list[Run]:
    """Returns the ways that the prompts of one label ask for, in a volume of so many slices."""
    one = sorted((p for p in prompts if p.through and p.z_min == p.z_max), key=lambda p: p.z_min)
    found = [run for prompt in prompts if prompt not in one for run in _within(prompt)]
    for at, prompt in enumerate(one):
        z, box = prompt.z_min, prompt.box
        found.append(Run(z, box, (z,), False, {}))
        if at + 1 < len(one) and one[at + 1].z_min > z:
            after = one[at + 1]
            between = tuple(range(z + 1, after.z_min))
            drawn = {k: _between(box, after.box, (k - z) / (after.z_min - z)) for k in between}
            found.append(Run(z, box, between, False, drawn))
    if one:
        found.append(Run(one[0].z_min, one[0].box, tuple(range(one[0].z_min - 1, -1, -1)), True, {}))
        found.append(Run(one[-1].z_min, one[-1].box, tuple(range(one[-1].z_min + 1, slices)), True, {}))
    return [run for run in found if run.slices]


def steps(found: Sequence[Run]) -> int:
    """Returns how many slices the ways have at most."""
    return sum(len(run.slices) for run in found)


def follow(run: Run, outline: Outline, plane: Callable[[int], Plane]) -> Iterator[Found]:
    """Yields the slices of one way in order, each as soon as it is known; the last may come early."""
    before = outline(run.start, run.box)
    likeness = Likeness(plane(run.start), before) if run.ends else None
    if likeness and not before.any():
        return
    for z in run.slices:
        if z == run.start:
            yield Found(z, before)
            continue
        mask = outline(z, run.drawn.get(z) or next_box(before, run.box))
        if likeness and not likeness.goes_on(plane(z), mask, before):
            return
        yield Found(z, mask)
        before = mask


def next_box(mask: Mask, drawn: Box) -> Box:
    """Returns the box for the slice beside a mask: its own, a little wider; the drawn one where it is empty."""
    if not mask.any():
        return drawn
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    wider = WIDER * max(mask.shape)
    return (
        max(0.0, float(columns[0]) - wider),
        max(0.0, float(rows[0]) - wider),
        min(mask.shape[1] - 1.0, float(columns[-1]) + wider),
        min(mask.shape[0] - 1.0, float(rows[-1]) + wider),
    )


class Likeness:
    """Whether a mask on the next slice is still the object of the slice that was drawn on."""

    def __init__(self, plane: Plane, mask: Mask) -> None:
        self._inside = self._outside = self._spread = 0.0
        self._largest = int(mask.sum())
        ring = _ring(mask)
        if self._largest and ring.any():
            inner = plane[mask]
            self._inside, self._outside = float(np.median(inner)), float(np.median(plane[ring]))
            self._spread = float(np.percentile(inner, 84) - np.percentile(inner, 16)) / 2

    def goes_on(self, plane: Plane, mask: Mask, before: Mask) -> bool:
        """Returns whether `mask`, found on `plane`, is the object that was `before` on the slice beside it."""
        area, last = int(mask.sum()), int(before.sum())
        if area < max(LEAST_PIXELS, LEAST_SHARE * self._largest) or area > LEAP * last + LEAST_PIXELS:
            return False
        shared = mask & before
        if int(shared.sum()) < OVERLAP * min(area, last):
            return False
        self._largest = max(self._largest, area)
        away = self._inside - self._outside
        if abs(away) <= CONTRAST * self._spread:
            return True
        return (float(np.median(plane[mask])) - self._outside) / away > HALFWAY


def _within(prompt: Prompt) -> tuple[Run, Run]:
    """A box over slices z_min .. z_max: from the middle up, and from the middle down."""
    start = prompt.z_min + (prompt.z_max - prompt.z_min) // 2
    up, down = range(start, prompt.z_max + 1), range(start - 1, prompt.z_min - 1, -1)
    return tuple(Run(start, prompt.box, tuple(part), prompt.through, {}) for part in (up, down))  # type: ignore[return-value]


def _between(low: Box, high: Box, share: float) -> Box:
    return tuple(a + share * (b - a) for a, b in zip(low, high, strict=True))  # type: ignore[return-value]


def _ring(mask: Mask) -> Mask:
    """Returns what lies around a mask, about a fifth of its breadth wide."""
    wide = max(2, round(0.2 * float(np.sqrt(mask.sum()))))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * wide + 1, 2 * wide + 1))
    ring: Mask = (cv2.dilate(mask.astype(np.uint8), kernel) > 0) & ~mask
    return ring
