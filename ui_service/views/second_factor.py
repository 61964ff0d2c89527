"""One's own second factor: set up with an authenticator app, and taken away."""

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal_wire.errors import Conflict, Forbidden, PortalError, TooManyRequests, Unprocessable
from ui_service import words
from ui_service.signed_in import app_tier
from ui_service.views.relay import relayed

blueprint = Blueprint("second_factor", __name__, url_prefix="/account/second-factor")
_REFUSED = (Forbidden, Conflict, Unprocessable, TooManyRequests)


@blueprint.post("")
def begin() -> Response:
    """Make a secret and show it, as a picture and to be typed."""
    try:
        made = app_tier().begin_second_factor(request.form.get("password", ""))
    except _REFUSED as error:
        return _account(error)
    return make_response(render_template("second_factor.html", secret=made["secret"]))


@blueprint.get("/qr.svg")
def qr() -> Response:
    """The picture for the app's camera; only until the first code has come."""
    return relayed(app_tier().second_factor_qr())


@blueprint.post("/confirm")
def confirm() -> Response:
    """The first code; shows the recovery codes, this once."""
    try:
        codes = app_tier().confirm_second_factor(request.form.get("otp", "").strip())
    except _REFUSED as error:
        facts = {"secret": request.form.get("secret", ""), "reason": words.problem(error.code, error.detail)}
        return _answer(render_template("second_factor.html", **facts), error)
    return make_response(render_template("recovery_codes.html", codes=codes))


@blueprint.post("/remove")
def remove() -> Response:
    """Nothing but the password is asked for any more."""
    try:
        app_tier().remove_second_factor(request.form.get("password", ""), request.form.get("otp", "").strip())
    except _REFUSED as error:
        return _account(error)
    return make_response(redirect(url_for("account.page"), 303))


def _account(error: PortalError) -> Response:
    facts = {"factor": app_tier().second_factor(), "factor_reason": words.problem(error.code, error.detail)}
    return _answer(render_template("account.html", **facts), error)


def _answer(html: str, error: PortalError) -> Response:
    answer = make_response(html, error.status)
    if error.retry_after_s is not None:
        answer.headers["Retry-After"] = str(error.retry_after_s)
    return answer
