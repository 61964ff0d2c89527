"""Ways into an account: API tokens and open sessions; one's own, or for an administrator anybody's."""

from functools import partial
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal_wire.errors import NotFound
from ui_service.signed_in import app_tier

blueprint = Blueprint("entrances", __name__)
SCOPES = {
    "studies:read": "Read studies and answers",
    "studies:write": "Upload, run, review, delete",
    "status:read": "Read how the portal stands",
}
_DAYS = (7, 30, 90, 366)


@blueprint.get("/account/entrances")
def page() -> str:
    """One's own."""
    return _page(None)


@blueprint.get("/admin/users/<uuid:user_id>")
def page_of_user(user_id: UUID) -> str:
    """Anybody's."""
    return _page(str(user_id))


@blueprint.post("/account/tokens")
@blueprint.post("/admin/users/<uuid:user_id>/tokens", endpoint="create_of_user")
def create(user_id: UUID | None = None) -> str:
    """Make a token, and show it this once."""
    form = request.form
    days = int(form["days"]) if form.get("days", "").isdigit() else 90
    owner = str(user_id) if user_id else None
    made = app_tier().create_token(owner, form.get("name", "").strip(), form.getlist("scope"), days)
    return render_template("new_token.html", made=made, back=_address(owner, "page"))


@blueprint.post("/account/tokens/<uuid:token_id>")
@blueprint.post("/admin/users/<uuid:user_id>/tokens/<uuid:token_id>", endpoint="revoke_of_user")
def revoke(token_id: UUID, user_id: UUID | None = None) -> Response:
    """From now on it opens nothing."""
    owner = str(user_id) if user_id else None
    app_tier().revoke_token(owner, str(token_id))
    return redirect(_address(owner, "page"), 303)


@blueprint.post("/account/sessions/<uuid:session_id>")
@blueprint.post("/admin/users/<uuid:user_id>/sessions/<uuid:session_id>", endpoint="end_of_user")
def end(session_id: UUID, user_id: UUID | None = None) -> Response:
    """Sign it out; one that has ended by itself meanwhile is as good."""
    owner = str(user_id) if user_id else None
    try:
        app_tier().end_session(owner, str(session_id))
    except NotFound:
        pass
    return redirect(_address(owner, "page"), 303)


def _page(owner: str | None) -> str:
    app = app_tier()
    facts: dict[str, Any] = {"tokens": app.tokens(owner), "sessions": app.sessions(owner), "owner": owner}
    account = next((one for one in app.users() if one["id"] == owner), None) if owner else None
    facts |= {"address": partial(_address, owner), "scopes": SCOPES, "spans": _DAYS}
    return render_template("entrances.html", account=account, **facts)


def _address(owner: str | None, endpoint: str, **ids: Any) -> str:
    if owner is None:
        return url_for(f"entrances.{endpoint}", **ids)
    return url_for(f"entrances.{endpoint}_of_user", user_id=owner, **ids)
