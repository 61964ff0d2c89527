"""Others' studies: links to share one's own, what was shared with oneself, and access in an emergency."""

from uuid import UUID

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal_wire.contract import Study
from portal_wire.errors import Conflict, NotFound, PortalError, TooManyRequests, Unprocessable
from ui_service.rows import answering
from ui_service.signed_in import app_tier

blueprint = Blueprint("sharing", __name__)


@blueprint.post("/studies/<uuid:study_id>/shares")
def share(study_id: UUID) -> str:
    """Make a link, and show it this once."""
    name, colleague = str(study_id), request.form.get("colleague", "").strip() or None
    days = int(request.form["days"]) if request.form.get("days", "").isdigit() else 7
    made = app_tier().share(name, colleague, days)
    # The Origin was compared with the portal's own (security.protect). What stands behind # is sent to no server.
    link = f"{request.headers['Origin']}{url_for('sharing.page')}#{made['code']}"
    return render_template("shared_link.html", made=made, link=link, study_id=name)


@blueprint.post("/studies/<uuid:study_id>/shares/<uuid:share_id>")
def revoke(study_id: UUID, share_id: UUID) -> Response:
    """Whoever came by it looks no more; one that has ended meanwhile is as good."""
    try:
        app_tier().revoke_share(str(study_id), str(share_id))
    except NotFound:
        pass
    return redirect(url_for("studies.page", study_id=study_id), 303)


@blueprint.get("/shared")
def page() -> str:
    """What one may look at, and the form that a link's code goes into (static/shared.js)."""
    return render_template("shared.html", seen=_seen())


@blueprint.post("/shared")
def open_link() -> Response:
    """Open a link."""
    try:
        study_id = app_tier().open_link(request.form.get("code", "").strip().rpartition("#")[2] or "-")
    except (NotFound, Unprocessable):
        reason = "This link is not known, has ended, or is for somebody else."
        return make_response(render_template("shared.html", seen=_seen(), reason=reason), 404)
    return redirect(url_for("studies.page", study_id=study_id), 303)


@blueprint.get("/shared/<uuid:study_id>")
def look(study_id: UUID) -> str:
    """Another's study: the image and the answer, and nothing to change."""
    app = app_tier()
    for study, until in _seen():
        if study.id == str(study_id):
            job = answering(job for job in app.jobs_of([study.id]) if job.purpose == "answer")
            return render_template("guest.html", study=study, until=until, job=job, prompter=None)
    raise NotFound("There is no such study, or you may look at it no longer.")


@blueprint.get("/studies/<uuid:study_id>/emergency")
def emergency(study_id: UUID) -> str:
    """Say why."""
    return render_template("emergency.html", study_id=study_id)


@blueprint.post("/studies/<uuid:study_id>/emergency", endpoint="open_in_emergency")
def open_in_emergency(study_id: UUID) -> Response:
    """Look at it for an hour."""
    reason = request.form.get("reason", "").strip()
    try:
        app_tier().open_in_emergency(str(study_id), reason)
    except Unprocessable as error:
        return _again(study_id, reason, error)
    return redirect(url_for("sharing.look", study_id=study_id), 303)


@blueprint.get("/emergency")
def emergency_search() -> str:
    """Say which, and why."""
    return render_template("emergency.html")


@blueprint.post("/emergency", endpoint="search_in_emergency")
def search_in_emergency() -> Response:
    """Look for an hour at what is called so, word for word. The name travels in the body, never in an address."""
    reason, sought = request.form.get("reason", "").strip(), request.form.get("study", "").strip()
    try:
        opened = app_tier().search_in_emergency(sought, reason)
    except (NotFound, Conflict, TooManyRequests, Unprocessable) as error:
        return _again(None, reason, error, sought)
    one = url_for("sharing.look", study_id=opened[0]) if len(opened) == 1 else url_for("sharing.page")
    return redirect(one, 303)


def _again(study_id: UUID | None, reason: str, error: PortalError, sought: str = "") -> Response:
    short = "Please give a reason of at least ten characters" + ("." if study_id else ", and what to open.")
    said = short if isinstance(error, Unprocessable) else error.detail
    page = render_template("emergency.html", study_id=study_id, typed=reason, said=said, sought=sought)
    answer = make_response(page, error.status)
    if error.retry_after_s is not None:
        answer.headers["Retry-After"] = str(error.retry_after_s)
    return answer


def _seen() -> list[tuple[Study, str]]:
    return [(Study.model_validate(one["study"]), one["until"]) for one in app_tier().shared_with_me()]
