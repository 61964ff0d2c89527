"""Accounts, for an administrator: add, disable, enable, give another role, replace a forgotten password."""

from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ui_service.signed_in import app_tier

blueprint = Blueprint("users", __name__, url_prefix="/admin/users")
ROLES = {
    "doctor": "Doctor: sees and reads images",
    "admin": "Administrator: accounts, models, audit; no images",
    "ops": "Operations: the status page only",
    "service": "Service: a machine, by API tokens alone",
}


@blueprint.get("")
def page() -> str:
    """Every account."""
    return render_template("users.html", users=app_tier().users(), roles=ROLES)


@blueprint.post("")
def create() -> str:
    """Add one, and show the password to begin with."""
    made = app_tier().create_user(request.form.get("username", "").strip(), request.form.get("role", ""))
    return render_template("new_password.html", made=made, created=True)


@blueprint.post("/<uuid:user_id>")
def change(user_id: UUID) -> Response:
    """Another role, or disabled or enabled: whichever the form names."""
    form = request.form
    changes = {"role": form["role"]} if "role" in form else {"disabled": form.get("disabled") == "yes"}
    app_tier().change_user(str(user_id), **changes)
    return redirect(url_for("users.page"), 303)


@blueprint.post("/<uuid:user_id>/password")
def reset(user_id: UUID) -> str:
    """A password to begin with again."""
    return render_template("new_password.html", made=app_tier().reset_password(str(user_id)), created=False)


@blueprint.post("/<uuid:user_id>/second-factor")
def remove_factor(user_id: UUID) -> Response:
    """Take a lost second factor away."""
    app_tier().remove_second_factor_of(str(user_id))
    return redirect(url_for("users.page"), 303)
