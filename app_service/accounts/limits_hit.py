"""Limits that somebody ran into, in the audit: once in five minutes for each limit and person, and of those who are
not signed in at most twenty rows from one address, whatever names they try.

Whoever goes on all the same writes no row a request, so that the trail is not flooded by the very thing it tells of.
"""

import hashlib
import logging

import redis
from flask import g, request
from sqlalchemy.exc import SQLAlchemyError

from app_service.accounts import audit
from app_service.parts import parts
from app_service.storage.database import writing
from app_service.storage.users import find_user
from portal_wire.errors import PortalError, TooManyRequests, Unavailable

ONCE_IN_S, MOST_OF_STRANGERS = 300, 20
_LOG = logging.getLogger("lightbox.audit")


def note(error: TooManyRequests) -> None:
    """Of the request that is being answered. `g.tried_name` is the name that somebody wanted to sign in with.

    The answer goes out in any case: a refusal needs no row to be safe.
    """
    try:
        _note(error)
    except (redis.RedisError, SQLAlchemyError, Unavailable) as fault:
        _LOG.error("not_audited", extra={"facts": {"of": error.code, "error": type(fault).__name__}})


def _note(error: PortalError) -> None:
    here, caller, tried = parts(), g.get("caller"), g.get("tried_name")
    whom = caller.user.id if caller else tried or audit.caller_address()
    mark = hashlib.sha256(f"{error.code} {request.endpoint} {whom}".casefold().encode()).hexdigest()
    if not here.redis.set(f"lightbox:limited:{mark}", "1", nx=True, ex=ONCE_IN_S):
        return
    if caller is None and _from_there(here.redis) > MOST_OF_STRANGERS:
        return
    with writing(here.engine) as connection:
        account = find_user(connection, tried) if tried else None
        actor = caller.user if caller else account
        audit.record(
            connection, "limited", actor.id if actor else None, request.endpoint, error.code, role=actor and actor.role
        )


def _from_there(client: redis.Redis) -> int:
    """How many limits strangers at this address have run into since five minutes."""
    key = f"lightbox:limited:from:{hashlib.sha256(str(audit.caller_address()).encode()).hexdigest()}"
    told = client.pipeline()
    told.incr(key)
    told.expire(key, ONCE_IN_S, nx=True)
    return int(told.execute()[0])
