"""What the stand-in for App answers about studies: uploads, the worklist, pixels."""

from typing import Any

from flask import Flask, Response, jsonify, request

from portal_wire.contract import Limits
from portal_wire.errors import PortalError, TooLarge, UnsupportedMedia
from tests.ui_service.fake_server import known, wire

LIMITS = Limits(
    max_file_bytes=5_000_000,
    max_pixels=50_000_000,
    max_files_per_upload=20,
    media_types=["image/png", "image/jpeg"],
)


def equip(app: Flask, fake: Any) -> None:
    """Add the routes; `fake.studies` and `fake.images` hold the studies."""

    @app.get("/v1/limits")
    def limits() -> Response:
        return wire(LIMITS)

    @app.post("/v1/studies")
    def upload() -> tuple[Response, int]:
        fake.uploads.append(request.get_data(cache=True, parse_form_data=False))
        studies, jobs, rejected = [], [], []
        files = request.files.getlist("file")
        for file in files:
            content, name = file.read(), file.filename or ""
            error = _refusal(content)
            if error and len(files) == 1:
                raise error
            if error:
                rejected.append({"filename": name, "code": error.code, "detail": error.detail})
                continue
            study = fake.add_study(name, content if content.startswith(b"\x89PNG") else None, size_bytes=len(content))
            studies.append(study.model_dump(mode="json"))
            jobs.append(fake.add_job(study, position=1).model_dump(mode="json"))
        return jsonify(studies=studies, jobs=jobs, rejected=rejected), 201

    @app.get("/v1/studies")
    def studies() -> Response:
        found = sorted(fake.studies.values(), key=lambda study: study.id, reverse=True)
        q, state = request.args.get("q", ""), request.args.get("state")
        shown = [study for study in found if q in (study.patient_reference or study.filename)]
        if state:
            with_state = {job.study_id for job in fake.jobs.values() if job.state == state}
            shown = [study for study in shown if study.id in with_state]
        return jsonify(items=[study.model_dump(mode="json") for study in shown], next_cursor=None)

    @app.get("/v1/studies/<study_id>")
    def study(study_id: str) -> Response:
        return wire(known(fake.studies, study_id))

    @app.delete("/v1/studies/<study_id>")
    def delete(study_id: str) -> tuple[str, int]:
        known(fake.studies, study_id)
        del fake.studies[study_id]
        return "", 204

    equip_pixels(app, fake)


def equip_pixels(app: Flask, fake: Any) -> None:
    """Images and volumes."""

    @app.get("/v1/studies/<study_id>/volume")
    def volume(study_id: str) -> Response:
        return Response(fake.images[study_id], mimetype="application/gzip")

    @app.get("/v1/studies/<study_id>/image")
    @app.get("/v1/studies/<study_id>/original")
    def image(study_id: str) -> Response:
        known(fake.studies, study_id)
        return Response(fake.images[study_id], mimetype="image/png")


def _refusal(content: bytes) -> PortalError | None:
    if len(content) > LIMITS.max_file_bytes:
        return TooLarge("This file is larger than 5 MB.", code="too_large")
    if not content.startswith((b"\x89PNG", b"\xff\xd8")):
        return UnsupportedMedia("Expected a PNG or JPEG image; this file is neither.", code="not_an_image")
    return None
