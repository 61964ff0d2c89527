"""The two lungs of a frontal chest film, outlined and measured."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from ml_service.calibration import Floats
from ml_service.manifest import Manifest
from ml_service.tasks.decode import Grey
from ml_service.tasks.film import Pixels, equalise, resized
from ml_service.tasks.pneumonia import VARIANT_WARNINGS
from ml_service.tasks.position import wrong_ways
from ml_service.tasks.quality import is_blank, remarks
from ml_service.tasks.verdict import BLANK, Verdict, turned_away
from portal_wire.contract import Notice

LABELS = ("right_lung", "left_lung")  # the patient's: the right one is on the picture's left
NEGATIVE_LABEL = "no_lung"
OUTLINED = "lung_field"
STRANGE = "not_a_chest_film"
LEAST = 0.01  # share of the film below which a part is no lung

Mask = NDArray[np.bool_]

__all__ = ["LABELS", "NEGATIVE_LABEL", "VARIANT_WARNINGS", "interpret", "outline", "prepare", "variants"]


class Outlined(NamedTuple):
    """One structure on the film as it came."""

    label: str
    mask: Mask  # (height, width)
    pixels: int
    mm2: float | None  # None where the pixels' size is not known


def prepare(plane: Grey, side: int) -> Pixels:
    """Returns what the network reads: grey plane of any size -> (side, side, 1) float32, the whole film squashed."""
    return equalise(resized(plane, side))[:, :, np.newaxis]


def variants(plane: Grey, side: int) -> dict[str, Pixels]:
    """Returns the film put right for each common fault, prepared: asked only about a refused image."""
    return {code: prepare(right, side) for code, right in wrong_ways(plane).items()}


def interpret(logits: Floats, ood_score: float, plane: Grey | None, manifest: Manifest) -> Verdict:
    """Returns the verdict on one film; what there is to see is in the mask, not in a probability."""
    if plane is not None and is_blank(plane):
        return turned_away(ood_score, [BLANK])
    if not ood_score <= manifest.typical.threshold:
        return turned_away(ood_score, [Notice(code=STRANGE, detail=f"This does not look like {manifest.subject}.")])
    if np.isnan(logits).any():
        raise ValueError("Expected numbers from the network. Received: NaN")
    warnings = remarks(plane) if plane is not None else []
    return Verdict(OUTLINED, [], in_distribution=True, ood_score=ood_score, warnings=warnings)


def outline(heat: Floats, shape: tuple[int, int], spacing_mm: tuple[float, float] | None = None) -> list[Outlined]:
    """Returns each lung on the film as it came.

    Args:
        heat: every pixel's logits, (side, side, 2).
        shape: height and width of the film.
        spacing_mm: a pixel's height and width there.
    """
    area = None if spacing_mm is None else spacing_mm[0] * spacing_mm[1]
    found = []
    for label, logits in zip(LABELS, np.moveaxis(np.asarray(heat, np.float32), -1, 0), strict=True):
        fine = cv2.resize(logits, shape[::-1], interpolation=cv2.INTER_LINEAR)  # edges as sharp as the film allows
        mask = whole(fine > 0)
        pixels = int(mask.sum())
        found.append(Outlined(label, mask, pixels, None if area is None else round(pixels * area, 1)))
    return found


def whole(mask: Mask) -> Mask:
    """Returns the mask's largest piece without holes; none where even that is too small for a lung."""
    count, pieces, facts, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    sizes = facts[1:, cv2.CC_STAT_AREA]
    if count < 2 or sizes.max() < LEAST * mask.size:
        return np.zeros_like(mask)
    piece = (pieces == 1 + int(sizes.argmax())).astype(np.uint8)
    edges, _ = cv2.findContours(piece, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled: Mask = cv2.drawContours(np.zeros_like(piece), edges, -1, 1, cv2.FILLED).astype(bool)
    return filled
