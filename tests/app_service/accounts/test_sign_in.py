"""Signing in, guessing passwords, and how sessions end."""

from dataclasses import replace

import pytest
from apiflask import APIFlask
from argon2 import PasswordHasher, extract_parameters
from argon2.profiles import CHEAPEST
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from app_service.accounts import passwords, throttle
from app_service.parts import Parts
from app_service.routes import sessions
from app_service.storage.database import reading
from app_service.storage.records import audit, users
from portal_wire.errors import TooManyRequests
from tests.app_service.conftest import PASSWORD, Caller, sign_in

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def try_password(anyone: Caller, password: str, username: str = "doctor") -> int:
    return anyone.post("/v1/sessions", json={"username": username, "password": password}).status_code


def test_a_session_says_who_it_is_and_when_it_ends(doctor: Caller) -> None:
    answer = doctor.get("/v1/me")
    assert answer.json and (answer.json["username"], answer.json["role"]) == ("doctor", "doctor")


def test_after_signing_out_the_token_is_worthless(doctor: Caller) -> None:
    assert doctor.request("DELETE", "/v1/sessions/current").status_code == 204
    answer = doctor.get("/v1/me")
    assert answer.status_code == 401 and answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp5"}])
def test_without_a_live_token_there_is_only_401(anyone: Caller, header: dict[str, str]) -> None:
    assert anyone.get("/v1/jobs", headers=header).status_code == 401


def test_without_the_services_own_token_nobody_gets_in(app: APIFlask, doctor: Caller) -> None:
    answer = doctor.client.get("/v1/me", headers={"Authorization": doctor.headers["Authorization"]})
    assert answer.status_code == 401 and answer.json and answer.json["code"] == "service_token"


def test_unknown_names_and_wrong_passwords_look_alike(anyone: Caller) -> None:
    wrong = anyone.post("/v1/sessions", json={"username": "doctor", "password": "wrong"}).json or {}
    unknown = anyone.post("/v1/sessions", json={"username": "nobody", "password": "wrong"}).json or {}
    assert {**wrong, "request_id": ""} == {**unknown, "request_id": ""}


def test_the_sixth_wrong_password_in_five_minutes_is_not_even_looked_at(anyone: Caller) -> None:
    assert [try_password(anyone, "wrong") for _ in range(5)] == [401] * 5
    answer = anyone.post("/v1/sessions", json={"username": "Doctor", "password": PASSWORD})
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= throttle.WINDOW_S
    assert try_password(anyone, PASSWORD, "other") == 201


def test_a_right_password_forgets_the_wrong_ones(anyone: Caller) -> None:
    for _ in range(3):
        assert [try_password(anyone, "wrong") for _ in range(3)] == [401] * 3
        assert try_password(anyone, PASSWORD) == 201


def test_who_tries_again_and_again_while_the_database_is_away_gets_in_after_it(
    app: APIFlask, anyone: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise OperationalError(None, None, Exception())

    with monkeypatch.context() as outage:
        outage.setattr("app_service.routes.sessions.find_user", away)
        said = {"username": "doctor", "password": PASSWORD}
        assert {anyone.post("/v1/sessions", json=said).status_code for _ in range(8)} == {503}
    assert sign_in(app, "doctor").get("/v1/me").status_code == 200


def test_a_hash_of_another_cost_is_made_anew_by_the_next_sign_in(
    parts: Parts, anyone: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kept() -> str:
        with reading(parts.engine) as connection:
            return str(connection.execute(select(users.c.password_hash).where(users.c.username == "doctor")).scalar())

    before = kept()
    assert try_password(anyone, PASSWORD) == 201 and kept() == before
    dearer = replace(CHEAPEST, time_cost=2)
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher.from_parameters(dearer))
    assert try_password(anyone, "a wrong password") == 401 and kept() == before
    assert try_password(anyone, PASSWORD) == 201
    assert extract_parameters(kept()) == dearer
    assert try_password(anyone, PASSWORD) == 201 and try_password(anyone, "a wrong password") == 401


@pytest.mark.parametrize(
    "error", [TooManyRequests("Many people are signing in."), OperationalError("", None, OSError())]
)
def test_a_hash_that_cannot_be_made_anew_keeps_nobody_out(
    anyone: Caller, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(*args: object, **options: object) -> str:
        raise error

    monkeypatch.setattr(sessions, "outdated", lambda known: True)
    monkeypatch.setattr(sessions, "hash_password", refuse)
    assert try_password(anyone, PASSWORD) == 201


def test_an_answer_with_a_token_is_kept_by_no_cache(anyone: Caller) -> None:
    answer = anyone.post("/v1/sessions", json={"username": "doctor", "password": PASSWORD})
    assert answer.headers["Cache-Control"] == "no-store"


def test_signing_in_and_out_is_written_down_without_names(app: APIFlask, parts: Parts, anyone: Caller) -> None:
    try_password(anyone, "wrong")
    sign_in(app, "doctor").request("DELETE", "/v1/sessions/current")
    with reading(parts.engine) as connection:
        rows = [tuple(row) for row in connection.execute(select(audit.c.action, audit.c.outcome).order_by(audit.c.id))]
    assert rows == [("sign_in", "refused"), ("sign_in", "done"), ("sign_out", "done")]


def test_many_wrong_passwords_from_one_address_close_it_for_that_address_alone(
    anyone: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "WRONG_ALLOWED_FROM_ADDRESS", 8)

    def attempt(username: str, password: str, address: str) -> int:
        body, whence = {"username": username, "password": password}, {"X-Forwarded-For": address}
        return anyone.post("/v1/sessions", json=body, headers=whence).status_code

    for number in range(8):  # right ones do not count
        assert attempt("doctor", PASSWORD, "10.0.0.1") == 201
        assert attempt(f"somebody {number}", "wrong", "10.0.0.1") == 401
    assert attempt("other", PASSWORD, "10.0.0.1") == 429
    assert attempt("other", PASSWORD, "10.0.0.2") == 201


def test_a_page_that_asks_by_itself_does_not_lengthen_a_session(doctor: Caller, parts: Parts) -> None:
    (key,) = [str(key) for key in parts.redis.keys("lightbox:session:*")]
    parts.redis.expire(key, 5)
    assert doctor.get("/v1/jobs", headers={"X-By-Itself": "1"}).status_code == 200
    assert parts.redis.ttl(key) <= 5
    assert doctor.get("/v1/jobs").status_code == 200
    assert parts.redis.ttl(key) > 5
