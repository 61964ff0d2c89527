"""A hospital's own directory, asked by OpenID Connect (code flow with PKCE, by Authlib): who somebody is, and what.

App alone speaks with it. The ID token is believed when its signature, issuer, audience, nonce and times are right.
"""

import hashlib
import secrets
import threading
import time
from typing import Any

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from app_service.accounts.directory_settings import Asked, DirectorySettings, Person
from portal_wire.errors import Unauthenticated, Unavailable

_ALGORITHMS = ["RS256", "PS256", "ES256", "RS384", "ES384", "RS512", "ES512"]  # never "none", nor one with our secret
_TIMEOUT_S = 5.0
_KNOWN_S = 600.0  # how long its addresses and keys are taken as they were
_LEEWAY_S = 60  # between clocks


class Directory:
    """One of a process."""

    def __init__(self, settings: DirectorySettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._known: tuple[float, dict[str, Any], KeySet] | None = None

    def ask(self, redirect_uri: str) -> tuple[str, str, Asked]:
        """The address to send a browser to, the state that comes back with it, and what to keep meanwhile."""
        asked = Asked(redirect_uri, secrets.token_urlsafe(32), secrets.token_urlsafe(48))
        metadata, _ = self._metadata()
        address, state = self._session(redirect_uri).create_authorization_url(
            metadata["authorization_endpoint"], nonce=asked.nonce, code_verifier=asked.verifier
        )
        return str(address), str(state), asked

    def person(self, code: str, asked: Asked) -> Person:
        """Who came back with `code`. Raises Unauthenticated for an answer that does not fit, Unavailable for none."""
        try:
            return self._person(code, asked)
        except requests.RequestException:
            raise _away() from None
        except (AuthlibBaseError, JoseError, ValueError, KeyError, TypeError):
            raise Unauthenticated("The directory's answer does not fit. Please sign in again.", code="oidc") from None

    def _person(self, code: str, asked: Asked) -> Person:
        settings, (metadata, keys) = self._settings, self._metadata()
        with self._session(asked.redirect_uri) as session:
            token = session.fetch_token(
                metadata["token_endpoint"], code=code, code_verifier=asked.verifier, timeout=_TIMEOUT_S
            )
        decoded = jwt.decode(token["id_token"], keys, algorithms=_ALGORITHMS)
        wanted = {"iss": {"essential": True, "value": settings.issuer}}
        wanted |= {"aud": {"essential": True, "value": settings.client_id}, "nonce": {"essential": True}}
        facts = {"nonce": asked.nonce, "client_id": settings.client_id, "access_token": token.get("access_token")}
        claims = CodeIDToken(decoded.claims, decoded.header, options=wanted, params=facts)
        claims.validate(leeway=_LEEWAY_S)
        held = claims.get(settings.roles_claim)
        held = [held] if isinstance(held, str) else held if isinstance(held, list) else []
        role = next((role for value, role in settings.roles if value in held), None)
        return Person(_external_id(settings.issuer, str(claims["sub"])), str(claims[settings.name_claim]), role)

    def _session(self, redirect_uri: str) -> Any:
        settings = self._settings
        session = OAuth2Session(
            settings.client_id,
            settings.client_secret,
            scope="openid profile",
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
        )
        session.trust_env = False  # no proxy, no .netrc
        return session

    def _metadata(self) -> tuple[dict[str, Any], KeySet]:
        """Its addresses and keys. Raises Unavailable."""
        with self._lock:
            if self._known is None or self._known[0] < time.monotonic():
                self._known = (time.monotonic() + _KNOWN_S, *self._fetched())
            return self._known[1], self._known[2]

    def _fetched(self) -> tuple[dict[str, Any], KeySet]:
        issuer = self._settings.issuer
        try:
            with requests.Session() as session:
                session.trust_env = False
                metadata = session.get(f"{issuer}/.well-known/openid-configuration", timeout=_TIMEOUT_S).json()
                if str(metadata["issuer"]).rstrip("/") != issuer:
                    raise ValueError
                keys = KeySet.import_key_set(session.get(metadata["jwks_uri"], timeout=_TIMEOUT_S).json())
        except (requests.RequestException, JoseError, ValueError, KeyError, TypeError):
            raise _away() from None
        return metadata, keys


def _external_id(issuer: str, subject: str) -> str:
    return hashlib.sha256(f"{issuer}\n{subject}".encode()).hexdigest()


def _away() -> Unavailable:
    return Unavailable("The hospital's directory does not answer. Please try again shortly.", retry_after_s=10)
