"""Which version answers is an admin's decision: explicit, checked, audited, and in force within a second."""

import time
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import select
from werkzeug.test import TestResponse

from app_service.parts import Parts
from app_service.storage.database import reading
from app_service.storage.records import audit
from app_service.web import create_app
from tests.app_service.conftest import Caller, sign_in
from tests.app_service.fake_ml import UNSEEN, FakeMl


def states(caller: Caller) -> dict[str, str]:
    answer: Any = caller.get("/v1/models/pneumonia").json
    return {version["version"]: version["state"] for version in answer["versions"]}


def put(admin: Caller, version: str, state: str, **more: str) -> TestResponse:
    return admin.request("PATCH", f"/v1/models/pneumonia/versions/{version}", json={"state": state} | more)


@pytest.fixture
def two(ml: FakeMl, admin: Caller) -> None:
    """Version 1 was there first; a folder with version 2 has appeared since, which is fit."""
    del ml.versions["2"]
    assert states(admin) == {"1": "active"}
    ml.versions["2"] = None
    assert put(admin, "1", "active").status_code == 200  # asks the ML tier what there is


@pytest.mark.usefixtures("two")
def test_a_new_version_is_listed_and_changes_nothing_by_itself(doctor: Caller) -> None:
    assert states(doctor) == {"1": "active", "2": "available"}
    assert doctor.upload_one()["version"] == "1"


def test_at_first_sight_the_newest_version_that_is_ready_becomes_active(ml: FakeMl, doctor: Caller) -> None:
    ml.versions = {"1": None, "2": None, "3": "golden image got another answer"}
    assert states(doctor) == {"1": "available", "2": "active", "3": "available"}


def test_a_model_that_is_not_ready_yet_gets_no_active_version_for_good(
    ml: FakeMl, doctor: Caller, app: APIFlask
) -> None:
    ml.versions = {"1": UNSEEN}
    assert states(doctor) == {"1": "available"}
    ml.versions = {"1": None, "2": None}
    app.extensions["lightbox"].models.ask_again()
    assert states(doctor) == {"1": "available", "2": "active"}


@pytest.mark.usefixtures("two")
def test_an_activated_version_runs_the_next_job_and_waiting_ones_keep_theirs(
    doctor: Caller, admin: Caller, parts: Parts, ml: FakeMl
) -> None:
    elsewhere = create_app(parts.settings)  # another process of the api
    far = sign_in(elsewhere, "doctor")
    before = far.upload_one(1)
    changed = put(admin, "2", "active", instead_of="1")
    assert changed.status_code == 200, changed.text
    assert {one["version"]: one["state"] for one in changed.json["versions"]} == {"1": "available", "2": "active"}  # type: ignore[index]
    assert changed.json["active_version"] == "2"  # type: ignore[index]
    assert doctor.upload_one(2)["version"] == "2"
    time.sleep(0.6)
    assert far.upload_one(3)["version"] == "2"
    assert doctor.job(before["id"])["version"] == "1"
    assert "load 2" in ml.managed
    elsewhere.extensions["lightbox"].engine.dispose()


@pytest.mark.usefixtures("two")
def test_every_change_is_audited_once(admin: Caller, parts: Parts) -> None:
    for state in ("shadow", "shadow", "retired", "available", "active"):
        assert put(admin, "2", state).status_code == 200
    with reading(parts.engine) as connection:
        theirs = audit.c.object_id == "pneumonia/2"
        rows = list(connection.execute(select(audit).where(theirs).order_by(audit.c.at)))
    assert [row.action for row in rows] == ["shadow", "retire", "make_available", "activate"]
    assert {(row.actor_id, row.outcome) for row in rows} == {(admin.get("/v1/me").json["id"], "done")}  # type: ignore[index]


@pytest.mark.usefixtures("two")
def test_the_active_version_cannot_be_taken_away(admin: Caller) -> None:
    for state in ("retired", "available", "shadow"):
        refused = put(admin, "1", state)
        assert (refused.status_code, refused.json["code"]) == (409, "version_is_active")  # type: ignore[index]
    assert states(admin)["1"] == "active"


@pytest.mark.usefixtures("two")
def test_a_retired_version_runs_no_new_job_and_leaves_memory(doctor: Caller, admin: Caller, ml: FakeMl) -> None:
    study = doctor.upload_one()["study_id"]
    assert put(admin, "2", "retired").status_code == 200
    assert ml.managed[-1] == "unload 2"
    refused = doctor.post(f"/v1/studies/{study}/jobs", json={"model": "pneumonia", "version": "2"})
    assert (refused.status_code, refused.json["code"]) == (422, "retired_version")  # type: ignore[index]
    assert put(admin, "2", "available").status_code == 200
    assert ml.managed[-1] == "load 2"
    started = doctor.post(f"/v1/studies/{study}/jobs", json={"model": "pneumonia", "version": "2"})
    assert started.status_code == 202
    put(admin, "2", "retired")
    assert ml.managed[-1] == "load 2"  # a job still needs it


@pytest.mark.usefixtures("two")
def test_a_version_that_fails_its_checks_is_not_activated(admin: Caller, ml: FakeMl) -> None:
    ml.versions["2"] = "weights.npz is not the file that was released"
    for state in ("active", "shadow"):
        refused = put(admin, "2", state)
        assert (refused.status_code, refused.json["code"]) == (409, "version_not_fit")  # type: ignore[index]
        assert "weights.npz is not the file" in refused.json["detail"]  # type: ignore[index]
    assert states(admin) == {"1": "active", "2": "available"}


@pytest.mark.usefixtures("two")
def test_who_decided_on_an_old_page_is_told(admin: Caller) -> None:
    assert put(admin, "2", "active", instead_of="1").status_code == 200
    assert put(admin, "2", "active", instead_of="1").status_code == 200  # the same again
    refused = put(admin, "1", "retired", instead_of="1")
    assert (refused.status_code, refused.json["code"]) == (409, "changed_meanwhile")  # type: ignore[index]
    assert put(admin, "1", "active", instead_of="2").status_code == 200


def test_what_is_not_there_cannot_be_changed(admin: Caller) -> None:
    assert put(admin, "7", "active").status_code == 404
    assert admin.request("PATCH", "/v1/models/x/versions/1", json={"state": "active"}).status_code == 404
    assert put(admin, "1", "best").status_code == 422


@pytest.mark.usefixtures("two")
def test_while_the_ml_tier_is_away_nothing_is_activated_and_a_shadow_can_be_stopped(admin: Caller, ml: FakeMl) -> None:
    assert put(admin, "2", "shadow").status_code == 200
    ml.stop()
    assert put(admin, "2", "active").status_code == 503
    assert put(admin, "2", "available").status_code == 200
    assert states(admin) == {"1": "active", "2": "available"}
    ml.start()
