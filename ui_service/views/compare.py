"""Any set of models on one image, side by side; on several images, one page after the other."""

from uuid import UUID

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal_wire.contract import Job, JobState
from portal_wire.errors import BadRequest
from ui_service.app_client import AppTier
from ui_service.comparison import columns_of, newest_of_each, standings
from ui_service.rows import runnable
from ui_service.signed_in import app_tier

blueprint = Blueprint("compare", __name__)
MOST_IMAGES = 50  # that are stepped through: their ids stand in the address


@blueprint.get("/studies/<uuid:study_id>/compare")
def page(study_id: UUID) -> str:
    """The models to choose from, and a column for each version that ran here: those of `?version=`, else all.

    `?among=` names the images that were selected together.
    """
    app = app_tier()
    study = app.study(str(study_id))
    jobs, models = _compared(app, study.id), app.models(study.id)
    columns = columns_of(jobs, models)
    among = _among(study.id)
    here = among.index(study.id)
    return render_template(
        "compare.html",
        study=study,
        models=runnable(models),
        columns=columns,
        standings=standings(columns),
        versions=request.args.getlist("version"),
        among=among,
        before=among[here - 1] if here else None,
        after=among[here + 1] if here + 1 < len(among) else None,
    )


@blueprint.post("/studies/<uuid:study_id>/compare")
def run(study_id: UUID) -> Response:
    """Run the chosen versions on this image and those selected with it, and show them on this one."""
    chosen = list(dict.fromkeys(request.form.getlist("version")))
    if not chosen:
        raise BadRequest("Please choose one model or more.", code="no_model")
    among = _among(str(study_id))
    pairs = [value.partition("/") for value in chosen]
    app_tier().compare(among, [(model, version) for model, _, version in pairs])
    with_it = among if len(among) > 1 else []
    return redirect(url_for("compare.page", study_id=study_id, version=chosen, among=with_it), 303)


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
    wanted = request.args.getlist("version")
    return newest_of_each(job for job in jobs if not wanted or f"{job.model}/{job.version}" in wanted)


def _among(study_id: str) -> list[str]:
    """The images selected together, this one in any case. Raises BadRequest."""
    try:
        among = [str(UUID(each)) for each in request.values.getlist("among")]
    except ValueError:
        raise BadRequest("This selection cannot be read.") from None
    if len(among) > MOST_IMAGES:
        raise BadRequest(f"Please select at most {MOST_IMAGES} images to compare models on.", code="too_many")
    return among if study_id in among else [study_id]
