"""An object from slice to slice of a volume, from boxes on one slice or on several.

A box over several slices is first asked for in their middle, and from there up and down, as in the challenge that
LiteMedSAM is from. Between two drawn boxes of one label the box is interpolated. `through` goes on until the object
ends. How the next slice's box and mask come about is told by a `Memory`: that of this project's own network, or
`Widened`, the challenge's rule.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ml_service.prompts.boxes import Prompt
from ml_service.prompts.compact import Plane
from ml_service.prompts.memory import Box, Mask, Memory, tight

Outline = Callable[[int, Box], Plane]  # slice, box -> logits of the slice, above 0 inside
WIDER = 3 / 256  # of the slice's longer side, on each side of a box


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


def follow(run: Run, outline: Outline, plane: Callable[[int], Plane], memory: type[Memory] = Memory) -> Iterator[Found]:
    """Yields the slices of one way in order, each as soon as it is known; the last may come early."""
    before = outline(run.start, run.box) > 0
    if run.ends and not before.any():
        return
    known = memory(plane(run.start), before, run.box)
    for z in run.slices:
        if z == run.start:
            yield Found(z, before)
            continue
        levels = plane(z)
        expected = known.expected(levels)
        mask = known.weighed(levels, expected, outline(z, run.drawn.get(z) or known.box(expected)))
        if run.ends and not known.goes_on(levels, expected, mask):
            return
        yield Found(z, mask)
        known.remember(levels, mask)


class Widened(Memory):
    """The challenge's rule: the next slice's box is that of the mask before, widened by 3 of 256 pixels, and where that
    mask is empty the drawn box; the network alone says what is inside. Only the end is told as `Memory` tells it."""

    def __init__(self, plane: Plane, mask: Mask, drawn: Box) -> None:
        super().__init__(plane, mask, drawn)
        self._before, self._drawn = mask, drawn

    def expected(self, plane: Plane) -> Plane:
        return np.where(self._before, 1, -1).astype(np.float32)

    def box(self, expected: Plane) -> Box:
        return next_box(self._before, self._drawn)

    def weighed(self, plane: Plane, expected: Plane, logits: Plane) -> Mask:
        inside: Mask = logits > 0
        return inside

    def remember(self, plane: Plane, mask: Mask) -> None:
        self._before = mask
        super().remember(plane, mask)


def next_box(mask: Mask, drawn: Box) -> Box:
    """Returns the box for the slice beside a mask: its own, a little wider; the drawn one where it is empty."""
    if not mask.any():
        return drawn
    left, top, right, bottom = tight(mask)
    wider = WIDER * max(mask.shape)
    return (
        max(0.0, left - wider),
        max(0.0, top - wider),
        min(mask.shape[1] - 1.0, right + wider),
        min(mask.shape[0] - 1.0, bottom + wider),
    )


def _within(prompt: Prompt) -> tuple[Run, Run]:
    """A box over slices z_min .. z_max: from the middle up, and from the middle down."""
    start = prompt.z_min + (prompt.z_max - prompt.z_min) // 2
    up, down = range(start, prompt.z_max + 1), range(start - 1, prompt.z_min - 1, -1)
    return tuple(Run(start, prompt.box, tuple(part), prompt.through, {}) for part in (up, down))  # type: ignore[return-value]


def _between(low: Box, high: Box, share: float) -> Box:
    return tuple(a + share * (b - a) for a, b in zip(low, high, strict=True))  # type: ignore[return-value]
