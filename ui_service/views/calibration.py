"""A site's own calibration of a version: everyone sees what is in force, administrators fit, choose and take back."""

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal_wire.errors import NotFound
from ui_service import site_scores
from ui_service.signed_in import app_tier

blueprint = Blueprint("calibration", __name__, url_prefix="/models/<name>/versions/<version>/calibration")
SHIPPED = "shipped"


@blueprint.get("")
def page(name: str, version: str) -> str:
    """What it stands on, what a fit would change, and what is in force."""
    facts = {"site": app_tier().site_calibration(name, version), "site_version": version, "scores": site_scores}
    return render_template("calibration.html", name=name, **facts)


@blueprint.post("/fit")
def fit(name: str, version: str) -> str | Response:
    """Fit to the reviewed cases; it is not in force before it is chosen."""
    state = app_tier().fit_site(name, version)
    if "HX-Request" in request.headers:
        facts = {"site": state, "site_version": version, "scores": site_scores}
        return render_template("fragments/site_calibration.html", name=name, **facts)
    return redirect(url_for("calibration.page", name=name, version=version), 303)


@blueprint.get("/<choice>")
def confirm(name: str, version: str, choice: str) -> str:
    """What would change; `choice` is a fit's id, or "shipped"."""
    fits = app_tier().site_calibration(name, version)["fits"]
    chosen = next((fit for fit in fits if fit["id"] == choice), None)
    if chosen is None and choice != SHIPPED:
        raise NotFound("There is no such calibration of this version.")
    facts = {"fit": chosen, "choice": choice, "scores": site_scores}
    return render_template("calibration_change.html", name=name, version=version, **facts)


@blueprint.post("/<choice>")
def change(name: str, version: str, choice: str) -> Response:
    """Put a fit in force, or the shipped values."""
    app_tier().choose_calibration(name, version, None if choice == SHIPPED else choice)
    return redirect(url_for("calibration.page", name=name, version=version), 303)
