"""Normal or pneumonia on a frontal chest film."""

from ml_service.calibration import Floats
from ml_service.manifest import Manifest
from ml_service.tasks.decode import Grey
from ml_service.tasks.film import Pixels, frame, network_input
from ml_service.tasks.position import wrong_ways
from ml_service.tasks.verdict import Verdict, judged

LABELS = ("pneumonia",)
NEGATIVE_LABEL = "normal"
STRANGE = "not_a_chest_film"
VARIANT_WARNINGS = {
    "inverted": "The grey levels seem to be inverted (bone dark). Store the film with bone bright.",
    "quarter_turn_right": "The film seems to lie on its side (turned to the right).",
    "upside_down": "The film seems to be upside down.",
    "quarter_turn_left": "The film seems to lie on its side (turned to the left).",
}


def prepare(plane: Grey, side: int) -> Pixels:
    """Returns what the network reads: grey plane of any size -> (side, side, 1) float32.

    The same function prepares the validation and test films, so a score means the same in both places.
    """
    return network_input(frame(plane), side)


def variants(plane: Grey, side: int) -> dict[str, Pixels]:
    """Returns the film put right for each common fault, prepared: asked only about a refused image."""
    return {code: prepare(right, side) for code, right in wrong_ways(plane).items()}


def interpret(logits: Floats, ood_score: float, plane: Grey | None, manifest: Manifest) -> Verdict:
    """Returns the verdict on one image from its logit, (1,); `plane` is None when only prepared pixels came."""
    return judged(logits, ood_score, plane, manifest, STRANGE)
