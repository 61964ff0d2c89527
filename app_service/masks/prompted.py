"""One question to a model that outlines what a person drew boxes round."""

import hashlib
from math import ceil, floor
from typing import Any, BinaryIO

import cv2
import numpy as np
from sqlalchemy import Row

from app_service import ml_client
from app_service.masks.own_volume import whole
from app_service.masks.structures import wrong_mask
from app_service.ml_client import Reading
from app_service.parts import Parts
from app_service.running.questions import name_of
from portal_wire.contract import Measurement, Prompt
from portal_wire.errors import Conflict

STUDY_NOT_HELD = "study_not_held"
_PIECE_BYTES = 2**20
WANTED = ("findings", "mask")


def ask_with_boxes(parts: Parts, job: Row[Any], study: Row[Any], file: BinaryIO, timeout_s: float | None) -> Reading:
    """The model's answer about the canonical study `file`. A volume that the ML tier still holds from the box before
    is not sent again. Raises as `ml_client.infer` does."""
    prompts = [Prompt.model_validate(each) for each in job.prompts]
    asked: dict[str, Any] = {"prompts": prompts, "timeout_s": timeout_s, "request_id": name_of(job)}
    if study.kind != "volume":
        return ml_client.infer(parts.ml, job.model, job.version, file, WANTED, spacing_mm=study.spacing_mm, **asked)
    asked["study_sha256"] = _sha256(file)
    try:
        return ml_client.infer(parts.ml, job.model, job.version, None, WANTED, **asked)
    except Conflict as error:
        if error.code != STUDY_NOT_HELD:
            raise
    return ml_client.infer(parts.ml, job.model, job.version, file, WANTED, **asked)


def _sha256(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while piece := file.read(_PIECE_BYTES):
        digest.update(piece)
    return digest.hexdigest()


def named(measurements: list[Measurement], prompts: list[dict[str, Any]]) -> list[Measurement]:
    """With a name of its own for each label that the boxes were given. Raises Internal unless those are the labels."""
    asked = sorted({prompt["label"] for prompt in prompts})
    if [each.index for each in measurements] != asked:
        raise wrong_mask("it does not have the labels of the boxes")
    if len(asked) == 1:
        return measurements
    return [each.model_copy(update={"label": f"{each.label} {each.index}"}) for each in measurements]


def check_place(file: bytes, prompts: list[dict[str, Any]]) -> None:
    """`file` is the label map as it is kept: PNG, or .nii.gz for boxes of six numbers.

    Raises Internal for a structure with nothing outlined in any of its boxes: an answer about other boxes, or with x
    and y exchanged, looks like that. A later box may have overwritten it there, and is something too.
    """
    flat = len(prompts[0]["box"]) == 4
    mask = np.asarray(cv2.imdecode(np.frombuffer(file, np.uint8), 0)) if flat else whole(file)[0]
    for label in {prompt["label"] for prompt in prompts}:
        boxes = [prompt["box"] for prompt in prompts if prompt["label"] == label]
        if not any(mask[_inside(box)].any() for box in boxes) and (mask == label).any():
            raise wrong_mask("it lies outside of its boxes")


def _inside(box: list[float]) -> tuple[slice, ...]:
    axes = len(box) // 2
    return tuple(slice(floor(box[axis]), ceil(box[axis + axes]) + 1) for axis in reversed(range(axes)))
