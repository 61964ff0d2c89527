"""One slice of a CT taken apart: what is body, what of it is tissue of which kind, and which pieces are gas.

Slice by slice, because OpenCV's work on a plane lets go of the interpreter and needs no more room than the plane.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
Counts = NDArray[np.int64]
FAT, SOFT, BONE = 3, 4, 5  # numbers in the mask
GAS_HU = -400  # below is gas, lung or air: half-way between lung and tissue
FAT_HU = (
    -30
)  # below is fat, from -190 by Yoshizumi et al. 1999 (Radiology 211); down to GAS_HU it is a mixture at edges
BONE_HU = 150  # from here on bone: muscle ends there, by the same
AIR_HU = -950  # a piece of gas that is mostly below holds no lung: Gevenois et al. 1996 (AJRCCM 154)
THIN_MM = 6.0  # the table's shell, sheets and tubes are thinner than this, and are no body
RIM_MM = 2.0  # of a piece of gas: its levels are mixtures with what lies around it
CUT_OFF = 5  # at the edge is much air of the room, with sheets and foam in it; lung that is cut off has hardly any
PART = 0.05  # of the largest piece: smaller ones are no part of the body
LIGHT_HU = -200.0  # mean below which a piece is a mattress, not body
_SHIFT = 1024  # Hounsfield units to the numbers that OpenCV's median takes
_KINDS = np.select([np.arange(4096) < FAT_HU + _SHIFT, np.arange(4096) < BONE_HU + _SHIFT], [FAT, SOFT], BONE)
_TISSUE = _KINDS.astype(np.uint8)


class Cut(NamedTuple):
    """A slice taken apart. Of its pieces of gas, numbered from 1, each has a place in the last five arrays."""

    tissue: NDArray[np.uint8]  # (h, w): FAT, SOFT, BONE inside the body, else 0
    gas: NDArray[np.uint16]  # (h, w): a piece's number, 0 elsewhere
    pixels: Counts  # (n,)
    hu: NDArray[np.float64]  # (n,): the sum over all its pixels
    inner: Counts  # (n,): its pixels without the rim, whose levels are mixtures
    light: Counts  # (n,): those of them that are air
    open: NDArray[np.bool_]  # (n,): it reaches the slice's edge, so only if it is lung does it belong to the body


def cut(hu: Plane, pixel_mm: float) -> Cut:
    """Takes a slice (h, w) in Hounsfield units apart; `pixel_mm` is the mean of a pixel's height and width."""
    shifted = np.clip(hu + _SHIFT, 0, 4095).astype(np.uint16)
    gas = (cv2.medianBlur(shifted, 3) < GAS_HU + _SHIFT).astype(np.uint8)
    pieces, facts = _pieces(gas)
    inside = np.where(cv2.erode(gas, _disc(RIM_MM, pixel_mm)), pieces, 0)
    inner = np.bincount(inside.ravel(), minlength=len(facts))
    light = np.bincount(inside[hu < AIR_HU], minlength=len(facts))
    left, top, width, height, pixels = facts.T
    at_the_edge = (left == 0) | (top == 0) | (left + width == hu.shape[1]) | (top + height == hu.shape[0])
    body = _body(1 - gas, hu, pixel_mm)
    lung_cut_off = at_the_edge & (inner > CUT_OFF * light)
    lung_cut_off[0] = False
    for piece in np.flatnonzero(lung_cut_off):
        lung_cut_off[piece] = _within(pieces == piece, body)
    body |= _filled(lung_cut_off[pieces]) > 0
    enclosed = np.bincount(pieces[body], minlength=len(facts)) > pixels / 2
    kept = np.where(at_the_edge, lung_cut_off, enclosed)
    kept[0] = False
    chosen = np.flatnonzero(kept)[: np.iinfo(np.uint16).max]
    numbers = np.zeros(len(facts), np.uint16)
    numbers[chosen] = np.arange(1, len(chosen) + 1)
    return Cut(
        tissue=np.where((gas == 0) & body, _TISSUE[shifted], 0).astype(np.uint8),
        gas=numbers[pieces],
        pixels=pixels[chosen].astype(np.int64),
        hu=np.bincount(pieces.ravel(), hu.ravel(), len(facts))[chosen].astype(np.float64),
        inner=inner[chosen].astype(np.int64),
        light=light[chosen].astype(np.int64),
        open=at_the_edge[chosen],
    )


def _body(dense: NDArray[np.uint8], hu: Plane, pixel_mm: float) -> NDArray[np.bool_]:
    """Returns the large, heavy pieces without what is thin, holes and all: (h, w)."""
    disc = _disc(THIN_MM / 2, pixel_mm)
    pieces, facts = _pieces(cv2.morphologyEx(dense, cv2.MORPH_OPEN, disc).astype(np.uint8, copy=False))
    area = facts[:, cv2.CC_STAT_AREA].astype(np.int64)
    keep = np.bincount(pieces.ravel(), hu.ravel(), len(facts)) >= LIGHT_HU * area
    keep &= area >= PART * area[1:].max(initial=0)
    keep[0] = False
    near = cv2.dilate(keep[pieces].astype(np.uint8), disc)  # what the opening took off the edges comes back
    return _filled((near > 0) & (dense > 0)) > 0


def _within(piece: NDArray[np.bool_], body: NDArray[np.bool_]) -> bool:
    """True when most of what surrounds the piece is body; a mattress's foam has the table around it."""
    around = (cv2.dilate(piece.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0) & ~piece
    return bool(2 * np.count_nonzero(around & body) > np.count_nonzero(around))


def _disc(radius_mm: float, pixel_mm: float) -> NDArray[np.uint8]:
    size = 2 * max(1, round(radius_mm / pixel_mm)) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)).astype(np.uint8, copy=False)


def _filled(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Returns the mask with every hole filled."""
    edges, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(np.zeros(mask.shape, np.uint8), edges, -1, 1, cv2.FILLED).astype(np.uint8, copy=False)


def _pieces(mask: NDArray[np.uint8]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Returns the number of each pixel's piece, (h, w), and left, top, width, height and area of each, (n, 5)."""
    _, pieces, facts, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    return pieces.astype(np.int32, copy=False), facts.astype(np.int32, copy=False)
