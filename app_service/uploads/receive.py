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
from portal_wire.contract import Rejected, User
from portal_wire.errors import PortalError

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
    rejected: list[Rejected] = []
    for name, part in bundled(form.files, parts.settings.max_file_bytes):
        try:
            taken, refused = accept(parts, user, name, part, form)
            accepted += taken
            rejected += refused
        except PortalError as error:
            if error.status >= 500:
                raise
            rejected.append(Rejected(filename=name, code=error.code, detail=error.detail))
            if len(form.files) == 1:
                _note(parts, user, rejected)
                raise
    if rejected:
        _note(parts, user, rejected)
    answer = keep(parts, user, form, accepted, rejected)
    _STUDIES.labels("accepted").inc(len(accepted))
    return answer


def _note(parts: Parts, user: User, rejected: list[Rejected]) -> None:
    """Count them and write them down: the outcome is the reason's code, and nothing is said of the file's name."""
    _STUDIES.labels("rejected").inc(len(rejected))
    with writing(parts.engine) as connection:
        for each in rejected:
            audit.record(connection, "upload", user.id, outcome=each.code)
