"""From a request with boxes to a version's answer. A study's own mask is no input: there is none to give."""

import re
from concurrent.futures import Future

from ml_service import answers_of_masks
from ml_service.batcher import Pass
from ml_service.prompts import boxes
from ml_service.protocol import Inference
from ml_service.served import Seen
from ml_service.served_prompts import ServedPrompts
from portal_wire.errors import BadRequest, Unprocessable

INPUTS = {"study", "boxes", "labels"}
_SHA256 = re.compile("[0-9a-f]{64}")


def see(served: ServedPrompts, asked: Inference, wait_s: float, begun: "list[Future[Pass]]") -> Seen:
    """Runs the request. Raises BadRequest, Unprocessable for a study that does not decode or a box outside of it, and
    Conflict `study_not_held` where the study must be sent along."""
    spacing_mm = answers_of_masks.spacing_mm(asked.parameters)
    if unknown := set(asked.inputs) - INPUTS:
        raise BadRequest(f"Expected inputs out of study, boxes and labels. Received: {len(unknown)} others.")
    prompts = boxes.read(asked.inputs, asked.parameters)
    study, sha256 = _study(asked), _sha256(asked.parameters.get("study_sha256"))
    if study is None and sha256 is None:
        raise BadRequest("Expected an input study, or the parameter study_sha256 of one that was sent before.")
    axes = asked.inputs["boxes"].shape[1] // 2
    try:
        return served.see_boxes(study, sha256, prompts, axes, wait_s, begun, spacing_mm)
    except ValueError as error:
        raise Unprocessable(f"Input study: {error}", code="undecodable") from None


def _study(asked: Inference) -> bytes | None:
    study = asked.inputs.get("study")
    if study is None:
        return None
    if study.datatype != "BYTES" or study.shape != (1,) or not isinstance(study.data, list):
        raise BadRequest(f"Input study: expected BYTES [1]. Received: {study.datatype} {list(study.shape)}.")
    return study.data[0]


def _sha256(text: object) -> str | None:
    if text is None:
        return None
    if not isinstance(text, str) or not _SHA256.fullmatch(text):
        raise BadRequest("Parameter study_sha256: expected 64 hexadecimal digits, lower case.")
    return text
