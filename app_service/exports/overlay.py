"""A heatmap over its picture, drawn into one PNG for reports and archives."""

import cv2
import numpy as np

from app_service.exports.picture import shown
from app_service.intake.pixels import Pixels, encode_png

# Perceptually uniform, and rises in lightness as well as in hue, so that it reads with any kind of colour vision.
COLOURS = cv2.COLORMAP_INFERNO
CLEAR_BELOW = 0.15
STRONGEST = 0.6


def overlay_png(image: bytes, heatmap: bytes) -> bytes:
    """An RGB PNG of the size of `image`, a canonical picture.

    `heatmap` is an 8-bit grey picture of any size in the frame of the whole image. Below 15 % of full scale nothing
    of it is drawn; from there its opacity grows to 60 %.
    """
    below = shown(image)
    picture = below if below.ndim == 3 else cv2.cvtColor(below, cv2.COLOR_GRAY2BGR)
    rows, columns = picture.shape[:2]
    heat = shown(heatmap)
    heat = cv2.resize(heat if heat.ndim == 2 else heat[..., 0], (columns, rows), interpolation=cv2.INTER_LINEAR)
    return encode_png(_blended(picture, cv2.applyColorMap(heat, COLOURS), heat))


def _blended(below: Pixels, above: Pixels, heat: Pixels) -> Pixels:
    level = np.arange(256) / 255
    opacity = (np.clip((level - CLEAR_BELOW) / (1 - CLEAR_BELOW), 0, 1) * STRONGEST).astype(np.float32)
    weight = opacity[heat]
    blended: Pixels = cv2.blendLinear(above, below, weight, 1 - weight)
    return blended
