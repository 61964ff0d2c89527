"""One's own second factor: begun, confirmed with a first code, removed."""

from typing import Literal

from apiflask import APIBlueprint
from flask import Response
from pydantic import BaseModel

from app_service.accounts import audit, throttle, totp
from app_service.accounts.bearer import ONESELF, bearer, current_user
from app_service.accounts.passwords import matches, require_good
from app_service.accounts.second_factor import has_factor, uses_up
from app_service.parts import parts
from app_service.routes.bodies import Asked, Otp, Password
from app_service.routes.files import binary
from app_service.storage import second_factors
from app_service.storage.database import reading, writing
from app_service.storage.users import user_by_id
from portal_wire.errors import Conflict, Forbidden, NotFound

second_factor = APIBlueprint("second_factor", __name__, tag="Accounts")
_PATH = "/v1/me/second-factor"


class Factor(BaseModel):
    """`begun` is not asked for yet."""

    state: Literal["none", "begun", "on"]
    recovery_codes_left: int


class PasswordGiven(Asked):
    password: Password


class CodeGiven(Asked):
    otp: Otp


class BothGiven(PasswordGiven, CodeGiven):
    pass


class Secret(BaseModel):
    """For an authenticator app: as an address (the QR code holds it), and to be typed."""

    address: str
    secret: str


class RecoveryCodes(BaseModel):
    """Shown once; each stands in for a code, once."""

    recovery_codes: list[str]


@second_factor.get(_PATH)
@second_factor.auth_required(bearer, roles=ONESELF)
@second_factor.output(Factor)
def shown() -> Factor:
    """Whether the account has one."""
    with reading(parts().engine) as connection:
        factor = second_factors.find_factor(connection, current_user().id)
        left = second_factors.codes_left(connection, current_user().id)
    return Factor(state="none" if factor is None else "on" if factor.confirmed else "begun", recovery_codes_left=left)


@second_factor.post(_PATH)
@second_factor.auth_required(bearer, roles=ONESELF)
@second_factor.input(PasswordGiven)
@second_factor.output(Secret, status_code=201)
def begun(json_data: PasswordGiven) -> tuple[Secret, int, dict[str, str]]:
    """Make a secret. It counts once a first code of it has come."""
    here, user, secret = parts(), current_user(), totp.new_secret()
    _require_password(json_data.password)
    with writing(here.engine) as connection:
        if has_factor(connection, user.id):
            raise Conflict("The account has a second factor. Remove it first.", code="second_factor_there")
        second_factors.begin_factor(connection, user.id, totp.kept(secret, here.settings.account_key))
    throttle.succeed(here.redis, user.username)
    made = Secret(address=totp.address(secret, user.username), secret=totp.typed(secret))
    return made, 201, {"Cache-Control": "no-store"}


@second_factor.get(f"{_PATH}/qr.svg")
@second_factor.auth_required(bearer, roles=ONESELF)
@second_factor.doc(responses=binary("image/svg+xml", "The QR code, as long as the factor is begun."))
def qr() -> Response:
    """The QR code of a factor that is not confirmed yet."""
    here, user = parts(), current_user()
    with reading(here.engine) as connection:
        factor = second_factors.find_factor(connection, user.id)
    if factor is None or factor.confirmed:
        raise NotFound("There is nothing to be read here.")
    text = totp.address(totp.taken(factor.secret, here.settings.account_key), user.username)
    return Response(totp.qr_svg(text), content_type="image/svg+xml", headers={"Cache-Control": "no-store"})


@second_factor.post(f"{_PATH}/confirm")
@second_factor.auth_required(bearer, roles=ONESELF)
@second_factor.input(CodeGiven)
@second_factor.output(RecoveryCodes)
def confirmed(json_data: CodeGiven) -> tuple[RecoveryCodes, int, dict[str, str]]:
    """The first code: from now on one is asked for at every sign-in."""
    here, user, codes = parts(), current_user(), totp.new_recovery_codes()
    throttle.begin_attempt(here.redis, user.username)
    with writing(here.engine) as connection:
        factor = second_factors.find_factor(connection, user.id)
        if factor is None or factor.confirmed:
            raise Conflict("There is no second factor to confirm.", code="nothing_to_confirm")
        if not uses_up(connection, user.id, json_data.otp, here.settings.account_key):
            raise Forbidden("This is not the present code.", code="wrong_otp")
        second_factors.confirm_factor(connection, user.id, [totp.recovery_hash(code) for code in codes])
        audit.record(connection, "add_second_factor", user.id, user.id)
    throttle.succeed(here.redis, user.username)
    return RecoveryCodes(recovery_codes=codes), 200, {"Cache-Control": "no-store"}


@second_factor.post(f"{_PATH}/remove")
@second_factor.auth_required(bearer, roles=ONESELF)
@second_factor.input(BothGiven)
@second_factor.output({}, status_code=204)
def removed(json_data: BothGiven) -> str:
    """Ask for the password alone from now on; it has to be long enough for that."""
    here, user = parts(), current_user()
    _require_password(json_data.password)
    require_good(json_data.password, user.username, second_factor=False)
    with writing(here.engine) as connection:
        if not uses_up(connection, user.id, json_data.otp, here.settings.account_key):
            raise Forbidden("This is not the present code.", code="wrong_otp")
        second_factors.remove_factor(connection, user.id)
        audit.record(connection, "remove_second_factor", user.id, user.id)
    throttle.succeed(here.redis, user.username)
    return ""


def _require_password(password: str) -> None:
    """The caller tells the throttle when all was right: a right password alone does not clear wrong codes."""
    here, user = parts(), current_user()
    throttle.begin_attempt(here.redis, user.username)
    with reading(here.engine) as connection:
        account = user_by_id(connection, user.id)
    if not matches(account.password_hash, password):
        raise Forbidden("The present password is not right.", code="wrong_password")
