"""What can be done with all selected images at once."""

from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal_wire.contract import JobState
from portal_wire.errors import BadRequest
from ui_service.rows import offers_fast
from ui_service.signed_in import app_tier
from ui_service.views.relay import relayed

blueprint = Blueprint("selection", __name__, url_prefix="/selection")


@blueprint.post("/run")
def run() -> Response:
    """Start the chosen models on every selected image."""
    models = request.form.getlist("model")
    if not models:
        raise BadRequest("Please choose a model.", code="no_model")
    app = app_tier()
    app.run(_chosen(), models, fast="fast" in request.form and offers_fast(app.models(), models))
    return redirect(url_for("worklist.page"), 303)


@blueprint.post("/compare")
def compare() -> Response:
    """To the choice of models for the first selected image, and by its keys to the others."""
    chosen = _chosen()
    with_it = chosen if len(chosen) > 1 else []
    return redirect(url_for("compare.page", study_id=chosen[0], among=with_it), 303)


@blueprint.post("/archive")
def archive() -> Response:
    """One zip with the newest answer of each model about every selected image; with masks, one table of all sizes. On
    request without identity."""
    app, chosen = app_tier(), _chosen()
    done = [job for job in app.jobs_of(chosen, "answer") if job.state is JobState.SUCCEEDED]  # newest first
    newest = {(job.study_id, job.model): job.id for job in reversed(done)}
    jobs = [newest[key] for key in sorted(newest, key=lambda key: chosen.index(key[0]))]
    if not jobs:
        raise BadRequest("None of the selected images has an answer yet.", code="nothing_answered")
    asked = {name: request.args[name] for name in ("identity",) if name in request.args}
    return relayed(app.archive_of(jobs, **asked))


@blueprint.post("/delete")
def delete() -> Response | str:
    """Ask first; with `confirmed`, delete every selected image with its answers."""
    app, chosen = app_tier(), _chosen()
    if "confirmed" not in request.form:
        return render_template("delete.html", studies=[app.study(study_id) for study_id in chosen])
    for study_id in chosen:
        app.delete_study(study_id)
    return redirect(url_for("worklist.page"), 303)


def _chosen() -> list[str]:
    try:
        chosen = [str(UUID(study_id)) for study_id in request.form.getlist("study")]
    except ValueError:
        raise BadRequest("This selection cannot be read.") from None
    if not chosen:
        raise BadRequest("Please select one image or more.", code="nothing_selected")
    return chosen
