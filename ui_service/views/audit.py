"""The audit trail for an administrator: who did what, when, from where. Ids only, nothing of any patient."""

from flask import Blueprint, render_template, request

from ui_service.signed_in import app_tier

blueprint = Blueprint("audit", __name__, url_prefix="/admin/audit")
_FILTERS = ("username", "action")


@blueprint.get("")
def page() -> str:
    """A page of it, newest first."""
    chosen = {name: value for name in _FILTERS if (value := request.args.get(name, "").strip())}
    before = request.args.get("before", "")
    part = app_tier().audit(chosen | ({"before": before} if before.isdigit() else {}))
    return render_template("audit.html", acts=part["items"], next_before=part["next_before"], chosen=chosen)
