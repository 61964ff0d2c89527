"""An admin decides which version of a model answers, which one reads along, and which is out of use."""

from contextlib import suppress

from apiflask import APIBlueprint
from sqlalchemy import Connection

from app_service import ml_client
from app_service.accounts import audit
from app_service.accounts.audit import Action
from app_service.accounts.bearer import ADMIN, bearer, current_user
from app_service.domain.versions import Roles
from app_service.model_figures import with_figures
from app_service.parts import parts
from app_service.routes.bodies import VersionChange
from app_service.storage.database import reading, writing
from app_service.storage.jobs import has_open_jobs
from app_service.storage.version_roles import add_roles, change_roles, roles_to_change
from portal_wire.contract import Model, VersionState
from portal_wire.errors import Conflict, NotFound, PortalError, Unavailable

versions = APIBlueprint("versions", __name__, tag="Models")
_ACTIONS: dict[VersionState, Action] = {
    "active": "activate",
    "shadow": "shadow",
    "available": "make_available",
    "retired": "retire",
}


@versions.patch("/v1/models/<name>/versions/<version>")
@versions.auth_required(bearer, roles=ADMIN)
@versions.input(VersionChange)
@versions.output(Model)
def changed(name: str, version: str, json_data: VersionChange) -> Model:
    """Activate a version, make it the shadow, retire it or make it available again. Jobs that wait keep theirs.

    The same change again does nothing. A version becomes active or shadow only once the ML tier has checked it.
    """
    here, state = parts(), json_data.state
    here.models.ask_again()  # a folder that is new is known at once
    if all(known.version != version for known in here.models.one(name).versions):
        raise NotFound("There is no such version of this model.")
    if state in ("active", "shadow"):
        _load(name, version)
    with writing(here.engine) as connection:
        _change(connection, name, version, json_data)
    here.book.read_again()
    if state == "retired":
        _unload(name, version)
    if state == "available":  # may have been unloaded when it was retired
        with suppress(PortalError):
            ml_client.load(here.ml, name, version)
    return with_figures(here.engine, [here.models.one(name)])[0]


def _change(connection: Connection, name: str, version: str, wanted: VersionChange) -> None:
    roles = roles_to_change(connection, name)
    if wanted.instead_of is not None and roles is not None and roles.active not in (wanted.instead_of, version):
        raise Conflict("Another version has been activated meanwhile. Please look again.", code="changed_meanwhile")
    if roles is None:
        if wanted.state != "active":
            raise Conflict("No version of this model answers yet. Activate one first.", code="no_active_version")
        add_roles(connection, name, Roles(version))
    elif (after := roles.changed(version, wanted.state)) != roles:
        change_roles(connection, name, after)
    else:
        return
    audit.record(connection, _ACTIONS[wanted.state], current_user().id, f"{name}/{version}")


def _load(name: str, version: str) -> None:
    """Raises Conflict for a version that does not pass its checks, Unavailable while the ML tier is away."""
    try:
        ml_client.load(parts().ml, name, version)
    except Unavailable as error:
        if error.code == "model_not_ready":
            raise Conflict(error.detail, code="version_not_fit") from error
        raise


def _unload(name: str, version: str) -> None:
    """Frees its memory unless a job still needs it; without the ML tier that is left to its memory budget."""
    with reading(parts().engine) as connection:
        needed = has_open_jobs(connection, name, version)
    if not needed:
        with suppress(PortalError):
            ml_client.unload(parts().ml, name, version)
