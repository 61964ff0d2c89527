"""Large files that browsers send straight to the store, and fetch from there, where App permits it."""

from uuid import UUID

from flask import Blueprint, current_app, jsonify, request, url_for
from werkzeug.wrappers import Response

from portal_wire.errors import Conflict
from ui_service.signed_in import app_tier
from ui_service.views.uploads import answer_with_rows

blueprint = Blueprint("direct", __name__, url_prefix="/uploads/direct")


@blueprint.post("")
def begin() -> tuple[Response, int]:
    """What the script is to post where, and where to say that it did. An error is no news for anybody: the script then
    sends the file by the portal, and that answers."""
    form = request.form
    size, media_type = form.get("size_bytes", 0, type=int), form.get("media_type") or "application/octet-stream"
    permit = app_tier().begin_upload(form.get("filename", ""), size, media_type)
    complete = url_for("direct.complete", upload_id=permit["id"])
    return jsonify(url=permit["url"], fields=permit["fields"], complete=complete), 201


@blueprint.post("/<uuid:upload_id>/complete")
def complete(upload_id: UUID) -> Response:
    """The new rows, as after any upload."""
    return answer_with_rows(app_tier().complete_upload(str(upload_id)))


def link_to_original(study_id: UUID) -> str | None:
    """An address of a large study's file in the store; None for a small one, and where there is none."""
    smallest, app = current_app.config["DIRECT_FROM_BYTES"], app_tier()
    if smallest is None or app.study(str(study_id)).size_bytes < smallest:
        return None
    try:
        return app.original_link(str(study_id))
    except Conflict:
        return None
