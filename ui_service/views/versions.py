"""An administrator decides which version of a model answers: asked back first, with what changes."""

from typing import cast

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from portal_wire.contract import Model, ModelVersion, VersionState
from portal_wire.errors import NotFound
from ui_service.signed_in import app_tier
from ui_service.version_lines import consequences, verb

blueprint = Blueprint("versions", __name__, url_prefix="/models/<name>/versions/<version>")
_STATE = "/<any(active, shadow, available, retired):state>"


@blueprint.get(_STATE)
def confirm(name: str, version: str, state: str) -> str:
    """What would change."""
    model, one = _found(name, version)
    wanted = cast(VersionState, state)
    facts = {"state": state, "verb": verb(one, wanted), "consequences": consequences(model, one, wanted)}
    return render_template("version_change.html", model=model, version=one, **facts)


@blueprint.post(_STATE + "/<instead_of>")
def change(name: str, version: str, state: str, instead_of: str) -> Response:
    """Do it, unless another version has been activated since the question was asked."""
    app_tier().change_version(name, version, state, instead_of)
    return redirect(url_for("models.card", name=name), 303)


def _found(name: str, version: str) -> tuple[Model, ModelVersion]:
    model = app_tier().model(name)
    for one in model.versions:
        if one.version == version:
            return model, one
    raise NotFound("There is no such version of this model.")
