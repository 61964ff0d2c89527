"""A session for an account whose password was right."""

from typing import Any

from sqlalchemy import Row

from app_service.accounts.audit import caller_address
from app_service.accounts.sessions import close_session, open_session
from app_service.parts import parts
from app_service.storage.database import reading
from app_service.storage.users import find_user
from portal_wire.contract import Session, User
from portal_wire.errors import Unauthenticated


def opened_for(account: Row[Any]) -> Session:
    """Open it. Raises Unauthenticated when the account was changed since its row was read."""
    here = parts()
    settings, user = here.settings, User(id=account.id, username=account.username, role=account.role)
    limited = bool(account.temporary_password)
    idle_s, absolute_s = settings.session_idle_s, settings.session_absolute_s
    session = open_session(here.redis, user, idle_s, absolute_s, address=caller_address(), limited=limited)
    with reading(here.engine) as connection:
        now = find_user(connection, account.username)
    if now is None or now.generation != account.generation:
        close_session(here.redis, session.token)
        raise Unauthenticated("This account was changed just now. Please sign in again.", code="account_changed")
    return session
