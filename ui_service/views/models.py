"""The models, as a person would read about them."""

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from portal_wire.errors import NotFound
from ui_service import site_scores, version_lines
from ui_service.signed_in import app_tier
from ui_service.views.relay import relayed

blueprint = Blueprint("models", __name__, url_prefix="/models")


@blueprint.get("")
def page() -> str:
    """Every model that is served."""
    return render_template("models.html", models=app_tier().models())


@blueprint.get("/<name>")
def card(name: str) -> str:
    """One model: purpose, limits, scores and plots of each version."""
    app = app_tier()
    model = app.model(name)
    active = model.active_version
    there = any(known.version == active for known in model.versions)  # its folder may have gone
    there = there and model.negative_label is not None  # a mask has no probability to calibrate
    site = {"site": app.site_calibration(name, active) if there else None, "site_version": active}
    facts = {"lines": version_lines.lines(model), "states": version_lines.STATES, "verb": version_lines.verb}
    return render_template("model.html", model=model, name=name, scores=site_scores, **site, **facts)


@blueprint.get("/<name>/versions/<version>/plots/<plot>")
def plot(name: str, version: str, plot: str) -> Response:
    """A picture that belongs to a card: only one that the card names."""
    app = app_tier()
    if not any(version == known.version and plot in known.plots for known in app.model(name).versions):
        raise NotFound("This card has no such plot.")
    return relayed(app.plot(name, version, plot))


@blueprint.get("/<name>/versions/<version>/network")
def network(name: str, version: str) -> str:
    """What a version's network is made of, layer by layer; for htmx the table alone."""
    table = app_tier().network(name, version)
    template = "fragments/network.html" if "HX-Request" in request.headers else "network.html"
    return render_template(template, name=name, version=version, network=table)
