"""A heatmap or a mask over its picture, drawn into one PNG for reports and archives."""

import cv2
import numpy as np

from app_service.exports.picture import shown
from app_service.exports.structure_colours import STRUCTURES
from app_service.intake.pixels import Pixels, encode_png

# Perceptually uniform, and rises in lightness as well as in hue, so that it reads with any kind of colour vision.
COLOURS = cv2.COLORMAP_INFERNO
CLEAR_BELOW = 0.15
STRONGEST = 0.6
FILLED = 0.4


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


def mask_overlay_png(image: bytes, mask: bytes) -> bytes:
    """An RGB PNG of the size of `image`, a canonical picture; `mask` is a label map of the same size, 0 background.

    Each structure is filled at 40 %, and its border drawn in full.
    """
    below = shown(image)
    picture = below if below.ndim == 3 else cv2.cvtColor(below, cv2.COLOR_GRAY2BGR)
    return encode_png(painted(picture, shown(mask)))


def painted(picture: Pixels, labels: Pixels) -> Pixels:
    """`picture`, of three colours, with the structures of `labels` over it."""
    table = np.zeros((256, 3), np.uint8)
    blue_green_red = np.frombuffer(b"".join(STRUCTURES), np.uint8).reshape(-1, 3)[:, ::-1]
    table[1:] = np.resize(blue_green_red, (255, 3))  # from the first again
    colours = table[labels]
    border = cv2.morphologyEx(labels, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    weight = np.where(labels > 0, np.where(border, 1, FILLED), 0).astype(np.float32)
    blended: Pixels = cv2.blendLinear(colours, picture, weight, 1 - weight)
    return blended


def _blended(below: Pixels, above: Pixels, heat: Pixels) -> Pixels:
    level = np.arange(256) / 255
    opacity = (np.clip((level - CLEAR_BELOW) / (1 - CLEAR_BELOW), 0, 1) * STRONGEST).astype(np.float32)
    weight = opacity[heat]
    blended: Pixels = cv2.blendLinear(above, below, weight, 1 - weight)
    return blended
