"""One image, large, with the answer beside it."""

from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ui_service.app_client import AppTier
from ui_service.rows import answering, chosen, prompter, runnable
from ui_service.signed_in import app_tier, current_person
from ui_service.views.direct import link_to_original
from ui_service.views.prompts import base_of
from ui_service.views.relay import relayed
from ui_service.views.worklist import asked_of_app, chosen_filters

blueprint = Blueprint("studies", __name__, url_prefix="/studies/<uuid:study_id>")
_NEIGHBOURS = 100  # how far from the top of the worklist next and previous still work
_THUMBNAIL_SIDE = "96"


@blueprint.get("")
def page(study_id: UUID) -> Response | str:
    """The study with the job that answers for it, or that of `?job=`, which must be this study's own."""
    app, person = app_tier(), current_person()
    study = app.study(str(study_id))
    if person is not None and study.uploaded_by != person.username:
        return redirect(url_for("sharing.look", study_id=study.id), 303)  # another's, to look at
    models = app.models()
    jobs = [job for job in app.jobs_of([study.id]) if job.study_id == study.id]
    filters = chosen_filters(request.args)
    wanted = request.args.get("job")
    job = chosen(jobs, wanted) if wanted else answering(job for job in jobs if job.purpose == "answer")
    place, before, after = _neighbours(app, study.id, filters)
    return render_template(
        "study.html",
        study=study,
        job=job,
        jobs=jobs,
        openings=app.openings(study.id),
        shares=app.shares(study.id),
        models=[model for model in runnable(models) if model.kind == study.kind],
        prompter=prompter(model for model in models if model.kind in (study.kind, "any")),
        base=base_of(jobs, job, request.args.get("base")),
        place=place,
        before=before,
        after=after,
        filters=filters,
    )


@blueprint.get("/image")
def image(study_id: UUID) -> Response:
    """The image as PNG; with `?thumbnail=1` a small one."""
    params = {"max_side": _THUMBNAIL_SIDE} if "thumbnail" in request.args else {}
    return relayed(app_tier().image(str(study_id), **params))


@blueprint.get("/volume")
def volume(study_id: UUID) -> Response:
    """The volume as .nii.gz, for the viewer."""
    return relayed(app_tier().volume(str(study_id)))


@blueprint.get("/original")
def original(study_id: UUID) -> Response:
    """The file as it was uploaded; a large one from the store itself, where App gives an address of it there."""
    link = link_to_original(study_id)
    return redirect(link, 303) if link else relayed(app_tier().original(str(study_id)))


def _neighbours(app: AppTier, study_id: str, filters: dict[str, str]) -> tuple[str, str | None, str | None]:
    """Place in the worklist ("3 of 24"), and the ids above and below; nothing beyond its first hundred."""
    listed = app.studies(asked_of_app(filters), limit=_NEIGHBOURS)
    ids = [study.id for study in listed.items]
    if study_id not in ids:
        return "", None, None
    at = ids.index(study_id)
    place = f"{at + 1} of {len(ids)}{' or more' if listed.next_cursor else ''}"
    return place, ids[at - 1] if at else None, ids[at + 1] if at + 1 < len(ids) else None
