"""The access matrix: every route of the URL map, by every method, by everybody. A cell that differs is named."""

import gzip
import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from apiflask import APIFlask
from dramatiq import Worker

from app_service.accounts.create import create_accounts
from app_service.parts import Parts
from portal_wire.http_server import OPEN_PATHS
from tests.app_service.conftest import PASSWORD, Caller, film, sign_in, wait_until
from tests.app_service.fake_ml import FakeMl
from tests.app_service.intake.test_volume import AFFINES, VALUES, nifti
from tests.app_service.routes.access_table import (
    ACCESS,
    ADMIN,
    ANOTHER,
    ANYONE,
    DOCTOR_IN_PERSON,
    DOCTORS,
    IN_PERSON,
    ONESELF,
    OPERATIONS,
    OWNER,
    SERVICE,
    SIGNED_IN,
    Row,
)
from tests.app_service.routes.test_tokens import make, service

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
STRANGER, ML_TIER, NOBODY = "a stranger", "the ML tier", "nobody"
READING_POSTS = ("POST /v1/archive",)
REFUSALS = ("service_token", "no_session", "wrong_role", "scope")
NUMBERS = count()
NOBODYS = "01a1fd68-0152-729f-ac1c-e63c85352021"
PERSONAL = (IN_PERSON, DOCTOR_IN_PERSON, ANOTHER)
# Who is told apart by role: what each may reach. A doctor's own objects are the matter of `expected`.
MAY = {
    "doctor": (SIGNED_IN, ONESELF, DOCTORS, OWNER, *PERSONAL),
    "other": (SIGNED_IN, ONESELF, DOCTORS, OWNER, *PERSONAL),
    "admin": (SIGNED_IN, ONESELF, ADMIN, OPERATIONS),
    "ops": (SIGNED_IN, ONESELF, OPERATIONS),
    "pacs": (SIGNED_IN, DOCTORS, OWNER, OPERATIONS),
    "reader": (SIGNED_IN, DOCTORS, OWNER),
}
OWNED = (OWNER, IN_PERSON, ANOTHER)
Ids = dict[str, str]


@pytest.fixture
def tokens(app: APIFlask) -> dict[str, Caller]:
    """A service with every scope, and a doctor's token that only reads."""
    pacs, _ = service(sign_in(app, "admin"), "studies:read", "studies:write", "status:read")
    return {"pacs": pacs, "reader": make(sign_in(app, "other"), "studies:read")[0]}


def by_rule(app: APIFlask) -> Iterator[tuple[str, set[str]]]:
    """Each address of the URL map with the methods that some route of it takes."""
    found: dict[str, set[str]] = {}
    for rule in app.url_map.iter_rules():
        found.setdefault(rule.rule, set()).update((rule.methods or set()) - {"OPTIONS"})
    yield from found.items()


def test_every_route_is_in_the_access_table(app: APIFlask) -> None:
    routes = {f"{method} {rule}" for rule, methods in by_rule(app) for method in methods - {"HEAD"}}
    assert routes == set(ACCESS)


def test_every_cell_of_the_matrix(
    app: APIFlask, parts: Parts, tokens: dict[str, Caller], worker: Worker, ml: FakeMl
) -> None:
    ml.heatmap = film(9, 16, 16)
    wrong, cells = [], 0
    for rule, methods in by_rule(app):
        for method in METHODS:
            row = ACCESS[f"{'GET' if method == 'HEAD' else method} {rule}"] if method in methods else None
            world = ids(app, parts, rule, row)
            # The doctor and the administrator come last: they may change what the others must not even see.
            for whom, caller in everybody(app, tokens).items():
                cells += 1
                came, wanted = asked(caller, method, rule, row, world), expected(whom, method, rule, row)
                if came != wanted:
                    wrong.append(f"{method} {rule} by {whom}: {came}, not {wanted}")
    assert wrong == []
    assert cells > 2500


def expected(whom: str, method: str, rule: str, row: Row | None) -> tuple[int, bool]:
    """The status of a cell, and whether it is the caller that is refused and not what was asked."""
    if whom in (STRANGER, ML_TIER) and rule not in OPEN_PATHS:
        return 401, True
    if row is None:
        return 405, False
    if row.who in (ANYONE, SERVICE):
        return row.status, False
    if whom == NOBODY:
        return 401, True
    writes = method not in ("GET", "HEAD") and f"{method} {rule}" not in READING_POSTS
    if row.who not in MAY[whom] or (whom == "reader" and writes):
        return 403, True
    if row.who == ANOTHER:
        return 409 if whom == "doctor" else row.status, False
    return row.status if row.who not in OWNED or whom == "doctor" else 404, False


def everybody(app: APIFlask, tokens: dict[str, Caller]) -> dict[str, Caller]:
    """By name; who has a session has a new one, since some routes end it."""
    client = app.test_client()
    bare = {STRANGER: {}, ML_TIER: {"X-Service-Token": "for-ml"}, NOBODY: {"X-Service-Token": "between-services"}}
    signed_in = sign_in(app, "doctor").headers["Authorization"]
    for name in (STRANGER, ML_TIER):  # a live session does not stand for the service's token
        bare[name] = bare[name] | {"Authorization": signed_in}
    found = {name: Caller(client, headers) for name, headers in bare.items()} | tokens
    return found | {name: sign_in(app, name) for name in ("ops", "other", "admin", "doctor")}


def ids(app: APIFlask, parts: Parts, rule: str, row: Row | None) -> Ids:
    """What the address and the body name: things of the doctor's, or an account made for this, all there."""
    found = {"name": "pneumonia", "version": "1", "plot": "roc.png", "filename": "x"}
    found |= dict.fromkeys(("token_id", "session_id", "user_id", "study_id", "job_id", "share_id"), NOBODYS)
    found["upload_id"] = NOBODYS
    if row is None:
        return found
    if row.who in OWNED:
        found |= of_the_doctor(sign_in(app, "doctor"), volume=rule.endswith("/volume"))
    if row.who == ADMIN and "<uuid:" in rule:
        name = f"target{next(NUMBERS)}"
        create_accounts(parts.engine, {name: PASSWORD}, role="doctor")
        target = sign_in(app, name)
        found["token_id"] = make(target, "studies:read")[1]["id"]
        found["session_id"] = (target.get("/v1/me/sessions").json or {})["items"][0]["id"]
        found["user_id"] = (target.get("/v1/me").json or {})["id"]
    return found


def of_the_doctor(doctor: Caller, *, volume: bool) -> Ids:
    if volume:
        answer = doctor.upload((gzip.compress(nifti(VALUES, AFFINES["oblique"])), "knee.nii.gz"))
        return {"study_id": (answer.json or {})["studies"][0]["id"]}
    job = doctor.upload_one(next(NUMBERS))
    wait_until(lambda: doctor.job(job["id"])["state"] == "succeeded", 60)
    share = doctor.post(f"/v1/studies/{job['study_id']}/shares", json={}).json or {}
    return {"study_id": job["study_id"], "job_id": job["id"], "name": "heatmap.png", "share_id": share["share"]["id"]}


def asked(caller: Caller, method: str, rule: str, row: Row | None, world: Ids) -> tuple[int, bool]:
    """The status of one call, and whether it was the caller that was refused."""
    answer = caller.request(method, address(rule, world), json=body_of(row, world))
    if method == "HEAD" or answer.mimetype != "application/problem+json":
        refused = answer.status_code in (401, 403)
    else:
        refused = (answer.json or {})["code"] in REFUSALS
    answer.close()
    return answer.status_code, refused


def body_of(row: Row | None, values: Ids) -> Any:
    """What is sent to the route, its ids filled in."""
    return json.loads(filled(json.dumps(row.body), values, "{{{}}}")) if row and row.body else None


def address(rule: str, values: Ids) -> str:
    """The rule with its parts filled in."""
    path = rule
    for converter in ("uuid:", "path:", ""):
        path = filled(path, values, f"<{converter}{{}}>")
    return path


def filled(text: str, values: Ids, form: str) -> str:
    for name, value in values.items():
        text = text.replace(form.format(name), value)
    return text
