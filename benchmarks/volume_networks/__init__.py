"""Networks for volumes beside the programs that they come from: MONAI's sliding window, LiteMedSAM's inference script.

Both sides have the same weights, which anybody can make again, the same volume, the same threads and 32-bit sums, and
take turns; each is a process of its own that answers a line on its input by one pass.
"""

import os
import zlib
from math import prod, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

THREADS = len(os.sched_getaffinity(0))
# MONAI's spleen bundle: its U-Net, and how it slides.
UNET = {"labels": 2, "channels": 1, "widths": (16, 32, 64, 128, 256), "units": 2}
WINDOW, OVERLAP, BATCH = (96, 96, 96), 0.5, 4
VOXELS = (192, 192, 144)
WARM = {"unet": 0.7, "boxes": 0.03}  # the scale of a first pass that is not counted: a whole batch, a few slices
SLICES, SIDE = 100, 512  # of the volume that boxes are drawn on
# x_min, y_min, z_min, x_max, y_max, z_max, as in LiteMedSAM's files.
BOXES = ((60, 80, 0, 240, 230, SLICES - 1), (250, 120, 0, 420, 300, SLICES - 1), (180, 280, 0, 330, 440, SLICES - 1))


def tensor(name: str, shape: tuple[int, ...]) -> NDArray[np.generic]:
    """A weight by its name in the original's state dict: the rule of tests/ml_service/importers/parity.py."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    if name.endswith("num_batches_tracked"):
        return np.zeros(shape, np.int64)
    if name.endswith("running_var"):
        return np.asarray(0.5 + rng.random(shape), np.float32)
    if len(shape) >= 2:
        return np.asarray(rng.standard_normal(shape) / sqrt(prod(shape[1:])), np.float32)
    return np.asarray(name.endswith("weight") + 0.1 * rng.standard_normal(shape), np.float32)


def study(what: str, scale: float = 1.0) -> NDArray[Any]:
    """What "unet" reads, (depth, height, width) float32 of 0 .. 1, or what "boxes" are drawn on, (slices, rows,
    columns) uint8: three bright columns in noise. `scale` below 1 makes a trial of it."""
    if what == "unet":
        return np.random.default_rng(0).random([max(96, int(side * scale)) for side in VOXELS], np.float32)
    count = max(3, int(SLICES * scale))
    y, x = np.mgrid[:SIDE, :SIDE]
    plane = np.full((SIDE, SIDE), 60.0)
    for x_min, y_min, _, x_max, y_max, _ in BOXES:
        across, down = (x_max - x_min) / 2, (y_max - y_min) / 2
        plane[((x - x_min - across) / across) ** 2 + ((y - y_min - down) / down) ** 2 < 1] = 170
    noise = np.random.default_rng(1).normal(0, 12, (count, SIDE, SIDE))
    return np.asarray(np.clip(plane + noise, 0, 255), np.uint8)
