"""Two doctors and every place where an id is taken: with the other's id each is told what an unknown id is told.

IDOR, by the URL map and the OpenAPI document: in addresses, in bodies, in queries and in headers.
"""

import json
from typing import Any
from uuid import uuid4

import pytest
from apiflask import APIFlask
from dramatiq import Worker

from app_service.accounts.throttle import UNKNOWN_ALLOWED
from app_service.parts import Parts
from tests.app_service.conftest import Caller, film, sign_in, wait_until
from tests.app_service.fake_ml import FakeMl
from tests.app_service.routes.access_table import ACCESS
from tests.app_service.routes.test_access import NOBODYS, address, body_of, by_rule
from tests.app_service.routes.test_tokens import make

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
# A user_id is an administrator's matter: test_access.py.
IDS = ("study_id", "job_id", "share_id", "token_id", "session_id")
FOR_OTHERS = ("/v1/studies/<uuid:study_id>/emergency",)  # meant for another's: test_sharing.py
BODIES_WITH_IDS = {
    "PUT /v1/jobs/<job_id>/correction",
    "POST /v1/jobs",
    "POST /v1/archive",
    "PUT /v1/models/<name>/versions/<version>/site-calibration",
}


@pytest.fixture
def mine(doctor: Caller, worker: Worker, ml: FakeMl) -> dict[str, str]:
    """The doctor's: a study with a finished job, a token, a session."""
    ml.heatmap = film(9, 16, 16)
    job = doctor.upload_one()
    wait_until(lambda: doctor.job(job["id"])["state"] == "succeeded", 60)
    session = (doctor.get("/v1/me/sessions").json or {})["items"][0]["id"]
    token = make(doctor, "studies:read")[1]["id"]
    share = (doctor.post(f"/v1/studies/{job['study_id']}/shares", json={}).json or {})["share"]["id"]
    ids = {"study_id": job["study_id"], "job_id": job["id"], "share_id": share}
    return ids | {"token_id": token, "session_id": session}


def told(caller: Caller, method: str, path: str, **options: Any) -> tuple[int, Any]:
    """Status and body without what differs from request to request."""
    answer = caller.request(method, path, **options)
    body = {name: value for name, value in (answer.json or {}).items() if name != "request_id"}
    return answer.status_code, body


def test_anothers_id_in_an_address_is_as_unknown_as_one_that_never_was(
    app: APIFlask, doctor: Caller, other: Caller, mine: dict[str, str]
) -> None:
    tried = 0
    nobodys, files = dict.fromkeys(IDS, NOBODYS), {"name": "heatmap.png"}
    for rule, methods in by_rule(app):
        if not any(f":{name}>" in rule for name in IDS) or "user_id" in rule or rule in FOR_OTHERS:
            continue
        for method in methods - {"HEAD"}:
            tried += 1
            row = ACCESS[f"{method} {rule}"]
            came = told(other, method, address(rule, mine | files), json=body_of(row, mine))
            assert came[0] == 404, (method, rule, came)
            never = told(other, method, address(rule, nobodys | files), json=body_of(row, nobodys))
            assert came == never, (method, rule)
    assert tried >= 15
    assert doctor.job(mine["job_id"])["state"] == "succeeded"
    assert doctor.get("/v1/me/tokens").json["items"] and doctor.get("/v1/me/sessions").json["items"]  # type: ignore[index]


def test_every_id_that_a_body_or_a_query_takes_is_tried_here(app: APIFlask) -> None:
    """So that a new one is thought of: the tests below try these."""
    spec = app.spec
    bodies, queries = set(), set()
    for path, item in spec["paths"].items():
        for method, operation in item.items():
            schema = json.dumps(resolved(operation.get("requestBody", {}), spec))
            label = f"{method.upper()} {path.replace('{', '<').replace('}', '>')}"
            if '"uuid"' in schema:
                bodies.add(label)
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "query" and ("uuid" in json.dumps(parameter) or parameter["name"].endswith("id")):
                    queries.add(f"{label} {parameter['name']}")
    assert bodies == BODIES_WITH_IDS
    known = {"GET /v1/jobs cursor", "GET /v1/jobs study_id", "GET /v1/studies cursor", "GET /v1/models study_id"}
    assert queries == known


def resolved(schema: Any, spec: dict[str, Any]) -> Any:
    """With each reference replaced by what it names."""
    if isinstance(schema, list):
        return [resolved(one, spec) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return resolved(spec["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]], spec)
    return {name: resolved(value, spec) for name, value in schema.items()}


@pytest.mark.parametrize(
    "path, body",
    [
        ("/v1/jobs", lambda ids: {"study_ids": [ids["study_id"]], "models": ["pneumonia"]}),
        ("/v1/archive", lambda ids: {"job_ids": [ids["job_id"]]}),
    ],
)
def test_anothers_id_in_a_body_is_unknown_even_among_ones_own(
    app: APIFlask, other: Caller, mine: dict[str, str], path: str, body: Any
) -> None:
    own = other.upload_one(1)
    wait_until(lambda: other.job(own["id"])["state"] == "succeeded", 60)
    before = other.get("/v1/jobs").json
    mixed = body({"study_id": own["study_id"], "job_id": own["id"]})
    field = next(iter(mixed))
    mixed[field] += body(mine)[field]
    never = body(dict.fromkeys(IDS, NOBODYS))
    for asked in (body(mine), mixed):
        assert told(other, "POST", path, json=asked) == told(other, "POST", path, json=never)
        assert told(other, "POST", path, json=asked)[0] == 404
    assert other.get("/v1/jobs").json == before


def test_anothers_id_in_a_query_or_a_header_shows_nothing(
    app: APIFlask, parts: Parts, doctor: Caller, other: Caller, mine: dict[str, str]
) -> None:
    study, job = mine["study_id"], mine["job_id"]
    empty = {"items": [], "next_cursor": None}
    assert other.get(f"/v1/jobs?study_id={study}").json == other.get(f"/v1/jobs?cursor={job}").json == empty
    assert other.get(f"/v1/studies?cursor={study}").json == other.get("/v1/studies?q=film").json == empty
    assert other.get("/v1/jobs?q=film").json == empty
    assert told(other, "GET", f"/v1/models?study_id={study}") == told(other, "GET", f"/v1/models?study_id={NOBODYS}")
    # An Idempotency-Key is the caller's own: the same from another makes the other's own study.
    key = {"Idempotency-Key": "the same"}
    (first,) = (doctor.upload((film(3), "a.png"), headers=key).json or {})["studies"]
    (second,) = (other.upload((film(3), "a.png"), headers=key).json or {})["studies"]
    assert first["id"] != second["id"]
    # A stream resumes in its own doctor's events, whatever place is asked for.
    stream = other.get("/v1/events", headers={"Last-Event-ID": "0-1"})
    text = next(iter(stream.response)) + next(iter(stream.response))
    stream.close()
    assert job not in str(text)


def test_a_token_shows_nothing_of_another_account(app: APIFlask, doctor: Caller, mine: dict[str, str]) -> None:
    reader, _ = make(sign_in(app, "other"), "studies:read", "studies:write")
    for path in (f"/v1/studies/{mine['study_id']}", f"/v1/jobs/{mine['job_id']}"):
        assert reader.get(path).status_code == 404
    assert reader.request("DELETE", f"/v1/studies/{mine['study_id']}").status_code == 404


def test_whoever_tries_one_id_after_the_other_is_stopped_and_still_reaches_what_is_theirs(
    doctor: Caller, other: Caller, admin: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert UNKNOWN_ALLOWED <= 10_000 / 2
    monkeypatch.setattr("app_service.accounts.throttle.UNKNOWN_ALLOWED", 20)
    study, own = doctor.upload_one()["study_id"], other.upload_one(1)["study_id"]
    tried = [other.get(f"/v1/studies/{uuid4()}") for _ in range(21)]
    assert [answer.status_code for answer in tried] == [404] * 20 + [429]
    assert int(tried[-1].headers["Retry-After"]) > 0
    assert [other.get(f"/v1/studies/{one}").status_code for one in (study, own)] == [429, 200]
    assert doctor.get(f"/v1/studies/{uuid4()}").status_code == 404
    rows = (admin.get("/v1/audit?action=limited").json or {})["items"]
    assert [(row["username"], row["object_id"], row["outcome"]) for row in rows] == [
        ("other", "studies.shown", "too_many_unknown")
    ]
