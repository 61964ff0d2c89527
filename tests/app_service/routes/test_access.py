"""Who may reach what: another's objects do not exist, admins see no images, nothing is open by mistake."""

import pytest
from apiflask import APIFlask
from werkzeug.routing import Rule

from tests.app_service.conftest import Caller

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ANYONE, SERVICE, SIGNED_IN, DOCTOR = "anyone inside", "any service of ours", "anyone signed in", "its doctor"
ADMIN, OPERATIONS = "an administrator", "whoever keeps the portal running"
# Every route of the API, and who may reach it. A route that is in no row fails, and so does a row without its route.
ACCESS = {
    "GET /healthz": ANYONE,
    "GET /readyz": ANYONE,
    "GET /metrics": ANYONE,
    "GET /static/<path:filename>": SERVICE,
    "GET /v1/openapi.json": SERVICE,
    "GET /v1/docs": SERVICE,
    "POST /v1/sessions": SERVICE,
    "DELETE /v1/sessions/current": SIGNED_IN,
    "GET /v1/me": SIGNED_IN,
    "PUT /v1/me/password": SIGNED_IN,
    "GET /v1/me/tokens": SIGNED_IN,
    "POST /v1/me/tokens": SIGNED_IN,
    "DELETE /v1/me/tokens/<uuid:token_id>": SIGNED_IN,
    "GET /v1/me/sessions": SIGNED_IN,
    "DELETE /v1/me/sessions/<uuid:session_id>": SIGNED_IN,
    "GET /v1/users/<uuid:user_id>/tokens": ADMIN,
    "POST /v1/users/<uuid:user_id>/tokens": ADMIN,
    "DELETE /v1/users/<uuid:user_id>/tokens/<uuid:token_id>": ADMIN,
    "GET /v1/users/<uuid:user_id>/sessions": ADMIN,
    "DELETE /v1/users/<uuid:user_id>/sessions/<uuid:session_id>": ADMIN,
    "GET /v1/me/second-factor": SIGNED_IN,
    "POST /v1/me/second-factor": SIGNED_IN,
    "GET /v1/me/second-factor/qr.svg": SIGNED_IN,
    "POST /v1/me/second-factor/confirm": SIGNED_IN,
    "POST /v1/me/second-factor/remove": SIGNED_IN,
    "GET /v1/limits": SIGNED_IN,
    "GET /v1/models": SIGNED_IN,
    "GET /v1/models/<name>": SIGNED_IN,
    "GET /v1/models/<name>/versions/<version>/plots/<plot>": SIGNED_IN,
    "GET /v1/models/<name>/versions/<version>/network": SIGNED_IN,
    "PATCH /v1/models/<name>/versions/<version>": ADMIN,
    "GET /v1/models/<name>/versions/<version>/site-calibration": SIGNED_IN,
    "POST /v1/models/<name>/versions/<version>/site-calibration": ADMIN,
    "PUT /v1/models/<name>/versions/<version>/site-calibration": ADMIN,
    "GET /v1/status": OPERATIONS,
    "GET /v1/users": ADMIN,
    "POST /v1/users": ADMIN,
    "PATCH /v1/users/<uuid:user_id>": ADMIN,
    "POST /v1/users/<uuid:user_id>/password": ADMIN,
    "DELETE /v1/users/<uuid:user_id>/second-factor": ADMIN,
    "GET /v1/audit": ADMIN,
    "GET /v1/events": DOCTOR,
    "POST /v1/studies": DOCTOR,
    "GET /v1/studies": DOCTOR,
    "GET /v1/studies/<uuid:study_id>": DOCTOR,
    "DELETE /v1/studies/<uuid:study_id>": DOCTOR,
    "GET /v1/studies/<uuid:study_id>/image": DOCTOR,
    "GET /v1/studies/<uuid:study_id>/openings": DOCTOR,
    "GET /v1/studies/<uuid:study_id>/original": DOCTOR,
    "GET /v1/studies/<uuid:study_id>/volume": DOCTOR,
    "POST /v1/studies/<uuid:study_id>/jobs": DOCTOR,
    "POST /v1/jobs": DOCTOR,
    "GET /v1/jobs": DOCTOR,
    "GET /v1/jobs/<uuid:job_id>": DOCTOR,
    "POST /v1/jobs/<uuid:job_id>/cancel": DOCTOR,
    "POST /v1/jobs/<uuid:job_id>/retry": DOCTOR,
    "PUT /v1/jobs/<uuid:job_id>/review": DOCTOR,
    "GET /v1/jobs/<uuid:job_id>/artifacts/<path:name>": DOCTOR,
    "GET /v1/jobs/<uuid:job_id>/archive": DOCTOR,
    "POST /v1/archive": DOCTOR,
}
NOBODYS = "01a1fd68-0152-729f-ac1c-e63c85352021"
IDS = dict.fromkeys(("study_id", "job_id", "user_id", "token_id", "session_id"), NOBODYS)
BODIES = {
    "/v1/studies/<uuid:study_id>/jobs": {"model": "pneumonia"},
    "/v1/jobs/<uuid:job_id>/review": {"verdict": "agree"},
}


def calls(app: APIFlask) -> list[tuple[str, Rule]]:
    return [
        (method, rule) for rule in app.url_map.iter_rules() for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    ]


def test_every_route_is_in_the_access_table(app: APIFlask) -> None:
    assert {f"{method} {rule.rule}" for method, rule in calls(app)} == set(ACCESS)


def test_without_a_token_only_the_open_routes_answer(app: APIFlask, anyone: Caller) -> None:
    for method, rule in calls(app):
        if ACCESS[f"{method} {rule.rule}"] not in (ANYONE, SERVICE):
            path = filled(rule, IDS)
            assert anyone.request(method, path).status_code == 401, (method, rule.rule)


def test_an_admin_reaches_no_image_and_no_result(app: APIFlask, doctor: Caller, admin: Caller) -> None:
    job = doctor.upload_one()
    ids = {"study_id": job["study_id"], "job_id": job["id"], "name": "heatmap.png"}
    for method, rule in calls(app):
        if ACCESS[f"{method} {rule.rule}"] == DOCTOR:
            path = filled(rule, ids)
            assert admin.request(method, path, json={}).status_code == 403, (method, rule.rule)


def test_a_doctor_changes_nothing_of_the_portal(app: APIFlask, doctor: Caller) -> None:
    for method, rule in calls(app):
        if ACCESS[f"{method} {rule.rule}"] in (ADMIN, OPERATIONS):
            answer = doctor.request(method, filled(rule, IDS), json={})
            assert answer.status_code == 403, (method, rule.rule)


def test_operations_see_how_the_portal_stands_and_nothing_more(app: APIFlask, ops: Caller) -> None:
    for method, rule in calls(app):
        if ACCESS[f"{method} {rule.rule}"] in (DOCTOR, ADMIN):
            assert ops.request(method, filled(rule, IDS), json={}).status_code == 403, (method, rule.rule)
    assert ops.get("/v1/status").status_code == 200


def test_anothers_objects_do_not_exist(app: APIFlask, doctor: Caller, other: Caller) -> None:
    job = doctor.upload_one()
    ids = {"study_id": job["study_id"], "job_id": job["id"], "name": "heatmap.png"}
    tried = 0
    for method, rule in calls(app):
        if not rule.arguments & {"study_id", "job_id"}:
            continue
        tried += 1
        answer = other.request(method, filled(rule, ids), json=BODIES.get(rule.rule))
        assert answer.status_code == 404, (method, rule.rule, answer.text)
    assert tried >= 12
    assert other.post("/v1/jobs", json={"study_ids": [job["study_id"]], "models": ["pneumonia"]}).status_code == 404
    assert other.post("/v1/archive", json={"job_ids": [job["id"]]}).status_code == 404
    assert other.get("/v1/jobs").json == other.get("/v1/studies").json == {"items": [], "next_cursor": None}
    assert doctor.job(job["id"])["state"] == "queued"


def filled(rule: Rule, values: dict[str, str]) -> str:
    path = rule.rule
    for name in rule.arguments:
        for converter in ("uuid:", "path:", ""):
            path = path.replace(f"<{converter}{name}>", values.get(name, "x"))
    return path
