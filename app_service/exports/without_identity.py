"""An answer's files as they leave without their patient's identity: those that an allow-list names, each in its way.

Ids of jobs and studies tell when they were made, so others take their place: the same ones for the same ones, by a
key that only this portal has. Times, people and free text stay here.
"""

import hmac
import json
import re
import uuid
from collections.abc import Callable, Iterator

from app_service.exports.picture import png
from app_service.exports.structure_table import CORRECTED_TABLE, TABLE, corrected_table, structure_table
from portal_wire.contract import Job

NOTE = "identity.txt"
_SAID = """The files in this archive were written without their patient's identity (DICOM PS3.15 Annex E, Basic
Application Level Confidentiality Profile, by an allow-list): no names, no numbers, no dates, no free text. Ids and
UIDs were replaced by others, the same ones for the same ones, which only the portal could lead back.

Not looked at: text that is drawn into the pixels of a picture, unless its file said so (then there is no such
archive), and features of the body. A head's volume or surface may show a face.
"""
_NAMES = re.compile(
    r"(image|heatmap|(overlay|mask)(_corrected)?)\.png|(combined_labels|mask_corrected|segmentations/[\w-]+)\.nii\.gz"
    r"|seg(_corrected)?\.dcm|segs\.npz|surfaces/[\w-]+\.stl|(statistics(_corrected)?\.json|measurements(_corrected)?\.csv)|labels\.csv"
)
_FACTS = ("model", "version", "fast", "shape", "spacing_mm", "labels", "structures", "sources")
_JOB = {"id", "study_id", "model", "version", "purpose", "fast"}
Entry = tuple[str, Callable[[], bytes]]


def key_of(secret: str) -> bytes:
    """The key of the other ids, from a secret of this portal that has another use."""
    return hmac.digest(secret.encode(), b"exports without identity", "sha256")


def other_id(known: str, key: bytes) -> str:
    return str(uuid.UUID(bytes=hmac.digest(key, known.encode(), "sha256")[:16], version=5))


def entries(
    other: Job, content: Callable[[str], bytes], in_child: Callable[[bytes], bytes], key: bytes
) -> Iterator[Entry]:
    """Names and contents for an archive. `other` is the job under other ids; `content` gives a file of it as it is
    stored, or image.png; `in_child` has the sandbox answer a DEIDENTIFY_REQUEST."""

    def cleaned(name: str) -> bytes:
        if name == TABLE:
            return structure_table([other])
        if name == CORRECTED_TABLE:
            return corrected_table(other)
        data = content(name)
        if name.endswith(".png"):
            return png(data)  # the pixels alone
        if name.endswith((".dcm", ".nii.gz")):
            return in_child(key + data)
        return _statistics(data, other) if name.endswith(".json") else data

    for name in ["image.png", *(item.name for item in other.artifacts)]:
        if _NAMES.fullmatch(name):
            yield name, lambda name=name: cleaned(name)  # type: ignore[misc]
    yield "result.json", lambda: _result(other)
    yield NOTE, _SAID.encode


def _statistics(data: bytes, other: Job) -> bytes:
    facts = json.loads(data)
    kept = {name: facts[name] for name in _FACTS if name in facts}
    return json.dumps(kept | {"study_id": other.study_id}, indent=2).encode()


def _result(other: Job) -> bytes:
    """What the model said, and what the reader's verdict was; not who, when, and in which words."""
    told = other.model_dump(mode="json", include=_JOB | {"result"})
    if told["result"]:
        told["result"].pop("calibration", None)  # tells of the site and the day
    told["review"] = {"verdict": other.review.verdict} if other.review else None
    return json.dumps(told, indent=2).encode()
