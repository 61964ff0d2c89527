"""Masks on their way out: one number a pixel or voxel, 0 where there is nothing, i + 1 where there is `labels[i]`."""

from collections.abc import Callable
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from portal_wire.contract import Notice

LabelMap = NDArray[np.uint8]  # (height, width) or (depth, height, width)
Measured = dict[str, Any]  # the keys that `measured` gives
_RUNS = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]  # flat areas


class Outlined(NamedTuple):
    """What a model outlined in one study."""

    mask: Callable[[], bytes]  # the label map as a file; made when it is asked for
    measurements: list[Measured]
    warnings: list[Notice]


def png(found: LabelMap) -> bytes:
    """Returns (height, width) as an 8-bit grey PNG of the same size."""
    encoded: bytes = cv2.imencode(".png", found, _RUNS)[1].tobytes()
    return encoded


def measured(
    label: str,
    index: int,
    share: float,
    *,
    pixels: int | None = None,
    voxels: int | None = None,
    area_mm2: float | None = None,
    volume_ml: float | None = None,
    mean_hu: float | None = None,
) -> Measured:
    """Returns one structure's row, every key there: what does not apply, or is not known, is None."""
    return {
        "label": label,
        "index": index,
        "pixels": pixels,
        "voxels": voxels,
        "area_mm2": area_mm2,
        "volume_ml": volume_ml,
        "mean_hu": mean_hu,
        "share": round(share, 6),
    }


def measured_image(
    found: LabelMap, labels: tuple[str, ...], spacing_mm: tuple[float, float] | None = None
) -> list[Measured]:
    """Returns a row for each label. `spacing_mm` is a pixel's height and width; None: areas are not known."""
    counts = np.bincount(found.ravel(), minlength=len(labels) + 1)
    area = None if spacing_mm is None else spacing_mm[0] * spacing_mm[1]
    return [
        measured(
            label,
            index,
            int(counts[index]) / found.size,
            pixels=int(counts[index]),
            area_mm2=None if area is None else round(int(counts[index]) * area, 1),
        )
        for index, label in enumerate(labels, start=1)
    ]
