"""The served models, as a person would read about them."""

from urllib.parse import quote

from apiflask import APIBlueprint
from flask import Response

from app_service.accounts.bearer import bearer
from app_service.parts import parts
from app_service.routes.files import binary
from portal_wire.contract import Model, ModelList
from portal_wire.errors import NotFound

models = APIBlueprint("models", __name__, tag="Models")


@models.get("/v1/models")
@models.auth_required(bearer)
@models.output(ModelList)
def listed() -> ModelList:
    """Every model with its versions, scores and limits."""
    return ModelList(items=parts().models.all())


@models.get("/v1/models/<name>")
@models.auth_required(bearer)
@models.output(Model)
def shown(name: str) -> Model:
    """One model."""
    return parts().models.one(name)


@models.get("/v1/models/<name>/versions/<version>/plots/<plot>")
@models.auth_required(bearer)
@models.doc(responses=binary("image/png", "A plot of the version's card."))
def plot(name: str, version: str, plot: str) -> Response:
    """A plot that a version's card lists."""
    known = next((item for item in parts().models.one(name).versions if item.version == version), None)
    if known is None or plot not in known.plots:
        raise NotFound("There is no such plot.")
    answer = parts().ml.request("GET", f"/v2/models/{quote(name)}/versions/{quote(version)}/plots/{quote(plot)}")
    return Response(answer.content, content_type="image/png", headers={"Cache-Control": "private, max-age=3600"})
