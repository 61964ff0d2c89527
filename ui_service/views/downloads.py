"""Everything of an answer, to take away."""

from uuid import UUID

from flask import Blueprint, request
from werkzeug.wrappers import Response

from portal_wire.contract import JobState
from portal_wire.errors import Conflict
from ui_service.signed_in import app_tier
from ui_service.views.relay import relayed

blueprint = Blueprint("downloads", __name__, url_prefix="/jobs/<uuid:job_id>")


@blueprint.get("/artifacts/<path:name>")
def artifact(job_id: UUID, name: str) -> Response:
    """One file that the run made."""
    return relayed(app_tier().artifact(str(job_id), name))


@blueprint.get("/archive")
def archive(job_id: UUID) -> Response:
    """A zip of every file of the run, with result.json; on request with surfaces, or without identity."""
    asked = {name: request.args[name] for name in ("identity", "surfaces") if name in request.args}
    return relayed(app_tier().archive(str(job_id), **asked))


@blueprint.get("/result.json")
def result(job_id: UUID) -> Response:
    """The run as the contract writes it. Raises Conflict while there is no answer."""
    job = app_tier().job(str(job_id))
    if job.state is not JobState.SUCCEEDED:
        raise Conflict("There is no answer to download yet.", code="no_answer")
    headers = {"Content-Disposition": f'attachment; filename="result-{job.id}.json"'}
    return Response(job.model_dump_json(indent=2), mimetype="application/json", headers=headers)
