"""No tumour, glioma, meningioma or pituitary tumour on one slice of a brain MR."""

from ml_service.calibration import Floats
from ml_service.manifest import Manifest
from ml_service.tasks.decode import Grey
from ml_service.tasks.film import Pixels, frame, network_input
from ml_service.tasks.position import wrong_ways
from ml_service.tasks.verdict import Verdict, judged

LABELS = ("none", "glioma", "meningioma", "pituitary")  # one for each logit
NEGATIVE_LABEL = "none"
STRANGE = "not_a_brain_slice"
VARIANT_WARNINGS = {
    "inverted": "The grey levels seem to be inverted (air bright). Store the slice with air dark.",
    "quarter_turn_right": "The slice seems to be turned to the right.",
    "upside_down": "The slice seems to be upside down.",
    "quarter_turn_left": "The slice seems to be turned to the left.",
}


def prepare(plane: Grey, side: int) -> Pixels:
    """Returns what the network reads: grey plane of any size -> (side, side, 1) float32. As for chest films:
    equalisation takes the scanner's scale out, by which alone the classes of the training set can be told apart.
    """
    return network_input(frame(plane), side)


def variants(plane: Grey, side: int) -> dict[str, Pixels]:
    """Returns the slice put right for each common fault, prepared: asked only about a refused image."""
    return {code: prepare(right, side) for code, right in wrong_ways(plane).items()}


def interpret(logits: Floats, ood_score: float, plane: Grey | None, manifest: Manifest) -> Verdict:
    """Returns the verdict on one slice from its logits, (4,); `plane` is None when only prepared pixels came."""
    return judged(logits, ood_score, plane, manifest, STRANGE)
