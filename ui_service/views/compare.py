"""Any set of models on one image, side by side."""

from uuid import UUID

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal_wire.contract import Job, JobState
from portal_wire.errors import BadRequest
from ui_service.app_client import AppTier
from ui_service.comparison import columns_of, newest_of_each, standings
from ui_service.signed_in import app_tier

blueprint = Blueprint("compare", __name__)


@blueprint.get("/studies/<uuid:study_id>/compare")
def page(study_id: UUID) -> str:
    """The models to choose from, and a column for each version that ran: those of `?job=`, else each one's newest."""
    app = app_tier()
    study = app.study(str(study_id))
    jobs, models = _compared(app, study.id), app.models(study.id)
    columns = columns_of(jobs, models)
    return render_template(
        "compare.html", study=study, models=models, columns=columns, standings=standings(columns), jobs=jobs
    )


@blueprint.post("/studies/<uuid:study_id>/compare")
def run(study_id: UUID) -> Response:
    """Run the chosen versions and show them."""
    chosen = [value.partition("/") for value in dict.fromkeys(request.form.getlist("version"))]
    if not chosen:
        raise BadRequest("Please choose one model or more.", code="no_model")
    jobs = app_tier().compare(str(study_id), [(model, version) for model, _, version in chosen])
    return redirect(url_for("compare.page", study_id=study_id, job=[job.id for job in jobs]), 303)


@blueprint.get("/studies/<uuid:study_id>/compare/standing")
def standing(study_id: UUID) -> str:
    """Who agrees with whom, as it stands now."""
    app = app_tier()
    columns = columns_of(_compared(app, str(study_id)), app.models(str(study_id)))
    return render_template("fragments/standing.html", standings=standings(columns))


@blueprint.get("/jobs/<uuid:job_id>/column")
def column(job_id: UUID) -> Response:
    """What one version says; the page then asks anew who agrees."""
    job = app_tier().job(str(job_id))
    answer = make_response(render_template("fragments/column.html", job=job))
    if job.state not in (JobState.QUEUED, JobState.RUNNING):
        answer.headers["HX-Trigger"] = "compared"
    return answer


def _compared(app: AppTier, study_id: str) -> list[Job]:
    jobs = [job for job in app.jobs_of([study_id], "compare") if job.study_id == study_id]
    wanted = request.args.getlist("job")
    return newest_of_each([job for job in jobs if job.id in wanted] if wanted else jobs)
