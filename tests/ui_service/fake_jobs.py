"""What the stand-in for App answers about runs, their files, and what doctors think of them; and its event stream."""

import json
import queue
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, jsonify, request

from portal_wire.contract import JobState, Review
from portal_wire.errors import Conflict, Unauthenticated
from tests.ui_service.fake_answers import grey_png
from tests.ui_service.fake_server import known, wire

_BEAT_S = 0.5


def equip(app: Flask, fake: Any) -> None:
    """Add the routes; `fake.jobs` and `fake.files` hold the runs."""

    @app.get("/v1/jobs")
    def jobs() -> Response:
        wanted = request.args["study_id"].split(",")
        purpose = request.args.get("purpose")
        found = [job for job in fake.jobs.values() if job.study_id in wanted and purpose in (None, job.purpose)]
        items = [job.model_dump(mode="json") for job in found]
        return jsonify(items=items, next_cursor=None)

    @app.post("/v1/jobs")
    def run() -> tuple[Response, int]:
        body = request.get_json()
        studies = [known(fake.studies, study_id) for study_id in body["study_ids"]]
        wanted = [{"model": one} if isinstance(one, str) else one for one in body["models"]]
        purpose = body.get("purpose", "answer")
        facts = {"purpose": purpose, "fast": body.get("fast", False)}
        made = [fake.add_job(study, **facts, **one) for study in studies for one in wanted]
        return jsonify(jobs=[job.model_dump(mode="json") for job in made]), 202

    @app.get("/v1/jobs/<job_id>")
    def job(job_id: str) -> Response:
        return wire(known(fake.jobs, job_id))

    @app.post("/v1/jobs/<job_id>/<any(cancel, retry):action>")
    def act(job_id: str, action: str) -> tuple[Response, int]:
        job = known(fake.jobs, job_id)
        if job.state == JobState.SUCCEEDED:
            raise Conflict("This run has finished.", code="finished")
        state = JobState.CANCELLED if action == "cancel" else JobState.QUEUED
        return wire(fake.change(job, state=state, error=None)), 202

    @app.put("/v1/jobs/<job_id>/review")
    def review(job_id: str) -> Response:
        said = Review.model_validate(request.get_json() | {"reviewed_by": "doctor", "reviewed_at": datetime.now(UTC)})
        fake.change(known(fake.jobs, job_id), review=said.model_dump())
        return wire(said)

    equip_files(app, fake)
    equip_events(app, fake)


def equip_files(app: Flask, fake: Any) -> None:
    """What runs made."""

    @app.get("/v1/jobs/<job_id>/artifacts/<path:name>")
    def artifact(job_id: str, name: str) -> Response:
        known(fake.jobs, job_id)
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        kind = {"png": "image/png", "gz": "application/gzip"}.get(name.rsplit(".", 1)[-1], "text/plain")
        return Response(fake.files.get((job_id, name), grey_png(64)), mimetype=kind, headers=headers)

    @app.get("/v1/jobs/<job_id>/archive")
    @app.post("/v1/archive")
    def archive(job_id: str | None = None) -> Response:
        fake.archived_as = dict(request.args)
        fake.archived = [job_id] if job_id else request.get_json()["job_ids"]
        headers = {"Content-Disposition": 'attachment; filename="lightbox.zip"'}
        return Response(b"PK\x05\x06" + bytes(18), mimetype="application/zip", headers=headers)


def equip_events(app: Flask, fake: Any) -> None:
    """Every change of a job, to whoever listens."""

    @app.get("/v1/events")
    def events() -> Response:
        if fake.refuse_streams:
            raise Unauthenticated("no streams today", code="streams")
        heard: queue.Queue[tuple[str, str]] = queue.Queue()
        fake.listeners.append(heard)
        return Response(_stream(heard), mimetype="text/event-stream")


def _stream(heard: "queue.Queue[tuple[str, str]]") -> Iterator[str]:
    yield ": hello\n\n"
    while True:
        try:
            event_id, job = heard.get(timeout=_BEAT_S)
        except queue.Empty:
            yield ": beat\n\n"
        else:
            if not job:
                yield "event: ended\ndata: {}\n\n"
                return
            yield f"id: {event_id}\nevent: job\ndata: {json.dumps(json.loads(job))}\n\n"
