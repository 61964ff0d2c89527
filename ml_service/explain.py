"""Where the answer came from: the network's heat, drawn in the frame of the whole film."""

import cv2
import numpy as np
from numpy.typing import NDArray

from ml_service.tasks.film import CROP

SIDE = 112  # pixels: many times what a network's last maps have, and a quarter of the work of the film's frame
# One filter instead of a search for the best of five: half the time, the same size.
FAST = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_SUB]


def heatmap_png(heat: NDArray[np.float32], full_heat: float) -> bytes:
    """Returns heat (h, w) as an 8-bit grey PNG (SIDE, SIDE) that covers the whole film; stretch it to its size.

    `full_heat` is one fixed activation for the model, so a healthy film stays dark instead of being
    stretched until something glows. The border that the network does not see is 0.
    """
    shown = np.clip(heat / full_heat, 0, 1)
    border = round(SIDE * (1 - CROP) / 2)
    seen = SIDE - 2 * border
    inner = cv2.resize((shown * 255).astype(np.float32), (seen, seen), interpolation=cv2.INTER_CUBIC)
    whole = np.zeros((SIDE, SIDE), np.uint8)
    whole[border : border + seen, border : border + seen] = np.rint(np.clip(inner, 0, 255)).astype(np.uint8)
    encoded: bytes = cv2.imencode(".png", whole, FAST)[1].tobytes()
    return encoded
