"""Long jobs tell how far they are, and give the model back as soon as nobody waits for them."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from apiflask import APIFlask
from dramatiq import Worker

from app_service.running import progress
from portal_wire.http_client import ServiceClient
from tests.app_service.conftest import Caller, wait_until
from tests.app_service.fake_ml import FakeMl
from tests.app_service.routes.test_events import stream

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def stop_streams(app: APIFlask) -> Iterator[None]:
    yield
    app.extensions["lightbox"].stopping.set()


@pytest.fixture
def slow(ml: FakeMl) -> FakeMl:
    """A model that needs more time than it is given, in steps."""
    ml.steps, ml.step_s = 60, 0.1
    return ml


def begun(doctor: Caller, ml: FakeMl, seed: int = 0) -> dict[str, Any]:
    job = doctor.upload_one(seed)
    wait_until(lambda: f"{job['id']}-1" in ml.done)
    return job


def test_a_long_job_tells_how_far_it_is_until_its_answer_is_there(doctor: Caller, worker: Worker, ml: FakeMl) -> None:
    ml.steps, ml.step_s = 25, 0.1
    events = stream(doctor)
    job = doctor.upload_one()
    heard = [next(events)[1]]
    wait_until(lambda: doctor.job(job["id"])["progress"])
    assert 0 < doctor.get("/v1/jobs").json["items"][0]["progress"] < 1  # type: ignore[index]
    while heard[-1]["state"] != "succeeded":
        heard.append(next(events)[1])
    states = [each["state"] for each in heard]
    assert states == ["queued", *["running"] * (len(states) - 2), "succeeded"]
    shares = [each["progress"] for each in heard[2:-1]]
    assert shares and shares == sorted(set(shares)) and 0 < shares[0] <= shares[-1] <= 1
    assert [heard[place]["progress"] for place in (0, 1, -1)] == [None, None, None]
    assert doctor.job(job["id"])["progress"] is None
    assert ml.ids == [f"{job['id']}-1"]


def test_a_short_job_is_not_asked_about(doctor: Caller, worker: Worker, ml: FakeMl) -> None:
    ml.steps, ml.step_s = 5, 0.1
    job = doctor.upload_one()
    wait_until(lambda: doctor.job(job["id"])["state"] == "succeeded")
    assert ml.looked == 0


def test_a_cancelled_job_gives_the_model_back(doctor: Caller, worker: Worker, slow: FakeMl) -> None:
    job = begun(doctor, slow)
    wait_until(lambda: doctor.job(job["id"])["progress"])
    assert doctor.post(f"/v1/jobs/{job['id']}/cancel").status_code == 202
    asked = time.monotonic()
    wait_until(lambda: slow.called_off == [f"{job['id']}-1"] and not slow.done)
    assert time.monotonic() - asked < 3  # a second, and what a busy machine adds; the rest would have taken five
    ended = doctor.job(job["id"])
    assert ended["state"] == "cancelled" and ended["progress"] is None and ended["attempt"] == 1


def test_a_deleted_study_gives_the_model_back(doctor: Caller, worker: Worker, slow: FakeMl) -> None:
    job = begun(doctor, slow)
    assert doctor.request("DELETE", f"/v1/studies/{job['study_id']}").status_code == 204
    wait_until(lambda: slow.called_off == [f"{job['id']}-1"] and not slow.done)


def test_a_share_that_comes_after_the_cancelling_does_not_stand(
    doctor: Caller, worker: Worker, slow: FakeMl, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was asked for while the job still ran: the last thing that a page hears is that it was cancelled."""
    asked: list[str] = []

    def cancels(client: ServiceClient, request_id: str) -> float:
        asked.append(request_id)
        doctor.post(f"/v1/jobs/{request_id.rpartition('-')[0]}/cancel")
        return 0.5

    events = stream(doctor)
    monkeypatch.setattr(progress.ml_client, "progress", cancels)
    doctor.upload_one()
    heard = []
    while len(heard) < 5:
        event = next(events)[1]
        heard.append((event["state"], event["progress"]))
    last = [("cancelled", None), ("running", 0.5), ("cancelled", None)]
    assert heard == [("queued", None), ("running", None), *last] and len(asked) == 1


def test_a_model_that_tells_nothing_costs_the_job_nothing(doctor: Caller, worker: Worker, slow: FakeMl) -> None:
    slow.steps, slow.silent = 20, True
    job = doctor.upload_one()
    wait_until(lambda: doctor.job(job["id"])["state"] == "succeeded")
    assert slow.looked > 0 and doctor.job(job["id"])["attempt"] == 1


def test_an_attempt_whose_number_the_model_still_works_on_waits_for_it(
    doctor: Caller, worker: Worker, ml: FakeMl
) -> None:
    ml.in_use = 2
    job = doctor.upload_one()
    wait_until(lambda: doctor.job(job["id"])["state"] == "succeeded")
    assert ml.in_use == 0 and doctor.job(job["id"])["attempt"] == 1
