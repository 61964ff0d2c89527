"""One's own account."""

from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal_wire.errors import Forbidden, PortalError, TooManyRequests, Unprocessable
from ui_service import words
from ui_service.signed_in import app_tier, remember

blueprint = Blueprint("account", __name__, url_prefix="/account")


@blueprint.get("")
def page() -> str:
    """What can be changed."""
    return render_template("account.html", factor=_factor())


@blueprint.post("/password")
def password() -> Response:
    """Choose another password, or show the form again with the reason."""
    new = request.form.get("new", "")
    if new != request.form.get("again", ""):
        return _again("The new password was not typed alike twice.", 422)
    try:
        opened = app_tier().change_password(request.form.get("current", ""), new)
    except (Forbidden, Unprocessable, TooManyRequests) as error:
        return _again(words.problem(error.code, error.detail), error.status, error)
    answer = make_response(redirect(url_for("account.page", changed="password"), 303))
    remember(answer, opened)
    return answer


def _factor() -> dict[str, Any]:
    """Before a password of one's own there is none to be set up."""
    try:
        return app_tier().second_factor()
    except Forbidden:
        return {"state": "later"}


def _again(reason: str, status: int, error: PortalError | None = None) -> Response:
    answer = make_response(render_template("account.html", reason=reason, factor=_factor()), status)
    if error is not None and error.retry_after_s is not None:
        answer.headers["Retry-After"] = str(error.retry_after_s)
    return answer
