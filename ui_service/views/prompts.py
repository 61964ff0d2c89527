"""Boxes that a doctor draws: outlined at once, and where a model's mask is wrong, put in its place."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from pydantic import TypeAdapter, ValidationError
from werkzeug.wrappers import Response

from portal_wire.contract import Job, Prompt, Study
from portal_wire.errors import Conflict, NotFound, Unprocessable
from ui_service import masks
from ui_service.app_client import AppTier
from ui_service.rows import chosen, prompter, runnable
from ui_service.signed_in import app_tier
from ui_service.views.worklist import chosen_filters

blueprint = Blueprint("prompts", __name__)
_PROMPTS = TypeAdapter(list[Prompt])


@blueprint.post("/studies/<uuid:study_id>/prompts")
def ask(study_id: UUID) -> Response:
    """Outline what the boxes hold and show it in the answer's place.

    `instead` names the run that these boxes make needless, `base` the one whose mask may be corrected.
    """
    try:
        prompts = _PROMPTS.validate_json(request.form.get("prompts", ""))
    except ValidationError:
        raise Unprocessable("These boxes cannot be read. Please draw them again.", code="bad_prompts") from None
    app = app_tier()
    study, model = app.study(str(study_id)), prompter(app.models(str(study_id)))
    if model is None:
        raise Unprocessable("No model here outlines what boxes hold.", code="no_prompted_model")
    if needless := request.form.get("instead"):
        _call_off(app, needless)
    return _placed(app, study, app.outline(study.id, model.name, prompts).id, request.form.get("base"))


@blueprint.get("/studies/<uuid:study_id>/place")
def place(study_id: UUID) -> Response:
    """An earlier answer in its place again; without `job` none."""
    app = app_tier()
    return _placed(app, app.study(str(study_id)), request.args.get("job"), request.args.get("base"))


@blueprint.post("/jobs/<uuid:job_id>/correction")
def correct(job_id: UUID) -> Response:
    """Put the mask of `from_job` in the place of the same structures of this one; the model's own is kept beside it."""
    app = app_tier()
    return _shown(app, app.correct(str(job_id), request.form.get("from_job", "")))


@blueprint.post("/jobs/<uuid:job_id>/correction/remove")
def uncorrect(job_id: UUID) -> Response:
    """The model's own mask alone again."""
    app = app_tier()
    return _shown(app, app.uncorrect(str(job_id)))


def base_of(jobs: Sequence[Job], job: Job | None, base_id: str | None) -> Job | None:
    """The run among `jobs`, a study's own, with a model's mask that `job`, which a person's boxes brought, may correct.

    Raises NotFound when the study has no such run.
    """
    if not base_id or job is None or not job.prompts:
        return None
    base = chosen(jobs, base_id)
    return base if masks.own_mask(base) and not base.prompts else None


def _call_off(app: AppTier, job_id: str) -> None:
    """Stop a run that nobody waits for any more; that it has ended meanwhile is as good."""
    try:
        app.cancel(job_id)
    except (Conflict, NotFound):
        return


def _shown(app: AppTier, job: Job) -> Response:
    if "HX-Request" in request.headers:
        return _placed(app, app.study(job.study_id), job.id, None)
    return make_response(redirect(url_for("studies.page", study_id=job.study_id, job=job.id), 303))


def _placed(app: AppTier, study: Study, job_id: str | None, base_id: str | None) -> Response:
    """The answer and the list of runs, and the page's address with the run in it, so that it can be loaded again.

    Raises NotFound for another study's run: no other image's boxes and masks are ever shown on this one.
    """
    jobs = [job for job in app.jobs_of([study.id]) if job.study_id == study.id]
    job = chosen(jobs, job_id) if job_id else None
    base, models = base_of(jobs, job, base_id), runnable(app.models())
    facts = {"study": study, "job": job, "jobs": jobs, "base": base, "models": models}
    answer = make_response(render_template("fragments/placed.html", **facts))
    came = dict(parse_qsl(urlsplit(request.headers.get("HX-Current-URL", "")).query))
    query: dict[str, Any] = dict(chosen_filters(came))
    query |= {"job": job.id if job else None, "base": base.id if base else None}
    answer.headers["HX-Replace-Url"] = url_for("studies.page", study_id=study.id, **query)
    return answer
