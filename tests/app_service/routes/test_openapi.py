"""The OpenAPI document is valid, and the answers are as it says."""

import re
from typing import Any

import pytest
from dramatiq import Worker
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from werkzeug.test import TestResponse

from tests.app_service.conftest import PASSWORD, Caller, film, wait_until

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def document(anyone: Caller) -> dict[str, Any]:
    return dict(anyone.get("/v1/openapi.json").json or {})


def check(document: dict[str, Any], path: str, method: str, answer: TestResponse) -> None:
    """The answer has a documented status, and the shape that the document gives it."""
    responses = document["paths"][path][method]["responses"]
    described = responses.get(str(answer.status_code), responses["default"])
    schema = described["content"][answer.mimetype]["schema"]
    Draft202012Validator({**schema, "components": document["components"]}).validate(answer.json)


def test_the_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    validate(document)
    assert document["openapi"].startswith("3.1")
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    assert len(operations) >= 24 and all(operation.get("summary") for operation in operations)
    assert not {"/healthz", "/metrics"} & set(document["paths"])


def test_the_answers_are_as_documented(document: dict[str, Any], doctor: Caller, admin: Caller, worker: Worker) -> None:
    check(document, "/v1/status", "get", admin.get("/v1/status"))
    uploaded = doctor.upload((film(), "film.png"), (b"", "bad.png"))
    check(document, "/v1/studies", "post", uploaded)
    study, job = uploaded.json["studies"][0]["id"], uploaded.json["jobs"][0]["id"]  # type: ignore[index]
    wait_until(lambda: doctor.job(job)["state"] == "succeeded")
    for path in ("/v1/me", "/v1/studies", "/v1/jobs", "/v1/models", "/v1/models/{name}", "/v1/limits"):
        check(document, path, "get", doctor.get(path.replace("{name}", "pneumonia")))
    network = doctor.get("/v1/models/pneumonia/versions/1/network")
    check(document, "/v1/models/{name}/versions/{version}/network", "get", network)
    path = "/v1/models/{name}/versions/{version}/site-calibration"
    check(document, path, "get", doctor.get("/v1/models/pneumonia/versions/1/site-calibration"))
    check(document, "/v1/studies/{study_id}", "get", doctor.get(f"/v1/studies/{study}"))
    doctor.get(f"/v1/studies/{study}/image")
    check(document, "/v1/studies/{study_id}/openings", "get", doctor.get(f"/v1/studies/{study}/openings"))
    check(document, "/v1/audit", "get", admin.get("/v1/audit"))
    check(document, "/v1/jobs/{job_id}", "get", doctor.get(f"/v1/jobs/{job}"))
    started = doctor.post(f"/v1/studies/{study}/jobs", json={"model": "pneumonia"})
    check(document, "/v1/studies/{study_id}/jobs", "post", started)
    reviewed = doctor.request("PUT", f"/v1/jobs/{job}/review", json={"verdict": "unsure"})
    check(document, "/v1/jobs/{job_id}/review", "put", reviewed)


def test_errors_are_as_documented(document: dict[str, Any], doctor: Caller, anyone: Caller) -> None:
    check(document, "/v1/studies", "post", doctor.upload((b"", "bad.png")))
    check(document, "/v1/jobs", "get", anyone.get("/v1/jobs"))
    check(document, "/v1/jobs", "get", doctor.get("/v1/jobs?limit=x"))
    check(document, "/v1/sessions", "post", anyone.post("/v1/sessions", json={}))


def test_a_change_of_a_version_is_as_documented(document: dict[str, Any], doctor: Caller, admin: Caller) -> None:
    path, address = "/v1/models/{name}/versions/{version}", "/v1/models/pneumonia/versions/1"
    for caller, state, status in ((admin, "active", 200), (admin, "retired", 409), (doctor, "active", 403)):
        answer = caller.request("PATCH", address, json={"state": state})
        assert answer.status_code == status
        check(document, path, "patch", answer)


def test_the_page_shows_every_path_and_runs_no_script(document: dict[str, Any], anyone: Caller) -> None:
    page = anyone.get("/v1/docs").text
    assert all(path in page for path in document["paths"])
    assert not re.search(r"<script|style=|\son\w+=|https?://", page)


def test_accounts_tokens_sessions_are_as_documented(document: dict[str, Any], doctor: Caller, admin: Caller) -> None:
    made = admin.post("/v1/users", json={"username": "pacs", "role": "service"})
    check(document, "/v1/users", "post", made)
    check(document, "/v1/users", "get", admin.get("/v1/users"))
    user = made.json["account"]["id"]  # type: ignore[index]
    check(document, "/v1/users/{user_id}", "patch", admin.request("PATCH", f"/v1/users/{user}", json={}))
    check(document, "/v1/users/{user_id}/password", "post", admin.post(f"/v1/users/{user}/password"))
    for kind in ("tokens", "sessions"):
        check(document, f"/v1/me/{kind}", "get", doctor.get(f"/v1/me/{kind}"))
        check(document, f"/v1/users/{{user_id}}/{kind}", "get", admin.get(f"/v1/users/{user}/{kind}"))
    wanted = {"name": "x", "scopes": ["studies:read"]}
    check(document, "/v1/me/tokens", "post", doctor.post("/v1/me/tokens", json=wanted))
    check(document, "/v1/me/second-factor", "get", doctor.get("/v1/me/second-factor"))
    begun = doctor.post("/v1/me/second-factor", json={"password": PASSWORD})
    check(document, "/v1/me/second-factor", "post", begun)
