"""Logits as labels: little to keep for each voxel, so a volume's answer is not larger than the volume."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml_service.sliding_window.plan import Plan
from ml_service.sliding_window.stream import Floats

Slab = tuple[tuple[slice, slice, slice], Floats]


def label_map(slabs: Iterator[Slab], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Returns the most probable label of every voxel, 0 the first one (which stands for none)."""
    found = np.zeros(shape, np.uint8)
    for where, logits in slabs:
        found[where] = logits.argmax(axis=-1)
    return found


def label_bits(slabs: Iterator[Slab], shape: tuple[int, ...]) -> NDArray[np.uint32]:
    """Returns a bit for each label that is more probable than not, the first one the lowest: a voxel may have several.

    Raises ValueError for more than 32 labels.
    """
    found = np.zeros(shape, np.uint32)
    for where, logits in slabs:
        if logits.shape[-1] > 32:
            raise ValueError(f"Expected at most 32 labels. Received: {logits.shape[-1]}")
        bits = np.zeros(logits.shape[:3], np.uint32)
        for label in range(logits.shape[-1]):
            bits |= (logits[..., label] > 0).astype(np.uint32) << np.uint32(label)  # sigmoid(0) is a half
        found[where] = bits
    return found


def masks(slabs: Iterator[Slab], shape: tuple[int, ...], plan: Plan, names: tuple[str, ...]) -> dict[str, Any]:
    """Returns a mask for each structure by its name, (depth, height, width) of bool; softmax's first label has none."""
    if plan.activation == "softmax":
        found = label_map(slabs, shape)
        return {name: found == number for number, name in enumerate(names) if number}
    bits = label_bits(slabs, shape)
    return {name: (bits >> np.uint32(number)) & 1 == 1 for number, name in enumerate(names)}
