"""Signing in by the hospital's own directory: away to it, and back."""

import hmac

from flask import Blueprint, current_app, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal_wire.errors import NotFound, Unauthenticated
from ui_service.signed_in import HOME, app_tier, remember

blueprint = Blueprint("directory", __name__, url_prefix="/sign-in/directory")
# Lax, alone of all cookies: the directory's page leads back here, and the browser must be the one that went.
STATE_COOKIE = "__Host-directory"
_WAIT_S = 600
_LONGEST = 2000


@blueprint.get("")
def away() -> Response:
    """To the directory. A link and no form: the pages' policy lets no form lead to another host."""
    there = app_tier().begin_directory(_return_address())
    answer = make_response(redirect(there["address"], 303))
    answer.set_cookie(
        STATE_COOKIE, there["state"], max_age=_WAIT_S, path="/", secure=True, httponly=True, samesite="Lax"
    )
    return answer


@blueprint.get("/return")
def back() -> Response:
    """A session for who signed in there, or the form with the reason."""
    state, code = (request.args.get(name, "")[:_LONGEST] for name in ("state", "code"))
    kept = request.cookies.get(STATE_COOKIE, "")
    try:
        if not (code and kept and hmac.compare_digest(kept.encode(), state.encode())):
            raise Unauthenticated("The directory did not sign you in. Please try again.", code="oidc")
        opened = app_tier().finish_directory(state, code)
    except Unauthenticated as error:
        answer = make_response(render_template("sign_in.html", back="", reason=error.detail), 401)
    else:
        # A page and no redirect: after a way through another site browsers hold Strict cookies back until a new step.
        home = url_for(HOME.get(opened.user.role, "worklist.page"))
        answer = make_response(render_template("signed_in.html", onwards=home))
        remember(answer, opened)
    answer.delete_cookie(STATE_COOKIE, path="/", secure=True, httponly=True, samesite="Lax")
    return answer


def _return_address() -> str:
    origin: str | None = current_app.config["DIRECTORY_RETURNS_TO"]
    if origin is None:
        raise NotFound("This portal has no directory to sign in by.")
    return origin + url_for("directory.back")
