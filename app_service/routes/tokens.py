"""API tokens: one's own, and for an administrator those of services."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from apiflask import APIBlueprint
from pydantic import BaseModel, Field, StringConstraints
from sqlalchemy import Row

from app_service.accounts import audit
from app_service.accounts.api_tokens import OFFERED, Scope, new_token, token_hash
from app_service.accounts.bearer import ADMIN, ONESELF, bearer, current_user, require_fresh
from app_service.parts import parts
from app_service.routes.bodies import Asked
from app_service.storage.api_tokens import add_token, remove_token, tokens_of
from app_service.storage.clock import now
from app_service.storage.database import reading, writing
from app_service.storage.events import rouse
from app_service.storage.users import user_by_id
from portal_wire.errors import Conflict, Unprocessable

tokens = APIBlueprint("tokens", __name__, tag="Accounts")
MOST_TOKENS = 20  # of an account


class TokenWanted(Asked):
    """`days` until it ends."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=64, strip_whitespace=True)]
    scopes: list[Scope] = Field(min_length=1, max_length=3)
    days: int = Field(default=90, ge=1, le=366)


class Token(BaseModel):
    """`last_used_at` is true to a minute."""

    id: str
    name: str
    scopes: list[str]
    created_at: datetime
    created_by: str
    expires_at: datetime
    last_used_at: datetime | None


class Tokens(BaseModel):
    """`offered` are the scopes that a token of this account may have."""

    items: list[Token]
    offered: list[str]


class NewToken(BaseModel):
    """`secret` is shown once, and kept nowhere."""

    token: Token
    secret: str


@tokens.get("/v1/me/tokens")
@tokens.auth_required(bearer, roles=ONESELF)
@tokens.output(Tokens)
def own() -> Tokens:
    """One's own."""
    return _listed(current_user().id)


@tokens.post("/v1/me/tokens")
@tokens.auth_required(bearer, roles=ONESELF)
@tokens.input(TokenWanted)
@tokens.output(NewToken, status_code=201)
def made(json_data: TokenWanted) -> tuple[NewToken, int, dict[str, str]]:
    """Make one for oneself."""
    return _made(current_user().id, json_data)


@tokens.delete("/v1/me/tokens/<uuid:token_id>")
@tokens.auth_required(bearer, roles=ONESELF)
@tokens.output({}, status_code=204)
def revoked(token_id: UUID) -> str:
    """Revoke one's own."""
    return _revoked(current_user().id, str(token_id))


@tokens.get("/v1/users/<uuid:user_id>/tokens")
@tokens.auth_required(bearer, roles=ADMIN)
@tokens.output(Tokens)
def of_user(user_id: UUID) -> Tokens:
    """An account's."""
    return _listed(str(user_id))


@tokens.post("/v1/users/<uuid:user_id>/tokens")
@tokens.auth_required(bearer, roles=ADMIN)
@tokens.input(TokenWanted)
@tokens.output(NewToken, status_code=201)
def made_for_service(user_id: UUID, json_data: TokenWanted) -> tuple[NewToken, int, dict[str, str]]:
    """Make one for a service. People make their own: nobody gets to images by another's account."""
    require_fresh()
    with reading(parts().engine) as connection:
        if user_by_id(connection, str(user_id)).role != "service":
            raise Conflict("People make their tokens themselves.", code="not_a_service")
    return _made(str(user_id), json_data)


@tokens.delete("/v1/users/<uuid:user_id>/tokens/<uuid:token_id>")
@tokens.auth_required(bearer, roles=ADMIN)
@tokens.output({}, status_code=204)
def revoked_of_user(user_id: UUID, token_id: UUID) -> str:
    """Revoke anybody's."""
    return _revoked(str(user_id), str(token_id))


def _listed(user_id: str) -> Tokens:
    with reading(parts().engine) as connection:
        role, rows = user_by_id(connection, user_id).role, tokens_of(connection, user_id)
    return Tokens(items=[_token(row) for row in rows], offered=list(OFFERED[role]))


def _made(user_id: str, wanted: TokenWanted) -> tuple[NewToken, int, dict[str, str]]:
    secret, ends = new_token(), now() + timedelta(days=wanted.days)
    scopes: list[str] = sorted(set(wanted.scopes))
    with writing(parts().engine) as connection:
        account = user_by_id(connection, user_id)
        if not set(scopes) <= set(OFFERED[account.role]):
            raise Unprocessable("A token of this account cannot have these scopes.", code="scope_not_offered")
        if len(tokens_of(connection, user_id)) >= MOST_TOKENS:
            raise Conflict(f"An account has {MOST_TOKENS} tokens at most.", code="too_many_tokens")
        row = add_token(connection, user_id, wanted.name, scopes, ends, current_user().username, token_hash(secret))
        audit.record(connection, "create_token", current_user().id, row.id)
    return NewToken(token=_token(row), secret=secret), 201, {"Cache-Control": "no-store"}


def _revoked(user_id: str, token_id: str) -> str:
    with writing(parts().engine) as connection:
        remove_token(connection, user_id, token_id)
        audit.record(connection, "revoke_token", current_user().id, token_id)
    rouse(parts().redis, user_id)
    return ""


def _token(row: Row[str]) -> Token:
    return Token(**{name: row._mapping[name] for name in Token.model_fields})
