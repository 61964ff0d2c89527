"""Large files past the portal: a permit to send one straight to the bucket, and its judgement once it lies there.

It is a study no sooner than any other upload: fetched, examined in the sandbox, stored durably, committed, enqueued.
"""

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Row

from app_service.accounts import audit
from app_service.parts import Parts
from app_service.storage.database import reading, writing
from app_service.storage.direct_store import DirectStore
from app_service.storage.direct_store import Form as Permit
from app_service.storage.direct_uploads import DIRECT, add_upload, find_upload, mark_judged, open_uploads
from app_service.uploads.form import Form, plain_name
from app_service.uploads.keep import recall
from app_service.uploads.part_file import PartFile, new_folder
from app_service.uploads.receive import take
from portal_wire.contract import User
from portal_wire.errors import Conflict, NotFound, PortalError, TooLarge, TooManyRequests
from portal_wire.ids import new_id

_MOST_OPEN = 100  # of one person
_NOT_DIRECT = "not_direct"
_COPY_BYTES = 2**20
_FINAL = (400, 413, 415, 422)  # about the file itself; anything else may pass, and completing can be tried again


@dataclass(frozen=True)
class _Form(Form):
    """Completing the same upload again is the same request, whether its bytes are still there or not."""

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(str(self.key).encode()).hexdigest()


def begin(
    parts: Parts, user: User, filename: str, size_bytes: int, media_type: str, models: Sequence[str], about: str | None
) -> tuple[str, datetime, Permit]:
    """Returns the upload's id, until when it may be completed, and what to send. `about` is the patient reference.

    Raises Conflict where files do not go straight to the store, TooLarge, TooManyRequests.
    """
    direct, smallest = require_direct(parts), parts.settings.direct_upload_bytes
    if size_bytes < smallest:
        raise Conflict(
            f"Expected a file of at least {smallest} bytes; smaller ones go by the portal.", code=_NOT_DIRECT
        )
    if size_bytes > parts.settings.max_file_bytes:
        limit = parts.settings.max_file_bytes // 2**20
        raise TooLarge(f"Expected a file of at most {limit} MiB; this one is larger.", code="file_too_large")
    upload_id = new_id()
    permit = direct.upload_form(_key(upload_id), size_bytes, media_type)
    values = {"id": upload_id, "owner_id": user.id, "filename": plain_name(filename), "size_bytes": size_bytes}
    values |= {"models": list(models), "patient_reference": about}
    with writing(parts.engine) as connection:
        if open_uploads(connection, user.id) >= _MOST_OPEN:
            raise TooManyRequests("Too many uploads have begun. Please complete some first.", retry_after_s=60)
        ends_at = add_upload(connection, values)
        audit.record(connection, "begin_upload", user.id, upload_id)
    return upload_id, ends_at, permit


def complete(parts: Parts, user: User, upload_id: str) -> dict[str, Any]:
    """Judge what was sent; returns Uploaded as JSON, the same when asked again. Raises as an upload does, and Conflict
    when there is nothing to judge."""
    with reading(parts.engine) as connection:
        row = find_upload(connection, user.id, upload_id)
    form = _Form((), tuple(row.models), row.patient_reference, f"direct upload {upload_id}")
    if known := recall(parts, user, form):
        return known
    if row.judged:
        raise Conflict("This upload was refused. Please send the file anew.", code="was_refused")
    try:
        part = _fetched(parts, row)
    except NotFound:
        if known := recall(parts, user, form):  # somebody completed it a moment ago
            return known
        raise Conflict("The file has not arrived in the store yet.", code="not_arrived") from None
    try:
        answer = take(parts, user, replace(form, files=((row.filename, part),)))
    except PortalError as error:
        if error.status in _FINAL:
            _close(parts, upload_id)
        raise
    _close(parts, upload_id)
    return answer


def abandon(parts: Parts, user: User, upload_id: str) -> None:
    """Throw away what was sent. Raises NotFound."""
    with writing(parts.engine) as connection:
        find_upload(connection, user.id, upload_id)
        audit.record(connection, "abandon_upload", user.id, upload_id)
    _close(parts, upload_id)


def require_direct(parts: Parts) -> DirectStore:
    """Raises Conflict with the reason where nobody reaches the store past the portal."""
    if parts.direct is None:
        sealed = (
            "Files are sealed before they are stored here" if parts.settings.store_key else "No bucket is open here"
        )
        raise Conflict(f"{sealed}: they come and go by the portal alone.", code=_NOT_DIRECT)
    return parts.direct


def _key(upload_id: str) -> str:
    return f"{DIRECT}/{upload_id}/original"


def _fetched(parts: Parts, row: Row[Any]) -> PartFile:
    """The bytes on this disk, hashed. Raises NotFound when nothing has arrived."""
    size = parts.store.size(_key(row.id))
    if size != row.size_bytes:  # the bucket should have refused it
        raise Conflict(f"Expected {row.size_bytes} bytes in the store; {size} are there.", code="size_differs")
    part = PartFile(new_folder(), parts.settings.max_file_bytes)
    with parts.store.open(_key(row.id)) as source:
        shutil.copyfileobj(source, cast(Any, part), _COPY_BYTES)
    part.close()
    return part


def _close(parts: Parts, upload_id: str) -> None:
    """The row stays until its permit can no longer be used: then the worker clears away what came late, too."""
    with writing(parts.engine) as connection:
        mark_judged(connection, upload_id)
    parts.store.delete_prefix(f"{DIRECT}/{upload_id}")
