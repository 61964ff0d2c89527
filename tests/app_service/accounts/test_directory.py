"""Sign-in by a directory: a real provider on a port of its own (oidc-provider-mock, a double made for tests)."""

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from apiflask import APIFlask
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey
from oidc_provider_mock import User, run_server_in_thread
from sqlalchemy import select
from werkzeug.test import TestResponse

from app_service.accounts.directory import Directory
from app_service.accounts.directory_settings import DirectorySettings
from app_service.parts import Parts
from app_service.settings import Settings
from app_service.storage.database import reading
from app_service.storage.records import audit, users
from app_service.web import create_app
from portal_wire.env import SettingsError
from tests.app_service.conftest import PASSWORD, Caller, sign_in

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
RETURN = "https://portal.test/sign-in/directory/return"
ROLES = (("radiologists", "doctor"), ("it", "ops"))


@pytest.fixture
def provider() -> Iterator[str]:
    people = [
        User(sub="1", claims={"preferred_username": "Grey.Meredith", "groups": ["staff", "radiologists"]}),
        User(sub="2", claims={"preferred_username": "visitor", "groups": ["staff"]}),
        User(sub="3", claims={"preferred_username": "doctor", "groups": ["radiologists"]}),
        User(sub="4", claims={"preferred_username": "no name <b>", "groups": "radiologists"}),
        User(sub="5", claims={"preferred_username": "wilson"}),
    ]
    with run_server_in_thread(user_claims=people, require_nonce=True) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
def directory_app(parts: Parts, settings: Settings, provider: str) -> Iterator[APIFlask]:
    made = create_app(replace(settings, directory=told(provider)))
    yield made
    made.extensions["lightbox"].engine.dispose()


def told(issuer: str, **changed: Any) -> DirectorySettings:
    return replace(DirectorySettings(issuer, "lightbox", "a secret of ours", ROLES), **changed)


def caller(app: APIFlask) -> Caller:
    return Caller(app.test_client(), {"X-Service-Token": "between-services"})


def begin(app: APIFlask) -> dict[str, str]:
    answer = caller(app).post("/v1/directory", json={"redirect_uri": RETURN})
    assert answer.status_code == 201, answer.text
    return dict(answer.json or {})


def at_the_provider(address: str, subject: str) -> dict[str, str]:
    """What the browser brings back: the person signed in there."""
    sent = requests.post(address, data={"sub": subject}, allow_redirects=False, timeout=10)
    assert sent.status_code in (302, 303), sent.text
    assert sent.headers["Location"].startswith(RETURN)
    return {name: values[0] for name, values in parse_qs(urlsplit(sent.headers["Location"]).query).items()}


def finish(app: APIFlask, state: str, code: str) -> TestResponse:
    return caller(app).post("/v1/directory/sessions", json={"state": state, "code": code})


def entered(app: APIFlask, subject: str) -> TestResponse:
    there = begin(app)
    back = at_the_provider(there["address"], subject)
    assert back["state"] == there["state"]
    return finish(app, back["state"], back["code"])


def test_an_account_is_made_at_the_first_sign_in_and_found_at_the_next(directory_app: APIFlask, parts: Parts) -> None:
    first, second = entered(directory_app, "1"), entered(directory_app, "1")
    assert first.status_code == second.status_code == 201 and first.headers["Cache-Control"] == "no-store"
    user = (first.json or {})["user"]
    assert (user["username"], user["role"]) == ("grey.meredith", "doctor") and user == (second.json or {})["user"]
    token = {"Authorization": f"Bearer {(second.json or {})['token']}"}
    assert caller(directory_app).get("/v1/studies", headers=token).status_code == 200
    with reading(parts.engine) as connection:
        row = connection.execute(select(users).where(users.c.id == user["id"])).one()
        acts = [act.action for act in connection.execute(select(audit).where(audit.c.object_id == row.id))]
    assert row.password_hash == "" and not row.temporary_password and acts == ["create_user"]
    for password in ("", PASSWORD, "x"):
        body = {"username": "grey.meredith", "password": password}
        assert caller(directory_app).post("/v1/sessions", json=body).status_code in (401, 422)


@pytest.mark.parametrize("subject", ["2", "3", "4", "5"])
def test_who_has_no_role_or_anothers_name_is_not_let_in(directory_app: APIFlask, parts: Parts, subject: str) -> None:
    with reading(parts.engine) as connection:
        before = connection.execute(select(users).order_by(users.c.id)).all()
    refused = entered(directory_app, subject)
    assert refused.status_code == 401 and (refused.json or {})["code"] == "oidc_no_role"
    with reading(parts.engine) as connection:
        assert connection.execute(select(users).order_by(users.c.id)).all() == before
        last = connection.execute(select(audit).order_by(audit.c.seq.desc())).first()
    assert last is not None and (last.action, last.outcome) == ("sign_in", "refused")


def test_another_role_there_is_another_role_here_and_none_ends_it(
    directory_app: APIFlask, settings: Settings, provider: str, parts: Parts
) -> None:
    first = (entered(directory_app, "1").json or {})["token"]
    other = create_app(replace(settings, directory=told(provider, roles=(("radiologists", "ops"),))))
    assert ((entered(other, "1").json or {})["user"])["role"] == "ops"
    assert caller(other).get("/v1/me", headers={"Authorization": f"Bearer {first}"}).status_code == 401
    none = create_app(replace(settings, directory=told(provider, roles=(("nobody", "ops"),))))
    assert entered(none, "1").status_code == 401
    for app in (other, none):
        app.extensions["lightbox"].engine.dispose()


def test_a_disabled_account_stays_out(directory_app: APIFlask) -> None:
    user = (entered(directory_app, "1").json or {})["user"]
    admin = sign_in(directory_app, "admin")
    assert admin.request("PATCH", f"/v1/users/{user['id']}", json={"disabled": True}).status_code == 200
    assert entered(directory_app, "1").status_code == 401


def test_an_answer_counts_once_and_only_for_its_own_sign_in(directory_app: APIFlask) -> None:
    one, two = begin(directory_app), begin(directory_app)
    back = at_the_provider(one["address"], "1")
    assert finish(directory_app, "made-up", back["code"]).status_code == 401
    assert finish(directory_app, two["state"], back["code"]).status_code == 401  # another's verifier and nonce
    one = begin(directory_app)
    back = at_the_provider(one["address"], "1")
    assert finish(directory_app, one["state"], back["code"]).status_code == 201
    assert finish(directory_app, one["state"], back["code"]).status_code == 401


def test_without_a_directory_there_is_none(app: APIFlask) -> None:
    assert caller(app).post("/v1/directory", json={"redirect_uri": RETURN}).status_code == 404
    assert finish(app, "x", "x").status_code == 404


def test_a_directory_that_is_away_is_said(settings: Settings, parts: Parts) -> None:
    app = create_app(replace(settings, directory=told("http://127.0.0.1:9")))
    answer = caller(app).post("/v1/directory", json={"redirect_uri": RETURN})
    assert answer.status_code == 503 and answer.headers["Retry-After"] == "10"
    app.extensions["lightbox"].engine.dispose()


@pytest.mark.parametrize(
    "fault", ["nothing", "key", "issuer", "audience", "nonce", "expired", "unsigned", "with our secret"]
)
def test_an_id_token_with_any_fault_is_not_believed(
    provider: str, monkeypatch: pytest.MonkeyPatch, fault: str, settings: Settings
) -> None:
    """The provider's own answer, with one thing wrong in its token."""
    there = Directory(told(provider))
    address, _, asked = there.ask(RETURN)
    back = at_the_provider(address, "1")
    key = RSAKey.generate_key(2048, {"kid": "k", "use": "sig", "alg": "RS256"})

    def forge(session: Any, url: str, **options: Any) -> dict[str, Any]:
        token = fetch(session, url, **options)
        claims = _claims(token["id_token"])
        claims |= {
            "issuer": {"iss": "http://localhost:1"},
            "audience": {"aud": "others"},
            "nonce": {"nonce": "x"},
            "expired": {"exp": claims["iat"] - 3600},
        }.get(fault, {})
        signed_by = RSAKey.generate_key(2048, {"kid": "k"}) if fault == "key" else key
        header = {"alg": "RS256", "kid": "k"}
        forged = jwt.encode(header, claims, signed_by)
        if fault == "unsigned":
            forged = re.sub(r"^[^.]+", "eyJhbGciOiJub25lIn0", forged).rpartition(".")[0] + "."
        if fault == "with our secret":
            forged = jwt.encode({"alg": "HS256"}, claims, OctKey.import_key("a secret of ours"))
        return token | {"id_token": forged}

    fetch = OAuth2Session.fetch_token
    monkeypatch.setattr(OAuth2Session, "fetch_token", forge)
    metadata, _ = there._metadata()
    there._known = (float("inf"), metadata, KeySet([key]))
    if fault == "nothing":
        assert there.person(back["code"], asked).username == "Grey.Meredith"
        return
    with pytest.raises(Exception, match="does not fit"):
        there.person(back["code"], asked)


def _claims(token: str) -> dict[str, Any]:
    return dict(json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "==")))


def test_settings_that_are_wrong_stop_the_start(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.delenv("LIGHTBOX_OIDC_ISSUER", raising=False)
    assert DirectorySettings.from_environment() is None
    for name, value in (
        ("ISSUER", "https://d.test/"),
        ("CLIENT_ID", "x"),
        ("CLIENT_SECRET", "hush"),
        ("ROLES", "a=doctor"),
    ):
        monkeypatch.setenv(f"LIGHTBOX_OIDC_{name}", value)
    read = DirectorySettings.from_environment()
    assert read is not None and read.roles == (("a", "doctor"),) and "hush" not in repr(read)
    for wrong in ("", "doctor", "a=service", "=doctor", "a=doctor,b"):
        monkeypatch.setenv("LIGHTBOX_OIDC_ROLES", wrong)
        with pytest.raises(SettingsError, match="LIGHTBOX_OIDC_ROLES"):
            DirectorySettings.from_environment()
