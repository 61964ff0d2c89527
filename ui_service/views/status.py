"""Whether the portal works, for whoever looks after it: tiers, queue, models, plots. Nothing of any patient."""

from typing import cast

from flask import Blueprint, Response, current_app, make_response, render_template, request

from ui_service import standing
from ui_service.prometheus import Prometheus
from ui_service.signed_in import app_tier

blueprint = Blueprint("status", __name__, url_prefix="/status")
EXTENSION = "prometheus"
SPANS = {"1": "1 hour", "6": "6 hours", "24": "24 hours", "168": "7 days"}  # hours that the plots may show


@blueprint.get("")
def page() -> str:
    """Everything on one page; htmx asks for the part that changes."""
    hours = request.args.get("hours", "6")
    hours = hours if hours in SPANS else "6"
    app, prometheus = app_tier(), cast(Prometheus, current_app.extensions[EXTENSION])
    status, seen = standing.told(app), standing.watched(prometheus, float(hours))
    facts = {
        "status": status,
        "seen": seen,
        "tiers": standing.tiers(status, seen),
        "parts": standing.PARTS,
        "models": standing.models(app),
        "hours": hours,
        "spans": SPANS,
    }
    return render_template("fragments/standing_now.html" if "HX-Request" in request.headers else "status.html", **facts)


@blueprint.get("/entrance")
def entrance() -> Response:
    """Empty for whoever may see this page: NGINX asks before it lets somebody through to Grafana."""
    app_tier().me()
    return make_response("", 204)
