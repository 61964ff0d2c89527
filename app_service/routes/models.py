"""The served models, as a person would read about them."""

from urllib.parse import quote

from apiflask import APIBlueprint
from flask import Response

from app_service.accounts.bearer import bearer, current_user
from app_service.domain.suitable import suits
from app_service.model_figures import with_figures
from app_service.parts import parts
from app_service.routes.bodies import ModelQuery, Network
from app_service.routes.files import binary
from app_service.storage.database import reading
from app_service.storage.studies import find_study
from portal_wire.contract import Model, ModelList
from portal_wire.errors import NotFound

models = APIBlueprint("models", __name__, tag="Models")


@models.get("/v1/models")
@models.auth_required(bearer)
@models.input(ModelQuery, location="query")
@models.output(ModelList)
def listed(query_data: ModelQuery) -> ModelList:
    """Every model with its versions, scores and limits; with `study_id` only those that may read this study."""
    here = parts()
    if query_data.study_id is None:
        return ModelList(items=with_figures(here.engine, here.models.all()))
    with reading(here.engine) as connection:
        study = find_study(connection, current_user().id, str(query_data.study_id))
    return ModelList(items=[model for model in here.models.all() if suits(model, study.kind, study.modality)])


@models.get("/v1/models/<name>")
@models.auth_required(bearer)
@models.output(Model)
def shown(name: str) -> Model:
    """One model."""
    return with_figures(parts().engine, [parts().models.one(name)])[0]


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


@models.get("/v1/models/<name>/versions/<version>/network")
@models.auth_required(bearer)
@models.output(Network)
def network(name: str, version: str) -> Network:
    """A version's network: its layers, their outputs, parameters and cost for one image."""
    if all(known.version != version for known in parts().models.one(name).versions):
        raise NotFound("There is no such version.")
    answer = parts().ml.request("GET", f"/v2/models/{quote(name)}/versions/{quote(version)}/network")
    return Network.model_validate(answer.json())
