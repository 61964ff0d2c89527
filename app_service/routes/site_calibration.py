"""A site's own calibration of a version: an admin fits it from reviewed answers, puts it in force, takes it back."""

from apiflask import APIBlueprint

from app_service import site_fits
from app_service.accounts import audit
from app_service.accounts.audit import Action
from app_service.accounts.bearer import ADMIN, bearer, current_user
from app_service.parts import parts
from app_service.routes.bodies import CalibrationChoice, SiteFit, SiteState
from app_service.storage.database import reading, writing
from app_service.storage.site_calibrations import add_fit, list_fits, put_in_force
from portal_wire.contract import Model
from portal_wire.errors import NotFound

site_calibration = APIBlueprint("site_calibration", __name__, tag="Models")
_PATH = "/v1/models/<name>/versions/<version>/site-calibration"


@site_calibration.get(_PATH)
@site_calibration.auth_required(bearer)
@site_calibration.output(SiteState)
def shown(name: str, version: str) -> SiteState:
    """What a version's site calibration stands on: reviewed cases, the fits made so far, and which one is in force."""
    return _state(_known(name, version), version)


@site_calibration.post(_PATH)
@site_calibration.auth_required(bearer, roles=ADMIN)
@site_calibration.output(SiteState, status_code=201)
def fitted(name: str, version: str) -> SiteState:
    """Fit the version to this site from reviewed answers; it is not in force before it is chosen.

    With too few cases there is no fit, and the answer says how many there are and how many are needed.
    """
    here, model, user = parts(), _known(name, version), current_user()
    with reading(here.engine) as connection:
        gathered = site_fits.gather(connection, model, version)
    fit = site_fits.fit(here.ml, name, version, gathered)
    with writing(here.engine) as connection:
        add_fit(connection, name, version, "reviews", fit, user.username)
        audit.record(connection, "fit_calibration", user.id, f"{name}/{version}")
    return _state(model, version)


@site_calibration.put(_PATH)
@site_calibration.auth_required(bearer, roles=ADMIN)
@site_calibration.input(CalibrationChoice)
@site_calibration.output(SiteState)
def chosen(name: str, version: str, json_data: CalibrationChoice) -> SiteState:
    """Put a fit in force, or with null go back to the shipped values. Answers that were given stay as they were."""
    model, fit_id = _known(name, version), str(json_data.in_force) if json_data.in_force else None
    with writing(parts().engine) as connection:
        if put_in_force(connection, name, version, fit_id):
            action: Action = "use_calibration" if fit_id else "use_shipped_values"
            audit.record(connection, action, current_user().id, fit_id or f"{name}/{version}")
    return _state(model, version)


def _known(name: str, version: str) -> Model:
    model = parts().models.one(name)
    if all(known.version != version for known in model.versions):
        raise NotFound("There is no such version of this model.")
    return model


def _state(model: Model, version: str) -> SiteState:
    with reading(parts().engine) as connection:
        gathered = site_fits.gather(connection, model, version)
        rows = list_fits(connection, model.name, version)
    fits = [SiteFit.model_validate(dict(row._mapping) | {"in_force": row.active}) for row in rows]
    return SiteState(reviewed=gathered.by_class(model), left_out=gathered.left_out, fits=fits)
