"""Signing in and out."""

import re

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal_wire.errors import Conflict, PortalError, TooManyRequests, Unauthenticated
from ui_service.signed_in import HOME, app_tier, current_person, forget, remember

blueprint = Blueprint("sign_in", __name__)
# Where sign-in may lead back to. Anything else, another host above all, leads to the worklist.
_BACK = re.compile(r"/(studies/[0-9a-f-]{36}(/compare)?|shared|models(/[A-Za-z0-9_-]{1,64})?|admin/users)")


@blueprint.get("/sign-in")
def page() -> Response | str:
    """The form; somebody who has signed in already goes on."""
    if current_person():
        return redirect(_onwards(), 303)
    return render_template("sign_in.html", back=request.args.get("next", ""))


@blueprint.post("/sign-in")
def enter() -> Response:
    """Open a session, or show the form again with the reason."""
    username = request.form.get("username", "").strip()
    try:
        opened = app_tier().sign_in(username, request.form.get("password", ""), request.form.get("otp", "").strip())
    except (Unauthenticated, TooManyRequests, Conflict) as error:
        reason = "Name or password is not right." if error.code == "wrong_credentials" else error.detail
        return _again(username, reason, error)
    home = url_for(HOME.get(opened.user.role, "worklist.page"))
    answer = make_response(redirect(_back() or home, 303))
    remember(answer, opened)
    return answer


@blueprint.post("/sign-out")
def leave() -> Response:
    """End the session in App and in this browser; in this browser even when App is away."""
    answer = make_response(redirect(url_for("sign_in.page"), 303))
    try:
        app_tier().sign_out()
    except PortalError:
        pass  # an unused session ends by itself
    forget(answer)
    return answer


@blueprint.get("/session")
def check() -> Response:
    """Empty while the session lasts; a page whose stream has ended asks, and leaves for sign-in when it is over."""
    app_tier().me()
    return make_response("", 204)


def _again(username: str, reason: str, error: PortalError) -> Response:
    html = render_template("sign_in.html", back=request.form.get("next", ""), username=username, reason=reason)
    answer = make_response(html, error.status)
    if error.retry_after_s is not None:
        answer.headers["Retry-After"] = str(error.retry_after_s)
    return answer


def _back() -> str | None:
    wanted = request.values.get("next", "")
    return wanted if _BACK.fullmatch(wanted) else None


def _onwards() -> str:
    person = current_person()
    return _back() or url_for(HOME[person.role] if person else "worklist.page")
