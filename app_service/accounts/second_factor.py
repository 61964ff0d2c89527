"""Whether what somebody types beside the password is the account's present code, or one of its recovery codes."""

import time

from sqlalchemy import Connection

from app_service.accounts import audit, totp
from app_service.storage.second_factors import find_factor, use_recovery_code, use_step
from portal_wire.errors import Conflict

_LONGEST_CODE = 8  # digits; anything longer can only be a recovery code


def has_factor(connection: Connection, user_id: str) -> bool:
    """Whether a code is asked for."""
    factor = find_factor(connection, user_id)
    return factor is not None and bool(factor.confirmed)


def uses_up(connection: Connection, user_id: str, typed: str, key: str) -> bool:
    """Whether it is right; if so it never is again. The caller writes in a transaction."""
    code = "".join(typed.split())
    if len(code) > _LONGEST_CODE:
        used = use_recovery_code(connection, user_id, totp.recovery_hash(code))
        if used:
            audit.record(connection, "use_recovery_code", user_id, user_id)
        return used
    factor = find_factor(connection, user_id)
    if factor is None:
        return False
    try:
        step = totp.step_of(totp.taken(factor.secret, key), code, time.time())
    except totp.Unreadable:
        raise Conflict(
            "The second factor cannot be checked any more. Use a recovery code, or ask an administrator.",
            code="second_factor_unreadable",
        ) from None
    return step is not None and use_step(connection, user_id, step)
