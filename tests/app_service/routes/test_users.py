"""An administrator's changes of accounts: in force at once, written down, and never the last administrator's end."""

import io
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import select
from urllib3.filepost import encode_multipart_formdata

from app_service.accounts.sessions import open_session
from app_service.parts import Parts
from app_service.storage.database import reading
from app_service.storage.records import audit, studies
from tests.app_service.conftest import PASSWORD, Caller, film, sign_in

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
NEW = "a new and longer password"


def accounts(admin: Caller) -> dict[str, dict[str, Any]]:
    return {one["username"]: one for one in (admin.get("/v1/users").json or {})["items"]}


def id_of(admin: Caller, username: str) -> str:
    return str(accounts(admin)[username]["id"])


def create(admin: Caller, username: str, role: str = "doctor") -> dict[str, Any]:
    answer = admin.post("/v1/users", json={"username": username, "role": role})
    assert answer.status_code == 201, answer.text
    return dict(answer.json or {})


def change(admin: Caller, username: str, **changes: Any) -> int:
    return admin.request("PATCH", f"/v1/users/{id_of(admin, username)}", json=changes).status_code


def acts(parts: Parts) -> list[tuple[str, str]]:
    with reading(parts.engine) as connection:
        rows = connection.execute(select(audit.c.action, audit.c.outcome).order_by(audit.c.seq)).all()
    return [(row.action, row.outcome) for row in rows if not row.action.startswith("sign")]


def test_no_answer_holds_a_hash(admin: Caller) -> None:
    assert "argon2" not in admin.get("/v1/users").text
    assert set(accounts(admin)) == {"admin", "doctor", "ops", "other"}


def test_a_new_account_does_nothing_before_it_has_a_password_of_its_own(app: APIFlask, admin: Caller) -> None:
    made = create(admin, "Grey.Meredith")
    assert made["account"]["username"] == "grey.meredith" and len(made["password"]) >= 20
    grey = sign_in(app, "grey.meredith", made["password"])
    refused = grey.get("/v1/studies")
    assert refused.status_code == 403 and (refused.json or {})["code"] == "password_change_needed"
    changed = grey.request("PUT", "/v1/me/password", json={"current": made["password"], "new": NEW})
    assert changed.status_code == 200 and changed.headers["Cache-Control"] == "no-store"
    assert grey.get("/v1/me").status_code == 401
    token = (changed.json or {})["token"]
    assert grey.get("/v1/studies", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    assert not accounts(admin)["grey.meredith"]["temporary_password"]


@pytest.mark.parametrize(
    ("current", "new", "status", "code"),
    [
        ("wrong", NEW, 403, "wrong_password"),
        (PASSWORD, "fourteen chars", 422, "password_too_short"),
        (PASSWORD, "the doctor's password", 422, "password_too_easy"),
        (PASSWORD, "abababababababab", 422, "password_too_easy"),
        (PASSWORD, PASSWORD, 422, "password_unchanged"),
    ],
)
def test_a_password_that_will_not_do(doctor: Caller, current: str, new: str, status: int, code: str) -> None:
    answer = doctor.request("PUT", "/v1/me/password", json={"current": current, "new": new})
    assert (answer.status_code, (answer.json or {})["code"]) == (status, code)
    assert doctor.get("/v1/me").status_code == 200


def test_a_stolen_session_cannot_guess_the_password(doctor: Caller) -> None:
    tries = [doctor.request("PUT", "/v1/me/password", json={"current": "wrong", "new": NEW}) for _ in range(6)]
    assert [one.status_code for one in tries] == [403] * 5 + [429]


@pytest.mark.parametrize("changes", [{"disabled": True}, {"role": "ops"}])
def test_a_change_acts_at_once_on_sessions_and_open_pages(
    app: APIFlask, doctor: Caller, admin: Caller, changes: dict[str, Any]
) -> None:
    chunks = iter(doctor.get("/v1/events", buffered=False).response)
    next(chunks)
    assert change(admin, "doctor", **changes) == 200
    began = time.monotonic()
    heard = b"".join(chunk if isinstance(chunk, bytes) else chunk.encode() for chunk in chunks)  # ends by itself
    assert time.monotonic() - began < 1 and b"event: ended" in heard
    assert doctor.get("/v1/studies").status_code == 401
    assert time.monotonic() - began < 1


def test_a_disabled_account_gets_in_again_only_when_it_is_enabled(admin: Caller, anyone: Caller) -> None:
    body = {"username": "doctor", "password": PASSWORD}
    assert change(admin, "doctor", disabled=True) == 200
    refused = anyone.post("/v1/sessions", json=body)
    assert refused.status_code == 401 and (refused.json or {})["code"] == "wrong_credentials"
    assert change(admin, "doctor", disabled=False) == 200
    assert anyone.post("/v1/sessions", json=body).status_code == 201


def test_a_sign_in_that_a_change_overtakes_comes_to_nothing(
    admin: Caller, anyone: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(*given: Any, **named: Any) -> Any:
        assert change(admin, "doctor", disabled=True) == 200
        return open_session(*given, **named)

    monkeypatch.setattr("app_service.accounts.opening.open_session", overtaken)
    answer = anyone.post("/v1/sessions", json={"username": "doctor", "password": PASSWORD})
    assert answer.status_code == 401 and (answer.json or {})["code"] == "account_changed"


def test_a_forgotten_password_is_replaced_and_the_old_one_is_worthless(
    app: APIFlask, doctor: Caller, admin: Caller, anyone: Caller
) -> None:
    answer = admin.post(f"/v1/users/{id_of(admin, 'doctor')}/password")
    assert answer.status_code == 201 and doctor.get("/v1/me").status_code == 401
    assert anyone.post("/v1/sessions", json={"username": "doctor", "password": PASSWORD}).status_code == 401
    sign_in(app, "doctor", (answer.json or {})["password"])


def test_an_administrator_cannot_shut_itself_out(admin: Caller) -> None:
    assert change(admin, "admin", disabled=True) == change(admin, "admin", role="doctor") == 409
    assert admin.post(f"/v1/users/{id_of(admin, 'admin')}/password").status_code == 409


def test_a_service_has_no_password(admin: Caller, anyone: Caller) -> None:
    made = create(admin, "pacs", "service")
    assert made["password"] is None
    assert anyone.post("/v1/sessions", json={"username": "pacs", "password": "x"}).status_code == 401
    assert admin.post(f"/v1/users/{made['account']['id']}/password").status_code == 409
    assert change(admin, "pacs", role="doctor") == change(admin, "doctor", role="service") == 409


@pytest.mark.parametrize("username", ["", "a b", "<b>", "-x", "x" * 65])
def test_names_are_plain(admin: Caller, username: str) -> None:
    assert admin.post("/v1/users", json={"username": username, "role": "doctor"}).status_code == 422


def test_a_name_is_taken_once_and_nothing_else_can_be_set(admin: Caller) -> None:
    assert admin.post("/v1/users", json={"username": "DOCTOR", "role": "admin"}).status_code == 409
    path = f"/v1/users/{id_of(admin, 'doctor')}"
    assert admin.request("PATCH", path, json={"password_hash": "x"}).status_code == 422


def test_everything_is_written_down(app: APIFlask, admin: Caller, parts: Parts) -> None:
    made = create(admin, "new")
    sign_in(app, "new", made["password"]).request(
        "PUT", "/v1/me/password", json={"current": made["password"], "new": "something that is long"}
    )
    change(admin, "new", role="ops", disabled=True)
    change(admin, "new", disabled=False)
    admin.post(f"/v1/users/{made['account']['id']}/password")
    assert acts(parts) == [
        ("create_user", "doctor"),
        ("change_password", "done"),
        ("change_role", "doctor to ops"),
        ("disable_user", "done"),
        ("enable_user", "done"),
        ("reset_password", "done"),
    ]


def test_accounts_are_changed_only_by_somebody_who_signed_in_just_now(
    admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    doctor = id_of(admin, "doctor")
    monkeypatch.setattr("app_service.accounts.bearer.FRESH_S", -1)
    answers = [admin.post("/v1/users", json={"username": "new", "role": "admin"})]
    answers += [admin.request("PATCH", f"/v1/users/{doctor}", json={"role": "admin"})]
    answers += [
        admin.post(f"/v1/users/{doctor}/password"),
        admin.request("DELETE", f"/v1/users/{doctor}/second-factor"),
    ]
    answers += [admin.post(f"/v1/users/{doctor}/tokens", json={"name": "x", "scopes": ["studies:read"]})]
    assert [(one.status_code, (one.json or {})["code"]) for one in answers] == [(403, "sign_in_again")] * 5
    assert accounts(admin)["doctor"]["role"] == "doctor"


@pytest.mark.parametrize("change_of_account", [{"disabled": True}, {"role": "ops"}])
def test_what_changes_about_an_account_stops_a_film_on_its_way_in(
    doctor: Caller, admin: Caller, parts: Parts, tmp_path: Path, change_of_account: dict[str, Any]
) -> None:
    body, content_type = encode_multipart_formdata([("file", ("film.png", film()))])

    class Slow(io.BytesIO):
        """Half of it comes, then the administrator acts, then comes the rest."""

        def readinto(self, buffer: Any) -> int:
            if self.tell():  # in a thread, as another request would be
                acting = threading.Thread(target=change, args=(admin, "doctor"), kwargs=change_of_account)
                acting.start()
                acting.join()
            half = self.read(len(body) // 2 + 1)
            buffer[: len(half)] = half
            return len(half)

    answer = doctor.post("/v1/studies", input_stream=Slow(body), content_type=content_type)
    assert (answer.status_code, (answer.json or {})["code"]) == (401, "no_session")
    with reading(parts.engine) as connection:
        assert connection.execute(select(studies)).all() == []
    assert [path for path in (tmp_path / "objects").rglob("*") if path.is_file()] == []
