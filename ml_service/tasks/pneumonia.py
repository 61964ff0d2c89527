"""Normal or pneumonia on a frontal chest film."""

import cv2
import numpy as np

from ml_service.manifest import Manifest
from ml_service.tasks.decode import Grey
from ml_service.tasks.film import Pixels, frame, network_input
from ml_service.tasks.verdict import Verdict, sigmoid, turned_away
from portal_wire.contract import UNCERTAIN, Finding, Notice

LABELS = ("pneumonia",)
NEGATIVE_LABEL = "normal"
DETAIL = 3  # a picture whose grey levels deviate by less than this (of 255) shows nothing


def prepare(plane: Grey, side: int) -> Pixels:
    """Returns what the network reads: grey plane of any size -> (side, side, 1) float32.

    The same function prepares the validation and test films, so a score means the same in both places.
    """
    return network_input(frame(plane), side)


def variants(plane: Grey, side: int) -> dict[str, Pixels]:
    """Returns the ways in which a film is often wrongly stored, prepared: asked only about a refused image."""
    return {
        "inverted": prepare((255 - plane).astype(np.uint8), side),
        "quarter_turn_right": prepare(np.ascontiguousarray(np.rot90(plane, 1)), side),
        "upside_down": prepare(np.ascontiguousarray(np.rot90(plane, 2)), side),
        "quarter_turn_left": prepare(np.ascontiguousarray(np.rot90(plane, 3)), side),
    }


VARIANT_WARNINGS = {
    "inverted": "The grey levels seem to be inverted (bone dark). Store the film with bone bright.",
    "quarter_turn_right": "The film seems to lie on its side (turned to the right).",
    "upside_down": "The film seems to be upside down.",
    "quarter_turn_left": "The film seems to lie on its side (turned to the left).",
}


def interpret(logit: float, ood_score: float, plane: Grey | None, manifest: Manifest) -> Verdict:
    """Returns the verdict on one image; `plane` is None when only prepared pixels came."""
    if plane is not None and float(cv2.meanStdDev(plane)[1][0, 0]) < DETAIL:
        blank = Notice(code="blank_image", detail="The image is blank: nearly one grey level throughout.")
        return turned_away(ood_score, [blank])
    if not ood_score <= manifest.typical.threshold:  # a score that is no number is refused as well
        strange = Notice(
            code="not_a_chest_film",
            detail="This does not look like the chest films the model was trained on, so it gives no answer.",
        )
        return turned_away(ood_score, [strange])
    fit = manifest.calibration
    probability = sigmoid(fit.scale * logit + fit.offset)
    positive = probability >= fit.operating_point
    low, high = fit.uncertain_band
    label = LABELS[0] if positive else NEGATIVE_LABEL
    finding = Finding(label=LABELS[0], probability=probability, threshold=fit.operating_point, positive=positive)
    return Verdict(
        label=UNCERTAIN if low <= probability <= high else label,
        findings=[finding],
        in_distribution=True,
        ood_score=ood_score,
        warnings=[],
    )
