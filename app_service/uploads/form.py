"""What an upload says: its files, and what came beside them."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from flask import Request

from app_service.uploads.body import Body, read_body
from app_service.uploads.part_file import PartFile
from portal_wire.errors import BadRequest, TooLarge, Unprocessable, UnsupportedMedia

DESCRIPTION = (
    "multipart/form-data with one or more parts `file`, optional `model` (repeatable; the site's default models "
    "otherwise), `patient_reference` and `fast` (true: the named models' fast setting). With an `Idempotency-Key` the "
    "same request can be sent again safely; once what came of it is deleted, it is answered 409 `was_deleted`."
)
_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded", "")  # the last two have no file, and are told so
_FIELDS = 100  # parts of a form beside its files
_MAX_NAME = 255
_MAX_REFERENCE = 200
_MAX_KEY = 255


@dataclass(frozen=True)
class Form:
    """`files` are (name for people, received file); `models` is empty for the site's default models."""

    files: tuple[tuple[str, PartFile], ...]
    models: tuple[str, ...]
    patient_reference: str | None
    key: str | None
    fast: bool = False

    @property
    def fingerprint(self) -> str:
        """Equal for equal requests: what an Idempotency-Key stands for."""
        facts = [[[name, part.sha256] for name, part in self.files], self.models, self.patient_reference]
        facts += ["fast"] if self.fast else []
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def read_form(request: Request, max_files: int, max_file_bytes: int) -> Form:
    """Receive the body; of a file beyond `max_file_bytes` the rest is counted and dropped.

    Raises BadRequest, UnsupportedMedia, TooLarge or Unprocessable for a wrong one."""
    if request.mimetype not in _FORMS:
        raise UnsupportedMedia('Expected multipart/form-data with a part "file"; something else came.')
    if request.content_encoding not in (None, "", "identity"):
        raise UnsupportedMedia(
            "Expected the form as it is; this one is packed (Content-Encoding).", code="encoding_not_allowed"
        )
    several = request.mimetype == _FORMS[0]
    body = read_body(request, max_files + _FIELDS, max_file_bytes) if several else Body()
    reference = next(iter(body.fields.get("patient_reference", [])), "").strip() or None
    if reference and len(reference) > _MAX_REFERENCE:
        raise Unprocessable(f"Expected a patient reference of at most {_MAX_REFERENCE} characters.")
    if reference and "\0" in reference:  # PostgreSQL keeps none
        raise Unprocessable("Expected a patient reference without a NUL character.")
    key = request.headers.get("Idempotency-Key")
    if key and len(key) > _MAX_KEY:
        raise BadRequest(f"Expected an Idempotency-Key of at most {_MAX_KEY} characters.")
    fast = next(iter(body.fields.get("fast", [])), "false")
    models = tuple(dict.fromkeys(name for name in body.fields.get("model", []) if name))
    if fast not in ("true", "false") or (fast == "true" and not models):
        raise Unprocessable("Expected fast as true or false, and true only beside a model.")
    return Form(_files(body.files, max_files), models, reference, key, fast == "true")


def _files(found: Sequence[tuple[str, PartFile]], max_files: int) -> tuple[tuple[str, PartFile], ...]:
    if not found:
        raise BadRequest('Expected multipart/form-data with at least one part "file".', code="missing_file")
    if len(found) > max_files:
        raise TooLarge(f"Expected at most {max_files} files in one upload; {len(found)} came.", code="too_many_files")
    return tuple((plain_name(name), part) for name, part in found)


def plain_name(sent: str) -> str:
    """The file's name for people to read; it decides nothing and names nothing on our disk."""
    last = sent.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(character for character in last if character.isprintable())[-_MAX_NAME:] or "unnamed"
