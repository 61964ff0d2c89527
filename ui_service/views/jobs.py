"""Runs: start, cancel, try again, and the pieces of a page that follow their state."""

from uuid import UUID

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal_wire.contract import Job
from portal_wire.errors import BadRequest
from ui_service.rows import offers_fast
from ui_service.signed_in import app_tier

blueprint = Blueprint("jobs", __name__)
LONGEST_LOOK_MS = 30_000


@blueprint.post("/studies/<uuid:study_id>/jobs")
def run(study_id: UUID) -> Response:
    """Run a model on this image and show its progress."""
    model = request.form.get("model")
    if not model:
        raise BadRequest("Please choose a model.", code="no_model")
    app = app_tier()
    (job,) = app.run([str(study_id)], [model], fast="fast" in request.form and offers_fast(app.models(), [model]))
    return _to_study(job)


@blueprint.post("/jobs/<uuid:job_id>/cancel")
def cancel(job_id: UUID) -> Response:
    """Stop a run that has not finished."""
    return _changed(app_tier().cancel(str(job_id)))


@blueprint.post("/jobs/<uuid:job_id>/retry")
def retry(job_id: UUID) -> Response:
    """Run again what failed or was stopped."""
    return _changed(app_tier().retry(str(job_id)))


@blueprint.get("/jobs/<uuid:job_id>/row")
def row(job_id: UUID) -> str:
    """The changing cells of a worklist row, for what the live stream did not tell this page."""
    return render_template("fragments/job_cells.html", job=app_tier().job(str(job_id)), look_after_ms=_next_look_ms())


@blueprint.get("/jobs/<uuid:job_id>/answer")
def answer(job_id: UUID) -> str:
    """The answer card of a study page, for what the live stream did not tell this page."""
    job = app_tier().job(str(job_id))
    return render_template("fragments/answer.html", job=job, fragment=True, look_after_ms=_next_look_ms())


def _next_look_ms() -> int:
    """A piece that still waits looks again, ever more rarely: the stream tells almost all there is to tell. 0: as the
    template has it."""
    return min(LONGEST_LOOK_MS, max(0, 4 * request.args.get("waited", 0, type=int)))


def _changed(job: Job) -> Response:
    if "HX-Request" in request.headers:
        return make_response(render_template("fragments/job_cells.html", job=job))
    return _to_study(job)


def _to_study(job: Job) -> Response:
    return redirect(url_for("studies.page", study_id=job.study_id, job=job.id), 303)
