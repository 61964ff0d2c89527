"""The worklist: the doctor's images, newest first, each with its newest job."""

import re
from collections.abc import Mapping

from flask import Blueprint, current_app, render_template, request

from ui_service.rows import rows_of, runnable
from ui_service.signed_in import app_tier
from ui_service.views.samples import sample_films

blueprint = Blueprint("worklist", __name__)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_FILTERS = ("q", "state", "from", "to", "cursor")


@blueprint.get("/")
def page() -> str:
    """One page of rows."""
    app, filters = app_tier(), chosen_filters(request.args)
    listed = app.studies(asked_of_app(filters))
    return render_template(
        "worklist.html",
        rows=rows_of(listed.items, app.jobs_of([study.id for study in listed.items], "answer")),
        next_cursor=listed.next_cursor,
        filters=filters,
        samples=sample_films(),
        limits=app.limits(),
        direct_from_bytes=current_app.config["DIRECT_FROM_BYTES"],
        models=runnable(app.models()),
    )


def chosen_filters(args: Mapping[str, str]) -> dict[str, str]:
    """The filters that stand in the address, the empty ones left out."""
    return {key: value for key in _FILTERS if (value := args.get(key, "").strip())}


def asked_of_app(filters: Mapping[str, str]) -> dict[str, str]:
    """The filters as App takes them: whole days become moments, and what is no date is left out."""
    asked = {key: value for key, value in filters.items() if key not in ("from", "to")}
    for key, time in (("from", "00:00:00"), ("to", "23:59:59.999")):
        if _DAY.fullmatch(filters.get(key, "")):
            asked[key] = f"{filters[key]}T{time}Z"
    return asked
