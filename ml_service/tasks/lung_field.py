"""The two lungs of a frontal chest film, outlined."""

import cv2
import numpy as np
from numpy.typing import NDArray

from ml_service.calibration import Floats
from ml_service.label_maps import LabelMap, Measured
from ml_service.manifest import Manifest
from ml_service.tasks.decode import Grey
from ml_service.tasks.film import Pixels, equalise, resized
from ml_service.tasks.pneumonia import VARIANT_WARNINGS
from ml_service.tasks.position import wrong_ways
from ml_service.tasks.quality import is_blank, remarks
from ml_service.tasks.verdict import BLANK, Verdict, turned_away
from portal_wire.contract import SEGMENTED, Notice

LABELS = ("right_lung", "left_lung")  # the patient's: the right one is on the picture's left
NEGATIVE_LABEL = None
STRANGE = "not_a_chest_film"
FINEST = 2048  # pixels of the longer side: a line drawn finer than that is no truer, and takes memory by the gigabyte
LEAST = 0.01  # share of the film below which a part is no lung

Mask = NDArray[np.bool_]

__all__ = ["LABELS", "NEGATIVE_LABEL", "VARIANT_WARNINGS", "interpret", "missing", "outline", "prepare", "variants"]


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
    return Verdict(SEGMENTED, [], in_distribution=True, ood_score=ood_score, warnings=warnings)


def outline(heat: Floats, shape: tuple[int, int]) -> LabelMap:
    """Returns the lungs on the film as it came, (height, width): each one piece without holes, 1 right and 2 left.

    Args:
        heat: every pixel's logits, (side, side, 2).
        shape: height and width of the film.
    """
    if max(shape) > FINEST:
        drawn = outline(heat, (max(1, shape[0] * FINEST // max(shape)), max(1, shape[1] * FINEST // max(shape))))
        return cv2.resize(drawn, shape[::-1], interpolation=cv2.INTER_NEAREST).astype(np.uint8, copy=False)
    found = np.zeros(shape, np.uint8)
    surest = np.zeros(shape, np.float32)
    for index in range(len(LABELS)):
        logits = np.ascontiguousarray(heat[:, :, index], np.float32)
        fine = cv2.resize(logits, shape[::-1], interpolation=cv2.INTER_LINEAR)
        # A filled hole has no logit of its own above 0. Where both lungs claim a pixel, the surer one has it.
        sure = np.where(whole(fine > 0), np.maximum(fine, np.float32(1e-6)), np.float32(0))
        found[sure > surest] = index + 1
        surest = np.maximum(surest, sure)
    return found


def missing(measurements: list[Measured]) -> list[Notice]:
    """Returns a word on each lung that was not found, so that an empty mask is not read as a lung of no size."""
    return [
        Notice(code="not_found", detail=f"No {row['label'].replace('_', ' ')} was found.")
        for row in measurements
        if row["pixels"] == 0
    ]


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
