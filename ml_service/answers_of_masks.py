"""What a model that outlines says: no probability, but a mask and what was measured of it."""

import json
import math
from typing import Any

from ml_service.manifest import Prompted
from ml_service.protocol import Tensor
from ml_service.served import Seen
from ml_service.served_volume import ServedVolume
from ml_service.serving import Answering
from portal_wire.errors import BadRequest

USUAL = ("findings",)
OUTPUTS = ("findings", "mask")


def spacing_mm(parameters: dict[str, Any]) -> tuple[float, float] | None:
    """Returns a pixel's height and width from the parameter `spacing_mm`, the JSON text of two numbers, or None where
    it is not known. Raises BadRequest."""
    text = parameters.get("spacing_mm")
    if text is None:
        return None
    try:
        row, column = (float(number) for number in json.loads(text))
    except (ValueError, TypeError):
        row = column = math.nan
    if not all(0 < number < 1000 for number in (row, column)):
        raise BadRequest("Parameter spacing_mm: expected the JSON of two numbers above 0, [row, column].")
    return row, column


def fast(parameters: dict[str, Any], served: Answering) -> bool:
    """Returns the parameter `fast`, false unless given. Raises BadRequest for a model that has no such setting."""
    wanted = parameters.get("fast", False)
    if not isinstance(wanted, bool):
        raise BadRequest("Parameter fast: expected true or false.")
    if wanted and not isinstance(served, ServedVolume):
        raise BadRequest("Parameter fast: this model has no such setting.")
    return wanted


def output(seen: Seen, name: str) -> Tensor:
    """Returns one output. A refused study has an empty mask. Raises BadRequest for an unknown name."""
    if name == "findings":
        return Tensor(name, "BYTES", (1,), [json.dumps(answer(seen)).encode()], text=True)
    if name == "mask":
        return Tensor(name, "BYTES", (1,), [seen.outlined.mask() if seen.outlined else b""])
    raise BadRequest(f"Expected outputs out of {', '.join(OUTPUTS)}.")


def answer(seen: Seen) -> dict[str, Any]:
    """Returns the same keys as `answers.answer`, so that who reads one reads both."""
    (verdict,) = seen.verdicts
    return {
        "label": verdict.label,
        "findings": [],
        "calibrated": False,
        "calibrated_for": "shipped",
        "logits": None,
        "uncertain_band": None,
        "in_distribution": verdict.in_distribution,
        "ood_score": verdict.ood_score,
        "warnings": [warning.model_dump() for warning in verdict.warnings],
        "measurements": seen.outlined.measurements if seen.outlined else [],
        "timings_s": {stage: round(seconds, 6) for stage, seconds in seen.timings_s.items()},
    }


def metadata(served: Answering) -> dict[str, Any]:
    """Returns the protocol's model metadata."""
    manifest = served.manifest
    inputs: list[dict[str, Any]] = [{"name": "study", "datatype": "BYTES", "shape": [1]}]
    if isinstance(manifest, Prompted):
        inputs.append({"name": "boxes", "datatype": "FP32", "shape": [-1, -1]})
        inputs.append({"name": "labels", "datatype": "INT32", "shape": [-1]})
    return {
        "name": manifest.name,
        "versions": [manifest.version],
        "platform": "lightbox_rules" if manifest.architecture == "rules" else "lightbox_keras",
        "inputs": inputs,
        "outputs": [{"name": name, "datatype": "BYTES", "shape": [1]} for name in OUTPUTS],
        "parameters": {"labels": list(manifest.labels), "negative_label": None, "kind": manifest.kind},
    }
