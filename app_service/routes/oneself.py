"""What anybody who signed in may do about the own account."""

from apiflask import APIBlueprint

from app_service.accounts import audit, throttle
from app_service.accounts.bearer import ONESELF, bearer, current_user
from app_service.accounts.opening import opened_for
from app_service.accounts.passwords import hash_password, matches, require_good
from app_service.accounts.second_factor import has_factor
from app_service.accounts.sessions import close_sessions
from app_service.parts import parts
from app_service.routes.bodies import Asked, Password
from app_service.storage.database import reading, writing
from app_service.storage.users import change_user, user_by_id
from portal_wire.contract import Session
from portal_wire.errors import Forbidden, Unprocessable

oneself = APIBlueprint("oneself", __name__, tag="Accounts")


class PasswordChange(Asked):
    current: Password
    new: Password


@oneself.put("/v1/me/password")
@oneself.auth_required(bearer, roles=ONESELF)
@oneself.input(PasswordChange)
@oneself.output(Session)
def password_changed(json_data: PasswordChange) -> tuple[Session, int, dict[str, str]]:
    """Choose another password. Every session of the account ends; the answer is a new one."""
    here, user, asked = parts(), current_user(), json_data
    throttle.begin_attempt(here.redis, user.username)
    with reading(here.engine) as connection:
        account, two = user_by_id(connection, user.id), has_factor(connection, user.id)
    if not matches(account.password_hash, asked.current):
        raise Forbidden("The present password is not right.", code="wrong_password")
    if not two:  # else it would clear wrong codes
        throttle.succeed(here.redis, user.username)
    require_good(asked.new, user.username, second_factor=two)
    if asked.new == asked.current:
        raise Unprocessable("The new password is the present one.", code="password_unchanged")
    hashed = hash_password(asked.new)
    with writing(here.engine) as connection:
        change_user(connection, user.id, password_hash=hashed, temporary_password=False)
        audit.record(connection, "change_password", user.id, user.id)
        account = user_by_id(connection, user.id)
    close_sessions(here.redis, user.id)
    return opened_for(account), 200, {"Cache-Control": "no-store"}
