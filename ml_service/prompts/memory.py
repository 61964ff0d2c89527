"""What is known of an object from the slice before: where it may be on the next one, and which levels it has.

A network of slices sees each alone. Left to itself it fills whatever box it is handed, so that a box a little wide
makes a mask a little wide, and the next box wider still. Here its answer is one of three voices; the others are where
the object was, moved as the picture moved (dense inverse search, Kroeger et al. 2016), and how much likelier a level
is inside of what a person boxed than around it. The figures below were chosen on training and validation patients.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ml_service.prompts.compact import Plane

Mask = NDArray[np.bool_]
Box = tuple[float, float, float, float]
NETWORK, LEVEL, PLACE = 0.7, 1.5, 1.5  # how much each voice counts
MOST_LOGIT, MOST_LEVEL, MOST_PLACE = 6.0, 3.0, 3.0  # beyond, a voice is not heard louder
GIVE = 0.05  # of the object's breadth: so far its edge moves from slice to slice without wonder
LEAST_GIVE = 0.7  # pixels
LEAST_PIXELS = 6  # of an object on a slice
LEAST_SHARE = 0.02  # of its largest slice
OVERLAP = 0.4  # of the smaller of a mask and where it was expected
LEAP = 2.2  # times as large as on the slice before: it has run into something else
BINS = 32
AROUND = 0.3  # of the object's breadth: where the levels beside it are read
ROOM = 0.5  # of the box's side, on each side of it: what motion is told by
LEAST_SIDE, MOST_SIDE = 96, 256  # pixels of what motion is told by
SMOOTH = 1.5  # pixels of the slice


class Memory:
    """An object that was outlined on one slice, and is followed from there; where nothing was, the drawn box is."""

    def __init__(self, plane: Plane, mask: Mask, drawn: Box) -> None:
        self._plane, self._mask = plane, mask if mask.any() else filled(drawn, mask.shape)
        self._largest = int(mask.sum())
        self._odds = Odds(plane, mask) if mask.any() else None

    def expected(self, plane: Plane) -> Plane:
        """Returns how far inside of the object each pixel of the next slice should be, in pixels; below 0 outside."""
        return moved(self._plane, plane, self._mask)

    def box(self, expected: Plane) -> Box:
        """Returns the tight box of where the object should be."""
        return tight(expected > 0) if (expected > 0).any() else tight(self._mask)

    def weighed(self, plane: Plane, expected: Plane, logits: Plane) -> Mask:
        """Returns the object on the next slice, in one piece."""
        give = max(LEAST_GIVE, GIVE * float(np.sqrt(self._mask.sum())))
        heard = NETWORK * np.clip(logits, -MOST_LOGIT, MOST_LOGIT)
        heard = heard + PLACE * np.clip(expected / give, -MOST_PLACE, MOST_PLACE)
        if self._odds:
            heard = heard + LEVEL * self._odds.of(plane)
        return _piece(heard > 0, expected > 0)

    def goes_on(self, plane: Plane, expected: Plane, mask: Mask) -> bool:
        """Returns whether `mask`, found on `plane`, is still the object."""
        area, last = int(mask.sum()), int(self._mask.sum())
        if area < max(LEAST_PIXELS, LEAST_SHARE * self._largest) or area > LEAP * last + LEAST_PIXELS:
            return False
        place = expected > 0
        if int((mask & place).sum()) < OVERLAP * min(area, int(place.sum())):
            return False
        return self._odds is None or float(self._odds.of(plane)[mask].mean()) >= 0

    def remember(self, plane: Plane, mask: Mask) -> None:
        """Takes the object as it is on this slice for the next one; an empty mask tells nothing."""
        if mask.any():
            self._plane, self._mask = plane, mask
            self._largest = max(self._largest, int(mask.sum()))


class Odds:
    """How much likelier each level is inside of a mask than around it: logarithms of the ratio."""

    def __init__(self, plane: Plane, mask: Mask) -> None:
        inside, around = plane[mask], plane[ring(mask)]
        both = np.concatenate([inside, around])
        low, high = (float(level) for level in np.percentile(both, (0.5, 99.5)))
        self._low, self._width = low, max(high - low, 1e-6)
        self._table = np.zeros(BINS, np.float32)
        if len(around):
            odds = np.log(self._shares(inside) / self._shares(around))
            self._table = np.clip(odds, -MOST_LEVEL, MOST_LEVEL).astype(np.float32)

    def of(self, plane: Plane) -> Plane:
        """Returns them for each pixel."""
        found: Plane = self._table[self._bins(plane)]
        return found

    def _bins(self, levels: NDArray[np.float32]) -> NDArray[np.intp]:
        bins: NDArray[np.intp] = np.clip((levels - self._low) / self._width * BINS, 0, BINS - 1).astype(np.intp)
        return bins

    def _shares(self, levels: NDArray[np.float32]) -> NDArray[np.float64]:
        counts = np.bincount(self._bins(levels), minlength=BINS).astype(np.float64)
        even = cv2.GaussianBlur(counts[None], (0, 0), 1.2, borderType=cv2.BORDER_REPLICATE)[0]
        even = even + 0.02 * even.sum() / BINS + 1e-6  # a level that was not seen is not impossible
        shares: NDArray[np.float64] = even / even.sum()
        return shares


def tight(mask: Mask) -> Box:
    """Returns the tight box of a mask that is not empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return float(columns[0]), float(rows[0]), float(columns[-1]), float(rows[-1])


def filled(box: Box, shape: tuple[int, ...]) -> Mask:
    """Returns all of a box as a mask."""
    mask = np.zeros(shape, np.bool_)
    mask[round(box[1]) : round(box[3]) + 1, round(box[0]) : round(box[2]) + 1] = True
    return mask


def ring(mask: Mask) -> Mask:
    """Returns what lies around a mask."""
    wide = max(2, round(AROUND * float(np.sqrt(mask.sum()))))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * wide + 1, 2 * wide + 1))
    found: Mask = (cv2.dilate(mask.astype(np.uint8), kernel) > 0) & ~mask
    return found


def moved(before: Plane, plane: Plane, mask: Mask) -> Plane:
    """Returns the depth of each pixel of `plane` inside of `mask`, which was on the slice `before`, had it moved as
    the picture did. Far from the mask it is deep outside."""
    x_min, y_min, x_max, y_max = tight(mask)
    room = max(8.0, ROOM * max(x_max - x_min + 1, y_max - y_min + 1))
    left, top = (max(0, int(low - room)) for low in (x_min, y_min))
    right, bottom = int(min(mask.shape[1], x_max + room + 1)), int(min(mask.shape[0], y_max + room + 1))
    part = np.s_[top:bottom, left:right]
    flow = _flow(plane[part], before[part])
    y, x = np.mgrid[: bottom - top, : right - left].astype(np.float32)
    depth = np.full(mask.shape, -float(max(mask.shape)), np.float32)
    depth[part] = cv2.remap(
        _depth(mask)[part], x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return depth


def _flow(now: Plane, before: Plane) -> NDArray[np.float32]:
    """For each pixel of `now` how far away it was, across and down."""
    longest = max(now.shape)
    scale = min(max(longest, LEAST_SIDE), MOST_SIDE) / longest
    size = (round(now.shape[1] * scale), round(now.shape[0] * scale))
    if min(size) < 16:  # too little for the search's patches
        return np.zeros((*now.shape, 2), np.float32)
    low, high = np.percentile(before, (1, 99))
    grey = [
        cv2.resize((np.clip((each - low) / max(high - low, 1e-6), 0, 1) * 255).astype(np.uint8), size)
        for each in (now, before)
    ]
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow: Any = search.calc(grey[0], grey[1], None)  # type: ignore[call-overload]
    flow = cv2.resize(cv2.GaussianBlur(flow, (0, 0), SMOOTH * scale), now.shape[::-1]) / scale
    found: NDArray[np.float32] = flow.astype(np.float32, copy=False)
    return found


def _depth(mask: Mask) -> Plane:
    """Distance to the mask's edge, which runs between pixels; below 0 outside."""
    inside = mask.astype(np.uint8)
    apart = cv2.distanceTransform(inside, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5)
    depth: Plane = (apart - np.where(mask, 0.5, -0.5)).astype(np.float32)
    return depth


def _piece(mask: Mask, place: Mask) -> Mask:
    """Of a mask in pieces the one that covers most of `place`."""
    count, pieces = cv2.connectedComponents(mask.astype(np.uint8))
    if count <= 2:
        return mask
    covered = np.bincount(pieces[place], minlength=count)
    one: Mask = pieces == int(covered[1:].argmax()) + 1
    return one
