"""A stand-in for a model that is asked with boxes: what is bright inside of a box is the object."""

import gzip
import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import cv2
import nibabel as nib
import numpy as np
from numpy.typing import NDArray

BOX_PROMPT = "box-prompt"
BRIGHT = 100
Mask = NDArray[np.uint8]


def prompted_card(card: dict[str, Any]) -> dict[str, Any]:
    facts = {"name": BOX_PROMPT, "title": "Box prompt", "task": BOX_PROMPT, "kind": "any", "prompted": True}
    return card | facts | {"modalities": ["DX", "CT", "MR", "OT"], "labels": ["object"], "negative_label": None}


class FakePrompted:
    """`asked` keeps what each question came with; `held` the studies that it still has, by their hash."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.held: dict[str, bytes] = {}

    def answer(self, head: dict[str, Any], rest: bytes, say: Callable[..., dict[str, bytes]]) -> dict[str, bytes]:
        """Raises KeyError for a study that is not held."""
        inputs = {each["name"]: each for each in head["inputs"]}
        parameters = head.get("parameters", {})
        boxes = np.array(inputs["boxes"]["data"], np.float32).reshape(inputs["boxes"]["shape"])
        labels, through = inputs["labels"]["data"], json.loads(parameters["through"])
        self.asked.append({"inputs": sorted(inputs), "boxes": boxes.tolist(), "labels": labels, "through": through})
        told = parameters.get("study_sha256")
        if "study" in inputs:
            study = rest[4:]
            assert told in (None, sha256(study).hexdigest())
            self.held[sha256(study).hexdigest()] = study
        else:
            study = self.held[told]
        flat = boxes.shape[1] == 4
        mask, packed = (_picture if flat else _volume)(study, boxes, labels, through)
        return say([_measured(mask, label, flat) for label in sorted(set(labels))], packed)


def _picture(study: bytes, boxes: Any, labels: list[int], through: list[bool]) -> tuple[Mask, bytes]:
    pixels = np.asarray(cv2.imdecode(np.frombuffer(study, np.uint8), cv2.IMREAD_GRAYSCALE))
    mask = np.zeros(pixels.shape, np.uint8)
    for box, label in zip(boxes, labels, strict=True):
        place = _place(box)
        mask[place][pixels[place] > BRIGHT] = label
    return mask, bytes(cv2.imencode(".png", mask)[1])


def _volume(study: bytes, boxes: Any, labels: list[int], through: list[bool]) -> tuple[Mask, bytes]:
    volume = nib.Nifti1Image.from_bytes(gzip.decompress(study))
    values = np.asarray(volume.dataobj).T
    mask = np.zeros(values.shape, np.uint8)
    for box, label, far in zip(boxes, labels, through, strict=True):
        place = _place(box)
        place = (slice(None), *place[1:]) if far else place
        mask[place][values[place] > BRIGHT] = label
    return mask, gzip.compress(nib.Nifti1Image(mask.T, volume.affine).to_bytes())


def _place(box: Any) -> tuple[slice, ...]:
    axes = len(box) // 2
    return tuple(slice(int(box[axis]), int(box[axis + axes]) + 1) for axis in reversed(range(axes)))


def _measured(mask: Mask, label: int, flat: bool) -> dict[str, Any]:
    count = int((mask == label).sum())
    sizes = {"pixels": count} if flat else {"voxels": count, "volume_ml": count / 1000}
    return {"label": "object", "index": label, "share": count / mask.size} | sizes
