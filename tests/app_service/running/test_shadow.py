"""A shadow reads along: after the answer, in no answer, at no cost to any job."""

import time
from typing import Any

import pytest
from dramatiq import Worker
from prometheus_client import REGISTRY
from sqlalchemy import func, select

from app_service.parts import Parts
from app_service.storage.database import reading
from app_service.storage.records import shadow_results
from tests.app_service.conftest import Caller, wait_until
from tests.app_service.fake_ml import FakeMl, findings


@pytest.fixture
def shadowed(ml: FakeMl, admin: Caller) -> None:
    """Version 1 answers 0.9, version 2 reads along and says 0.7."""
    admin.get("/v1/models")
    ml.versions["2"] = None
    ml.said_by = {"1": findings(0.9), "2": findings(0.7)}
    assert admin.request("PATCH", "/v1/models/pneumonia/versions/2", json={"state": "shadow"}).status_code == 200


def stored(parts: Parts) -> int:
    with reading(parts.engine) as connection:
        return int(connection.execute(select(func.count()).select_from(shadow_results)).scalar_one())


def done(doctor: Caller, seed: int = 0) -> dict[str, Any]:
    job = doctor.upload_one(seed)
    wait_until(lambda: doctor.job(job["id"])["state"] == "succeeded")
    return doctor.job(job["id"])


def version_2(caller: Caller) -> dict[str, Any]:
    answer: Any = caller.get("/v1/models/pneumonia").json
    return dict(answer["versions"][1])


@pytest.mark.usefixtures("shadowed")
def test_what_a_shadow_says_is_stored_apart_and_shown_as_agreement(
    doctor: Caller, admin: Caller, worker: Worker, parts: Parts, ml: FakeMl
) -> None:
    same, other, (count, total) = runs("same_label"), runs("other_label"), differences()
    job = done(doctor)
    assert (job["version"], job["result"]["findings"][0]["probability"]) == ("1", 0.9)
    wait_until(lambda: stored(parts) == 1)
    ml.said_by["2"] = findings(0.2) | {"label": "normal"}
    done(doctor, 1)
    wait_until(lambda: stored(parts) == 2)
    wait_until(lambda: runs("other_label") == other + 1)  # counted after it is stored
    assert runs("same_label") == same + 1
    assert differences() == (count + 2, pytest.approx(total + 0.2 + 0.7))
    seen = version_2(admin)
    assert (seen["compared"], seen["same_label"]) == (2, 0.5)
    assert seen["mean_difference"] == pytest.approx((0.2 + 0.7) / 2)
    assert doctor.job(job["id"]) == job
    listed = doctor.get("/v1/jobs").json["items"]
    assert [one["result"]["findings"][0]["probability"] for one in listed] == [0.9, 0.9]


@pytest.mark.usefixtures("shadowed")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_shadow_that_breaks_or_hangs_touches_no_job(
    doctor: Caller, worker: Worker, parts: Parts, ml: FakeMl, monkeypatch: pytest.MonkeyPatch
) -> None:
    ml.said_by["2"] = {"error": "boom"}
    before = runs("failed")
    assert done(doctor)["state"] == "succeeded"
    wait_until(lambda: runs("failed") == before + 1)
    assert stored(parts) == 0
    monkeypatch.setattr(parts.book, "roles", lambda: 1 / 0)
    assert done(doctor, 1)["attempt"] == 1


@pytest.mark.usefixtures("shadowed")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_slow_shadow_is_left_out_and_delays_nobody(doctor: Caller, worker: Worker, parts: Parts, ml: FakeMl) -> None:
    ml.delays = {"2": 3.0}
    for _ in range(31):
        assert parts.shadows._places.acquire(blocking=False)
    before = runs("left_out")
    for seed in range(3):
        done(doctor, seed)
    wait_until(lambda: runs("left_out") == before + 2, within_s=2)


@pytest.mark.usefixtures("shadowed")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_only_answers_of_the_active_version_are_compared(
    doctor: Caller, admin: Caller, worker: Worker, parts: Parts, ml: FakeMl
) -> None:
    job = done(doctor)
    wait_until(lambda: stored(parts) == 1)
    body: Any = {"model": "pneumonia", "version": "2"}
    named = doctor.post(f"/v1/studies/{job['study_id']}/jobs", json=body).json or {}
    wait_until(lambda: doctor.job(named["id"])["state"] == "succeeded")
    assert doctor.request("DELETE", f"/v1/studies/{job['study_id']}").status_code == 204
    assert stored(parts) == 0
    admin.request("PATCH", "/v1/models/pneumonia/versions/2", json={"state": "available"})
    time.sleep(0.6)  # as long as another process may not know yet
    asked = ml.asked
    done(doctor, 1)
    assert (ml.asked, stored(parts)) == (asked + 1, 0)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_reviews_are_counted_by_version(doctor: Caller, admin: Caller, worker: Worker) -> None:
    for seed, verdict in enumerate(("agree", "agree", "disagree")):
        job = done(doctor, seed)
        doctor.request("PUT", f"/v1/jobs/{job['id']}/review", json={"verdict": verdict})
    answer: Any = admin.get("/v1/models").json
    assert answer["items"][0]["versions"][0]["reviews"] == {"agree": 2, "disagree": 1}


def differences() -> tuple[float, float]:
    """How many differences of probability were counted, and their sum."""
    labels, name = {"model": "pneumonia", "version": "2"}, "lightbox_app_shadow_difference_ratio"
    count, total = (REGISTRY.get_sample_value(f"{name}_{what}", labels) or 0.0 for what in ("count", "sum"))
    return count, total


def runs(outcome: str) -> float:
    labels = {"model": "pneumonia", "version": "2", "outcome": outcome}
    return REGISTRY.get_sample_value("lightbox_app_shadow_runs_total", labels) or 0.0
