"""Nobody sets what a route does not offer: a field too many in any body is refused, in a form it changes nothing."""

from typing import Any

import pytest
from apiflask import APIFlask

from app_service.accounts.api_tokens import SCOPES
from app_service.parts import Parts
from app_service.storage.database import reading
from app_service.storage.records import jobs, metadata, studies, users
from tests.app_service.conftest import Caller, film, sign_in
from tests.app_service.routes.access_table import ACCESS, ADMIN
from tests.app_service.routes.test_access import NOBODYS, address, body_of
from tests.app_service.routes.test_swapped_ids import resolved

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
# What an attacker would like to set: each column of each table, and names that other software takes.
WANTED = sorted(
    {column.name for table in metadata.tables.values() for column in table.c} | {"owner", "is_admin", "user"}
)
IGNORED = {
    "reviewed_by",
    "reviewed_at",
}  # of the answer's shape, and set anew: tests/app_service/routes/test_results.py

# Fields that say who or what somebody is: only these routes take one.
SETS_WHO = IGNORED | {
    "id",
    "owner",
    "owner_id",
    "user_id",
    "role",
    "state",
    "result",
    "disabled",
    "attempt",
    "uploaded_by",
}
MAY_SET = {
    "POST /v1/users": {"role"},
    "PATCH /v1/users/<uuid:user_id>": {"role", "disabled"},
    "PATCH /v1/models/<name>/versions/<version>": {"state"},
    "POST /v1/directory/sessions": {"state"},  # OpenID Connect's word for something else
}


def bodies(app: APIFlask) -> dict[str, dict[str, Any]]:
    """Each route that takes JSON, as in the access table, with the schema of what it takes."""
    spec, found = app.spec, {}
    for rule in app.url_map.iter_rules():
        path = address(rule.rule, {name: f"{{{name}}}" for name in rule.arguments})
        for method in (rule.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"}:
            content = spec["paths"].get(path, {}).get(method.lower(), {}).get("requestBody", {}).get("content", {})
            if "application/json" in content:
                found[f"{method} {rule.rule}"] = resolved(content["application/json"]["schema"], spec)
    return found


def test_every_schema_refuses_what_it_does_not_name(app: APIFlask) -> None:
    known = bodies(app)
    assert set(known) == {label for label, row in ACCESS.items() if row.body}
    for label, schema in known.items():
        assert open_objects(schema) == [], label


def open_objects(schema: Any, at: str = "") -> list[str]:
    """Where in a schema an object takes any field."""
    if isinstance(schema, list):
        return [found for number, one in enumerate(schema) for found in open_objects(one, f"{at}/{number}")]
    if not isinstance(schema, dict):
        return []
    here = [at or "/"] if schema.get("type") == "object" and schema.get("additionalProperties") is not False else []
    return here + [found for name, value in schema.items() for found in open_objects(value, f"{at}/{name}")]


def test_one_field_too_many_in_any_body_is_refused(app: APIFlask, admin: Caller, doctor: Caller) -> None:
    job = doctor.upload_one()
    ids = {"study_id": job["study_id"], "job_id": job["id"], "name": "pneumonia", "version": "1"}
    ids |= dict.fromkeys(("user_id", "token_id"), NOBODYS)
    tried = 0
    for label, schema in bodies(app).items():
        method, rule = label.split(" ", 1)
        row = ACCESS[label]
        caller = admin if row.who == ADMIN else doctor
        for field in set(WANTED) - set(schema["properties"]):
            tried += 1
            answer = caller.request(method, address(rule, ids), json=body_of(row, ids) | {field: "admin"})
            assert answer.status_code == 422, (label, field, answer.status_code)
            assert field in (answer.json or {})["detail"], (label, field)
        named = set(schema["properties"]) & SETS_WHO
        assert named <= (IGNORED if label.endswith("/review") else MAY_SET.get(label, set())), label
    assert tried > 1000
    assert doctor.job(job["id"])["state"] == "queued"


def test_a_field_too_many_in_an_uploads_form_changes_nothing(app: APIFlask, parts: Parts, doctor: Caller) -> None:
    user_id = (sign_in(app, "other").get("/v1/me").json or {})["id"]
    wanted = dict.fromkeys(WANTED, "admin") | {"owner_id": user_id, "id": NOBODYS, "state": "succeeded"}
    for name in ("model", "file", "patient_reference", "fast"):
        wanted.pop(name, None)
    answer = doctor.upload((film(), "film.png"), form=wanted, query_string={"owner_id": user_id})
    assert answer.status_code == 201, answer.text
    with reading(parts.engine) as connection:
        study = connection.execute(studies.select()).one()
        job = connection.execute(jobs.select()).one()
        roles = {row.username: row.role for row in connection.execute(users.select())}
    assert study.uploaded_by == "doctor" and study.owner_id == job.owner_id != user_id
    assert NOBODYS not in (study.id, job.id) and job.state == "queued" and job.result is None
    assert roles == {"doctor": "doctor", "other": "doctor", "admin": "admin", "ops": "ops"}


def test_a_field_too_many_in_a_query_is_refused(doctor: Caller, admin: Caller) -> None:
    for caller, path in ((doctor, "/v1/studies"), (doctor, "/v1/jobs"), (admin, "/v1/audit")):
        for field in ("owner_id", "user_id", "role"):
            assert caller.get(path, query_string={field: NOBODYS}).status_code == 422, (path, field)


def test_no_token_can_be_given_more_than_its_account_may(doctor: Caller, ops: Caller) -> None:
    for caller, allowed in ((doctor, {"studies:read", "studies:write"}), (ops, {"status:read"})):
        for scope in {*SCOPES, "admin", "*"} - allowed:
            body = {"name": "more", "scopes": [*allowed, scope]}
            assert caller.post("/v1/me/tokens", json=body).status_code == 422
