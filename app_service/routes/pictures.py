"""A study's pixels: as a picture to look at, as the volume, as it was uploaded."""

from uuid import UUID

from apiflask import APIBlueprint
from flask import Response, request, send_file

from app_service.accounts import audit
from app_service.accounts.audit import Action
from app_service.accounts.bearer import DOCTOR, bearer, current_user
from app_service.exports.picture import png
from app_service.parts import parts
from app_service.routes.bodies import ImageQuery
from app_service.routes.files import binary
from app_service.storage.database import reading, writing
from app_service.storage.studies import find_study, see_study
from portal_wire.errors import NotFound, Unprocessable

pictures = APIBlueprint("pictures", __name__, tag="Studies")
_THUMBNAIL = 128  # pixels: whoever sees a list has not opened its studies


@pictures.get("/v1/studies/<uuid:study_id>/image")
@pictures.auth_required(bearer, roles=DOCTOR)
@pictures.input(ImageQuery, location="query")
@pictures.doc(responses=binary("image/png", "The picture."))
def image(study_id: UUID, query_data: ImageQuery) -> Response:
    """The image as PNG, windowed and made smaller if asked; of a volume its middle axial slice.

    A study never changes, so its ETag holds for ever."""
    here, name, asked = parts(), str(study_id), query_data
    if (asked.window_center is None) != (asked.window_width is None):
        raise Unprocessable("Expected window_center and window_width together.")
    window = (
        (asked.window_center, asked.window_width) if asked.window_center is not None and asked.window_width else None
    )
    tag = f"{name}-{asked.max_side}-{asked.window_center}-{asked.window_width}"
    small = asked.max_side is not None and asked.max_side <= _THUMBNAIL
    kept = "preview" if _seen(name, "preview" if small else "view") == "volume" else "image"
    if request.if_none_match.contains(tag):
        return Response(status=304)
    data = png(here.store.read(f"studies/{name}/{kept}"), max_side=asked.max_side, window=window)
    response = Response(data, content_type="image/png")
    response.set_etag(tag)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@pictures.get("/v1/studies/<uuid:study_id>/volume")
@pictures.auth_required(bearer, roles=DOCTOR)
@pictures.doc(responses=binary("application/gzip", "The volume as .nii.gz."))
def volume(study_id: UUID) -> Response:
    """The volume for a viewer; an image has none."""
    if _seen(str(study_id), "view") != "volume":
        raise NotFound("This study is an image and has no volume.")
    store, key = parts().store, f"studies/{study_id}/image"
    response = send_file(store.open(key), mimetype="application/gzip", etag=False)
    response.content_length = store.size(key)  # for a progress bar
    return response


@pictures.get("/v1/studies/<uuid:study_id>/original")
@pictures.auth_required(bearer, roles=DOCTOR)
@pictures.doc(responses=binary("application/octet-stream", "The bytes as they were uploaded."))
def original(study_id: UUID) -> Response:
    """The file as it was uploaded; never shown in a browser, only saved."""
    here, name = parts(), str(study_id)
    with reading(here.engine) as connection:
        row = find_study(connection, current_user().id, name)
    _seen(name, "download")
    file = here.store.open(f"studies/{name}/original")
    return send_file(file, "application/octet-stream", as_attachment=True, download_name=row.filename, etag=False)


def _seen(study_id: str, action: Action) -> str:
    """Note that somebody who may look at a study saw it; returns its kind. Raises NotFound."""
    with writing(parts().engine) as connection:
        row = see_study(connection, current_user().id, study_id)
        audit.record(connection, action, current_user().id, study_id)
    return str(row.kind)
