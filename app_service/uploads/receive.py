"""A whole upload request, from its first byte to its answer."""

from typing import Any

from flask import Request
from prometheus_client import Counter

from app_service.accounts import audit
from app_service.parts import Parts
from app_service.storage.database import writing
from app_service.uploads.accept import Accepted, accept
from app_service.uploads.bundle import bundled
from app_service.uploads.form import Form, read_form
from app_service.uploads.keep import keep, recall
from app_service.uploads.part_file import PartFile
from portal_wire.contract import Rejected, User
from portal_wire.errors import PortalError

Refusal = tuple[Rejected, PartFile]  # and the file that it is about, or is in
_STUDIES = Counter("lightbox_app_studies_total", "Uploaded files, by outcome.", ["outcome"])
for _outcome in ("accepted", "rejected"):
    _STUDIES.labels(_outcome)  # there from the start, so that the first one counts


def receive(parts: Parts, user: User, request: Request) -> dict[str, Any]:
    """Judge each file on its own; returns Uploaded as JSON. Raises a single file's own error when it is bad."""
    return take(parts, user, read_form(request, parts.settings.max_files_per_upload, parts.settings.max_file_bytes))


def take(parts: Parts, user: User, form: Form) -> dict[str, Any]:
    """The same for files that are here already."""
    if known := recall(parts, user, form):
        return known
    accepted: list[Accepted] = []
    refusals: list[Refusal] = []
    for name, part in bundled(form.files, parts.settings.max_file_bytes):
        try:
            taken, refused = accept(parts, user, name, part, form)
            accepted += taken
            refusals += [(each, part) for each in refused]
        except PortalError as error:
            if error.status >= 500:
                raise
            refusals.append((Rejected(filename=name, code=error.code, detail=error.detail), part))
            if len(form.files) == 1:
                _note(parts, user, refusals)
                raise
    if refusals:
        _note(parts, user, refusals)
    answer = keep(parts, user, form, accepted, [rejected for rejected, _ in refusals])
    _STUDIES.labels("accepted").inc(len(accepted))
    return answer


def _note(parts: Parts, user: User, refusals: list[Refusal]) -> None:
    """Count them and write them down: the outcome is the reason's code, and nothing is said of the file's name.

    Size and hash are those of the file as it came, or of the archive that slices came in; of a file that is too large
    there is no hash, because its end was dropped.
    """
    _STUDIES.labels("rejected").inc(len(refusals))
    with writing(parts.engine) as connection:
        for rejected, part in refusals:
            details: dict[str, Any] = {"size_bytes": part.size_bytes}
            details |= {} if part.too_large else {"sha256": part.sha256}
            audit.record(connection, "upload", user.id, outcome=rejected.code, details=details)
