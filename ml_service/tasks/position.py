"""The ways in which a picture is often wrongly stored."""

import numpy as np

from ml_service.tasks.decode import Grey


def wrong_ways(plane: Grey) -> dict[str, Grey]:
    """Returns the picture put right for each fault that it may have: its code -> (height, width)."""
    return {
        "inverted": (255 - plane).astype(np.uint8),
        "quarter_turn_right": np.ascontiguousarray(np.rot90(plane, 1)),
        "upside_down": np.ascontiguousarray(np.rot90(plane, 2)),
        "quarter_turn_left": np.ascontiguousarray(np.rot90(plane, 3)),
    }
