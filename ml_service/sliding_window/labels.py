"""Logits as labels: little to keep for each voxel, so a volume's answer is not larger than the volume."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ml_service.label_maps import LabelMap
from ml_service.sliding_window.stream import Floats

MOST_BITS = 32
Bits = NDArray[np.uint32]
Mask = NDArray[np.bool_]
Slab = tuple[tuple[slice, slice, slice], Floats]


def label_map(slabs: Iterator[Slab], shape: tuple[int, ...]) -> LabelMap:
    """Returns the most probable label of every voxel, 0 the first one (which stands for none)."""
    found = np.zeros(shape, np.uint8)
    for where, logits in slabs:
        found[where] = logits.argmax(axis=-1)
    return found


def label_bits(slabs: Iterator[Slab], shape: tuple[int, ...]) -> Bits:
    """Returns a bit for each label that is more probable than not, the first one the lowest: a voxel may have several.

    Raises ValueError for more than 32 labels.
    """
    found = np.zeros(shape, np.uint32)
    for where, logits in slabs:
        if logits.shape[-1] > MOST_BITS:
            raise ValueError(f"Expected at most 32 labels. Received: {logits.shape[-1]}")
        bits = np.zeros(logits.shape[:3], np.uint32)
        for label in range(logits.shape[-1]):
            bits |= (logits[..., label] > 0).astype(np.uint32) << np.uint32(label)  # sigmoid(0) is a half
        found[where] = bits
    return found


def plane(bits: Bits, number: int) -> Mask:
    """Returns where a label's bit is set."""
    found: Mask = (bits >> np.uint32(number)) & np.uint32(1) == 1
    return found


def put(bits: Bits, number: int, mask: Mask) -> None:
    """Sets a label's bit where the mask is, and takes it away elsewhere."""
    bits &= ~np.uint32(1 << number)
    bits |= mask.astype(np.uint32) << np.uint32(number)


def joined(bits: Bits, count: int) -> LabelMap:
    """Returns one number a voxel, i + 1 for bit i. Where several are set the highest is kept: vessels and lesions,
    which lie in organs, come after them."""
    found = np.zeros(bits.shape, np.uint8)
    for number in range(count):
        found[plane(bits, number)] = number + 1
    return found
