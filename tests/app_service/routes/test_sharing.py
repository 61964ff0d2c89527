"""Another's study: by a link that ends and can be revoked, or in an emergency for a reason that its doctor reads."""

from datetime import timedelta
from typing import Any

import pytest
from apiflask import APIFlask
from dramatiq import Worker
from prometheus_client import REGISTRY
from sqlalchemy import select, update

from app_service.parts import Parts
from app_service.running.reconcile import reconcile
from app_service.storage.clock import now
from app_service.storage.database import reading, writing
from app_service.storage.records import audit, guests, shares
from tests.app_service.conftest import Caller, film, sign_in, wait_until
from tests.app_service.fake_ml import FakeMl
from tests.app_service.routes.access_table import ACCESS, OWNER
from tests.app_service.routes.test_access import address, body_of, by_rule
from tests.app_service.routes.test_tokens import make

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
WHY = "Patient collapsed, her doctor cannot be reached."
METRIC = "lightbox_app_emergency_openings_total"
LOOKING = {  # what a guest is answered with 200; whatever else is the owner's is Forbidden
    "GET /v1/studies/<uuid:study_id>",
    "GET /v1/studies/<uuid:study_id>/image",
    "GET /v1/jobs/<uuid:job_id>",
    "GET /v1/jobs/<uuid:job_id>/artifacts/<path:name>",
    "GET /v1/jobs/<uuid:job_id>/archive",
    "POST /v1/archive",
}


@pytest.fixture
def third(app: APIFlask, parts: Parts) -> Caller:
    from app_service.accounts.create import create_accounts
    from tests.app_service.conftest import PASSWORD

    create_accounts(parts.engine, {"third": PASSWORD}, role="doctor")
    return sign_in(app, "third")


@pytest.fixture
def study(doctor: Caller) -> str:
    return str(doctor.upload_one()["study_id"])


def share(doctor: Caller, study: str, **wanted: Any) -> tuple[str, str]:
    """(code, id) of a new link."""
    answer = doctor.post(f"/v1/studies/{study}/shares", json=wanted)
    assert answer.status_code == 201 and answer.headers["Cache-Control"] == "no-store", answer.text
    told = answer.json or {}
    return told["code"], told["share"]["id"]


def opened(caller: Caller, code: str) -> int:
    return caller.post("/v1/shared", json={"code": code}).status_code


def acts(parts: Parts, study: str) -> list[tuple[str, str]]:
    with reading(parts.engine) as connection:
        rows = connection.execute(select(audit).where(audit.c.object_id == study).order_by(audit.c.seq)).all()
    return [(row.action, row.outcome) for row in rows if row.action not in ("view", "upload")]


def test_a_guest_looks_at_all_and_changes_nothing(
    app: APIFlask, doctor: Caller, other: Caller, worker: Worker, ml: FakeMl
) -> None:
    """Every route that is the owner's, with the ids of a shared study."""
    ml.heatmap = film(9, 16, 16)
    job = doctor.upload_one()
    wait_until(lambda: doctor.job(job["id"])["state"] == "succeeded", 60)
    code, share_id = share(doctor, job["study_id"])
    assert opened(other, code) == 201
    ids = {"study_id": job["study_id"], "job_id": job["id"], "name": "heatmap.png", "share_id": share_id}
    for rule, methods in by_rule(app):
        for method in methods - {"HEAD"}:
            label = f"{method} {rule}"
            row = ACCESS[label]
            if row.who != OWNER or rule.endswith("/volume"):
                continue
            status = other.request(method, address(rule, ids), json=body_of(row, ids)).status_code
            assert status == (200 if label in LOOKING else 403), (label, status)
    assert other.get(f"/v1/jobs/{job['id']}/archive?identity=removed").status_code == 200
    assert [one["id"] for one in (other.get(f"/v1/jobs?study_id={job['study_id']}").json or {})["items"]] == [job["id"]]
    assert other.get("/v1/studies").json == other.get("/v1/jobs").json == {"items": [], "next_cursor": None}
    (seen,) = (other.get("/v1/shared").json or {})["items"]
    assert seen["study"]["id"] == job["study_id"] and doctor.get("/v1/shared").json == {"items": []}


def test_a_link_for_one_colleague_opens_for_nobody_else(
    doctor: Caller, other: Caller, third: Caller, admin: Caller, study: str
) -> None:
    code, _ = share(doctor, study, colleague="Other")
    path = f"/v1/studies/{study}"
    assert opened(third, code) == 404 and third.get(path).status_code == 404
    assert opened(admin, code) == 403
    assert opened(other, code) == opened(other, code) == 201 and other.get(path).status_code == 200
    (told,) = (doctor.get(f"{path}/shares").json or {})["items"]
    assert (told["colleague"], told["opened_by"]) == ("other", 1)
    for name in ("nobody", "admin", "doctor"):
        assert doctor.post(f"{path}/shares", json={"colleague": name}).status_code == 422


def test_a_link_ends_by_itself_after_seven_days(
    doctor: Caller, other: Caller, third: Caller, parts: Parts, study: str
) -> None:
    code, _ = share(doctor, study)
    assert opened(other, code) == 201
    with reading(parts.engine) as connection:
        row = connection.execute(select(shares)).one()
    assert row.expires_at - row.created_at == pytest.approx(timedelta(days=7), abs=timedelta(seconds=5))
    with writing(parts.engine) as connection:
        connection.execute(update(shares).values(expires_at=now()))
        connection.execute(update(guests).values(ends_at=now()))
    assert opened(third, code) == 404 and other.get(f"/v1/studies/{study}").status_code == 404
    assert (doctor.get(f"/v1/studies/{study}/shares").json or {})["items"] == []


def test_a_revoked_link_closes_at_once_for_whoever_came_by_it(
    doctor: Caller, other: Caller, third: Caller, parts: Parts, study: str
) -> None:
    code, share_id = share(doctor, study)
    assert opened(other, code) == 201
    assert other.request("DELETE", f"/v1/studies/{study}/shares/{share_id}").status_code == 403
    assert doctor.request("DELETE", f"/v1/studies/{study}/shares/{share_id}").status_code == 204
    assert other.get(f"/v1/studies/{study}").status_code == 404 and opened(third, code) == 404
    told = [("share", "with_any_doctor"), ("open_share", "done"), ("revoke_share", "done")]
    assert [act for act in acts(parts, study) if act[0] != "refused"] == told


def test_the_code_is_kept_nowhere(doctor: Caller, parts: Parts, study: str, caplog: pytest.LogCaptureFixture) -> None:
    code, _ = share(doctor, study)
    assert opened(doctor, code) == 201  # one's own is no matter
    with reading(parts.engine) as connection:
        kept = str(connection.execute(select(shares)).all()) + str(connection.execute(select(audit)).all())
        assert connection.execute(select(guests)).all() == []
    assert code not in kept and code not in caplog.text
    assert code not in str([record.__dict__ for record in caplog.records])


def test_an_emergency_opens_for_an_hour_with_a_reason_and_tells(
    doctor: Caller, other: Caller, third: Caller, parts: Parts, study: str
) -> None:
    path, before = f"/v1/studies/{study}", REGISTRY.get_sample_value(METRIC) or 0.0
    for reason in ("", "too short", " " * 40, "x" * 501):
        assert other.post(f"{path}/emergency", json={"reason": reason}).status_code == 422
    assert other.get(path).status_code == 404 and REGISTRY.get_sample_value(METRIC) == before
    assert other.post(f"{path}/emergency", json={"reason": WHY}).status_code == 201
    assert other.get(path).status_code == other.get(f"{path}/image").status_code == 200
    assert other.get(f"{path}/original").status_code == 403 and third.get(path).status_code == 404
    assert REGISTRY.get_sample_value(METRIC) == before + 1
    openings = doctor.get(f"{path}/openings").json or {}
    (told,) = openings["emergencies"]
    assert (told["username"], told["reason"]) == ("other", WHY)
    assert "other" in [one["username"] for one in openings["items"]]
    with reading(parts.engine) as connection:
        row = connection.execute(select(guests)).one()
    assert row.ends_at - row.began_at == pytest.approx(timedelta(minutes=60), abs=timedelta(seconds=5))
    assert WHY not in str(acts(parts, study)) and acts(parts, study)[0] == ("open_in_emergency", "done")


def test_the_end_of_an_emergency_is_written_down_once(doctor: Caller, other: Caller, parts: Parts, study: str) -> None:
    assert other.post(f"/v1/studies/{study}/emergency", json={"reason": WHY}).status_code == 201
    reconcile(parts)
    assert ("end_emergency", "done") not in acts(parts, study)
    with writing(parts.engine) as connection:
        connection.execute(update(guests).values(ends_at=now()))
    assert other.get(f"/v1/studies/{study}").status_code == 404
    for _ in range(2):
        reconcile(parts)
    assert acts(parts, study).count(("end_emergency", "done")) == 1
    (told,) = (doctor.get(f"/v1/studies/{study}/openings").json or {})["emergencies"]
    assert told["username"] == "other"


def test_no_program_shares_or_opens_anything(doctor: Caller, other: Caller, study: str) -> None:
    token, _ = make(doctor, "studies:read", "studies:write")
    assert token.post(f"/v1/studies/{study}/shares", json={}).status_code == 403
    spy, _ = make(other, "studies:read", "studies:write")
    assert spy.post(f"/v1/studies/{study}/emergency", json={"reason": WHY}).status_code == 403
    assert opened(spy, share(doctor, study)[0]) == 403


def test_a_deleted_study_takes_its_links_and_guests_along(
    doctor: Caller, other: Caller, parts: Parts, study: str
) -> None:
    assert opened(other, share(doctor, study)[0]) == 201
    assert doctor.request("DELETE", f"/v1/studies/{study}").status_code == 204
    with reading(parts.engine) as connection:
        assert connection.execute(select(shares)).all() == connection.execute(select(guests)).all() == []
