"""API tokens: less than their account may do, until a day, kept as hashes, dead at once when revoked."""

import time
from datetime import timedelta
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import select

from app_service.parts import Parts
from app_service.storage.clock import now
from app_service.storage.database import reading, writing
from app_service.storage.records import api_tokens, audit
from tests.app_service.conftest import Caller, sign_in

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def make(caller: Caller, *scopes: str, path: str = "/v1/me/tokens", **more: Any) -> tuple[Caller, dict[str, Any]]:
    """A caller with a new token, and what is told of the token."""
    answer = caller.post(path, json={"name": "script", "scopes": list(scopes), **more})
    assert answer.status_code == 201, answer.text
    told = dict(answer.json or {})
    headers = caller.headers | {"Authorization": f"Bearer {told['secret']}"}
    return Caller(caller.client, headers), dict(told["token"])


def service(admin: Caller, *scopes: str) -> tuple[Caller, str]:
    """A service with its token, and its account's id."""
    made = admin.post("/v1/users", json={"username": "pacs", "role": "service"}).json or {}
    user_id = str(made["account"]["id"])
    return make(admin, *scopes, path=f"/v1/users/{user_id}/tokens")[0], user_id


def test_a_token_does_what_its_scopes_say(doctor: Caller) -> None:
    job = doctor.upload_one()
    reader, _ = make(doctor, "studies:read")
    assert reader.get("/v1/studies").status_code == reader.get(f"/v1/jobs/{job['id']}").status_code == 200
    refused = reader.request("DELETE", f"/v1/studies/{job['study_id']}")
    assert refused.status_code == 403 and (refused.json or {})["code"] == "scope"
    assert reader.upload((b"x", "x.png")).status_code == 403
    writer, _ = make(doctor, "studies:write")
    assert writer.upload_one(1)["state"] == "queued"
    assert writer.get("/v1/studies").status_code == 403
    assert reader.post("/v1/archive", json={"job_ids": [job["id"]]}).status_code == 409  # it may ask; nothing is ready


def test_no_token_reaches_accounts_passwords_or_other_tokens(doctor: Caller, admin: Caller) -> None:
    tokens = [make(doctor, "studies:read", "studies:write")[0], make(admin, "status:read")[0]]
    tokens.append(service(admin, "studies:read", "studies:write", "status:read")[0])
    for token in tokens:
        assert token.get("/v1/me").status_code == 200
        for method, path in (
            *(("GET", "/v1/users"), ("POST", "/v1/users"), ("GET", "/v1/audit"), ("PUT", "/v1/me/password")),
            *(("GET", "/v1/me/tokens"), ("POST", "/v1/me/tokens"), ("GET", "/v1/me/sessions")),
            *(("POST", "/v1/me/second-factor"), ("DELETE", "/v1/sessions/current")),
        ):
            assert token.request(method, path, json={}).status_code == 403, (method, path)


def test_the_status_is_for_those_who_keep_the_portal_running(ops: Caller, doctor: Caller) -> None:
    watcher, _ = make(ops, "status:read")
    assert watcher.get("/v1/status").status_code == 200
    assert doctor.post("/v1/me/tokens", json={"name": "x", "scopes": ["status:read"]}).status_code == 422
    assert ops.post("/v1/me/tokens", json={"name": "x", "scopes": ["studies:read"]}).status_code == 422


def test_a_service_owns_what_it_uploads_and_sees_nothing_else(doctor: Caller, admin: Caller) -> None:
    study = doctor.upload_one()["study_id"]
    pacs, _ = service(admin, "studies:read", "studies:write")
    own = pacs.upload_one(1)["study_id"]
    assert [one["id"] for one in (pacs.get("/v1/studies").json or {})["items"]] == [own]
    assert pacs.get(f"/v1/studies/{study}").status_code == 404
    assert doctor.get(f"/v1/studies/{own}").status_code == 404


def test_an_administrator_makes_tokens_for_services_only(admin: Caller, doctor: Caller) -> None:
    (account,) = [one for one in (admin.get("/v1/users").json or {})["items"] if one["username"] == "doctor"]
    body = {"name": "spy", "scopes": ["studies:read"]}
    assert admin.post(f"/v1/users/{account['id']}/tokens", json=body).status_code == 409
    token, told = make(doctor, "studies:read")
    assert admin.request("DELETE", f"/v1/users/{account['id']}/tokens/{told['id']}").status_code == 204
    assert token.get("/v1/me").status_code == 401


def test_a_token_is_kept_as_a_hash_and_shown_once(doctor: Caller, parts: Parts) -> None:
    token, told = make(doctor, "studies:read")
    secret = token.headers["Authorization"].removeprefix("Bearer ")
    assert secret.startswith("lbx_") and len(secret) > 43
    assert secret not in doctor.get("/v1/me/tokens").text
    with reading(parts.engine) as connection:
        assert secret not in str(connection.execute(select(api_tokens)).all())
    assert told["last_used_at"] is None


def test_the_last_use_is_told(doctor: Caller) -> None:
    token, _ = make(doctor, "studies:read")
    token.get("/v1/studies")
    (told,) = (doctor.get("/v1/me/tokens").json or {})["items"]
    assert told["last_used_at"] is not None


def test_a_token_ends_on_its_day(doctor: Caller, parts: Parts) -> None:
    token, told = make(doctor, "studies:read", days=1)
    assert token.get("/v1/studies").status_code == 200
    with writing(parts.engine) as connection:
        connection.execute(api_tokens.update().values(expires_at=now() - timedelta(seconds=1)))
    assert token.get("/v1/studies").status_code == 401
    assert [one["id"] for one in (doctor.get("/v1/me/tokens").json or {})["items"]] == [told["id"]]
    assert doctor.post("/v1/me/tokens", json={"name": "x", "scopes": ["studies:read"], "days": 367}).status_code == 422


def test_a_revoked_token_is_dead_at_once_with_its_open_pages(app: APIFlask, doctor: Caller) -> None:
    token, told = make(doctor, "studies:read")
    chunks = iter(token.get("/v1/events", buffered=False).response)
    next(chunks)
    assert doctor.request("DELETE", f"/v1/me/tokens/{told['id']}").status_code == 204
    began = time.monotonic()
    for _ in chunks:
        assert time.monotonic() - began < 1
    assert token.get("/v1/studies").status_code == 401
    assert doctor.request("DELETE", f"/v1/me/tokens/{told['id']}").status_code == 404


def test_nobody_revokes_anothers(doctor: Caller, other: Caller) -> None:
    token, told = make(doctor, "studies:read")
    assert other.request("DELETE", f"/v1/me/tokens/{told['id']}").status_code == 404
    assert token.get("/v1/studies").status_code == 200


def test_a_disabled_service_is_out_at_once(admin: Caller) -> None:
    pacs, user_id = service(admin, "studies:read")
    assert pacs.get("/v1/studies").status_code == 200
    admin.request("PATCH", f"/v1/users/{user_id}", json={"disabled": True})
    assert pacs.get("/v1/studies").status_code == 401


def test_a_token_loses_what_its_account_loses(doctor: Caller, admin: Caller) -> None:
    token, _ = make(doctor, "studies:read")
    (account,) = [one for one in (admin.get("/v1/users").json or {})["items"] if one["username"] == "doctor"]
    admin.request("PATCH", f"/v1/users/{account['id']}", json={"role": "ops"})
    assert token.get("/v1/studies").status_code == 403


def test_what_a_token_does_is_written_down_as_its_own(doctor: Caller, parts: Parts) -> None:
    token, told = make(doctor, "studies:read", "studies:write")
    token.upload_one()
    doctor.request("DELETE", f"/v1/me/tokens/{told['id']}")
    with reading(parts.engine) as connection:
        rows = connection.execute(select(audit.c.action, audit.c.object_id, audit.c.session_id).order_by(audit.c.seq))
        acts = [tuple(row) for row in rows if row.action != "sign_in"]
    assert [row[0] for row in acts] == ["create_token", "upload", "revoke_token"]
    assert acts[0][1] == acts[1][2] == acts[2][1] == told["id"]


def test_sessions_are_listed_and_ended_one_by_one(app: APIFlask, doctor: Caller, admin: Caller) -> None:
    second = sign_in(app, "doctor")
    listed = (doctor.get("/v1/me/sessions").json or {})["items"]
    assert [one["current"] for one in listed] == [False, True]
    assert doctor.request("DELETE", f"/v1/me/sessions/{listed[0]['id']}").status_code == 204
    assert second.get("/v1/me").status_code == 401 and doctor.get("/v1/me").status_code == 200
    (account,) = [one for one in (admin.get("/v1/users").json or {})["items"] if one["username"] == "doctor"]
    seen = (admin.get(f"/v1/users/{account['id']}/sessions").json or {})["items"]
    assert [one["id"] for one in seen] == [listed[1]["id"]] and not seen[0]["current"]
    assert admin.request("DELETE", f"/v1/users/{account['id']}/sessions/{listed[1]['id']}").status_code == 204
    assert doctor.get("/v1/me").status_code == 401
    assert admin.request("DELETE", f"/v1/users/{account['id']}/sessions/{listed[1]['id']}").status_code == 404
