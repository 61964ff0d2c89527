"""The audit as people see it: who opened a study, and what was done with the portal."""

import pytest
from dramatiq import Worker
from sqlalchemy import text

from app_service.parts import Parts
from app_service.storage.database import writing
from tests.app_service.conftest import Caller, wait_until

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def told(caller: Caller, path: str) -> list[dict[str, object]]:
    answer = caller.get(path)
    assert answer.status_code == 200, answer.text
    return list((answer.json or {})["items"])


def test_a_doctor_sees_who_opened_a_study(doctor: Caller) -> None:
    study, unopened = doctor.upload_one()["study_id"], doctor.upload_one(1)["study_id"]
    for path in ("image", "image", "original", "image?max_side=96"):  # a small one stands in a list
        assert doctor.get(f"/v1/studies/{study}/{path}").status_code == 200
    found = {(one["username"], one["action"], one["times"]) for one in told(doctor, f"/v1/studies/{study}/openings")}
    assert found == {("doctor", "view", 2), ("doctor", "download", 1)}
    assert told(doctor, f"/v1/studies/{unopened}/openings") == []


def test_looking_at_an_answer_is_looking_once_and_an_archive_is_taken_away(doctor: Caller, worker: Worker) -> None:
    job = doctor.upload_one()
    wait_until(lambda: doctor.job(job["id"])["state"] == "succeeded")
    for path in (f"studies/{job['study_id']}/image", f"jobs/{job['id']}/artifacts/heatmap.png"):
        assert doctor.get(f"/v1/{path}").status_code == 200
    path = f"/v1/studies/{job['study_id']}/openings"
    assert [(one["action"], one["times"]) for one in told(doctor, path)] == [("view", 1)]
    assert doctor.get(f"/v1/jobs/{job['id']}/archive").status_code == 200
    assert {(one["action"], one["times"]) for one in told(doctor, path)} == {("view", 1), ("download", 1)}


def test_an_administrator_reads_the_trail_page_by_page(doctor: Caller, admin: Caller) -> None:
    study = doctor.upload_one()["study_id"]
    everything = told(admin, "/v1/audit")
    assert [one["action"] for one in everything] == ["upload", "sign_in", "sign_in"]
    assert everything[0]["object_id"] == study and everything[0]["username"] == "doctor"
    assert "film.png" not in str(everything)
    first = admin.get("/v1/audit?limit=2").json or {}
    assert [one["action"] for one in first["items"]] == ["read_audit", "upload"]
    rest = told(admin, f"/v1/audit?before={first['next_before']}&username=Doctor")
    assert [one["action"] for one in rest] == ["sign_in"]
    assert {one["action"] for one in told(admin, "/v1/audit?action=read_audit")} == {"read_audit"}


def test_a_row_holds_whence_it_came(admin: Caller) -> None:
    admin.get("/v1/audit", headers={"X-Forwarded-For": "10.1.2.3"})
    assert told(admin, "/v1/audit")[0]["address"] == "10.1.2.3"


def test_whoever_tries_what_is_not_theirs_is_written_down(doctor: Caller, admin: Caller) -> None:
    assert doctor.get("/v1/users").status_code == 403
    assert admin.get("/v1/studies").status_code == 403
    rows = [one for one in told(admin, "/v1/audit") if one["action"] == "refused"]
    found = [(one["username"], one["object_id"], one["outcome"]) for one in rows]
    assert found == [("admin", "studies.listed", "wrong_role"), ("doctor", "users.listed", "wrong_role")]


@pytest.mark.parametrize("kind", ["a full disk", "another writer that never ends"])
def test_what_cannot_be_written_down_is_not_shown(
    doctor: Caller, admin: Caller, worker: Worker, parts: Parts, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    job = doctor.upload_one()
    wait_until(lambda: doctor.job(job["id"])["state"] == "succeeded")
    study = f"studies/{job['study_id']}"
    paths = [f"{study}/image", f"{study}/image?max_side=96", f"{study}/original"]
    paths += [f"jobs/{job['id']}/artifacts/heatmap.png", f"jobs/{job['id']}/archive"]
    asks: list[tuple[Caller, str, str]] = [(doctor, "GET", path) for path in paths]
    asks += [(doctor, "POST", "archive"), (admin, "GET", "audit")]
    shown = [caller.request(method, f"/v1/{path}", json={"job_ids": [job["id"]]}) for caller, method, path in asks]
    assert {answer.status_code for answer in shown} == {200}
    if kind == "a full disk":
        with writing(parts.engine) as connection:
            connection.execute(
                text("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END")
            )
        refused = [
            caller.request(method, f"/v1/{path}", json={"job_ids": [job["id"]]}) for caller, method, path in asks
        ]
    else:
        monkeypatch.setattr("app_service.storage.database._PATIENCE_S", 0.05)
        engine = doctor.client.application.extensions["lightbox"].engine
        with writing(engine):
            refused = [
                caller.request(method, f"/v1/{path}", json={"job_ids": [job["id"]]}) for caller, method, path in asks
            ]
    assert [(answer.status_code, answer.mimetype) for answer in refused] == [(503, "application/problem+json")] * len(
        asks
    )
