"""Who is at the other end: the opaque token in a cookie of its own, and the name and role to show.

App alone decides what a token may do, at every call. The name and role here only choose what the pages show.
"""

from dataclasses import dataclass
from typing import Literal

from flask import Flask, Response, current_app, request, session

from portal_wire.contract import Session
from portal_wire.http_client import ServiceClient
from ui_service.app_client import AppTier

TOKEN_COOKIE = "__Host-session"  # noqa: S105
Role = Literal["doctor", "admin", "ops"]
_ROLES = ("doctor", "admin", "ops")
HOME = {"doctor": "worklist.page", "admin": "models.page", "ops": "status.page"}  # where each begins
# What open pages ask for while nobody touches them: it must not keep a session from ending idle.
_BY_THEMSELVES = (
    "sign_in.check", "status.page", "status.entrance", "jobs.row", "jobs.answer", "compare.column", "compare.standing",
)  # fmt: skip
_EXTENSION = "app_tier"


@dataclass(frozen=True)
class Person:
    username: str
    role: Role


def connect(app: Flask, client: ServiceClient) -> None:
    """Remember the pooled client that every request's calls to App go through."""
    app.extensions[_EXTENSION] = client


def app_tier() -> AppTier:
    """App, seen with the token and from the address of the present request."""
    client: ServiceClient = current_app.extensions[_EXTENSION]
    by_itself = "HX-Request" in request.headers and request.endpoint in _BY_THEMSELVES
    return AppTier(client, request.cookies.get(TOKEN_COOKIE), request.remote_addr, by_itself=by_itself)


def current_person() -> Person | None:
    """The person of the present request, or None when nobody has signed in."""
    if TOKEN_COOKIE not in request.cookies or session.get("role") not in _ROLES:
        return None
    return Person(str(session.get("username")), session["role"])


def remember(response: Response, opened: Session) -> None:
    """Keep the token where no script can read it, until the session ends."""
    session.clear()
    session["username"], session["role"] = opened.user.username, opened.user.role
    response.set_cookie(
        TOKEN_COOKIE, opened.token, expires=opened.expires_at, path="/", secure=True, httponly=True, samesite="Strict"
    )


def forget(response: Response) -> None:
    """Drop everything that this browser knows of the person."""
    session.clear()
    response.delete_cookie(TOKEN_COOKIE, path="/", secure=True, httponly=True, samesite="Strict")
