"""What an administrator is told of the portal's state, and what the metrics make of the same."""

import pytest
from prometheus_client import Gauge
from sqlalchemy import update

from app_service.domain.job import FAILED_REPEATEDLY
from app_service.parts import Parts
from app_service.running.measures import measure_queue, measure_store
from app_service.running.metrics import DEAD_LETTERS, QUEUE_AGE, QUEUE_LENGTH, STORE_FREE, STORE_SIZE
from app_service.storage import transitions
from app_service.storage.database import writing
from app_service.storage.records import jobs
from portal_wire.contract import Failure
from tests.app_service.conftest import Caller
from tests.app_service.fake_ml import FakeMl


def fail(parts: Parts, job_id: str, failure: Failure) -> None:
    with writing(parts.engine) as connection:
        row = transitions.claim(connection, job_id)
        assert row is not None
        transitions.fail(connection, (job_id, row.attempt), failure)


def value(gauge: Gauge) -> float:
    (family,) = gauge.collect()
    return float(family.samples[0].value)


def test_a_job_that_was_given_up_is_a_dead_letter_until_it_is_tried_again(
    doctor: Caller, admin: Caller, parts: Parts
) -> None:
    given_up, bad_film, waits = (doctor.upload_one(seed)["id"] for seed in range(3))
    fail(parts, given_up, FAILED_REPEATEDLY)
    fail(parts, bad_film, Failure(code="unprocessable", detail="It cannot be read."))
    said = admin.get("/v1/status").json
    assert said and said["queue"] | {"oldest_s": 0} == {"waiting": 1, "oldest_s": 0, "running": 0, "given_up": 1}
    assert [failure["code"] for failure in said["failures"]] == ["unprocessable", "failed_repeatedly"]
    assert set(said["failures"][0]) == {"finished_at", "model", "version", "code"}
    measure_queue(parts.engine)
    assert (value(DEAD_LETTERS), value(QUEUE_LENGTH)) == (1, 1)

    assert doctor.post(f"/v1/jobs/{given_up}/retry").status_code == 202
    measure_queue(parts.engine)
    assert (value(DEAD_LETTERS), value(QUEUE_LENGTH)) == (0, 2)
    assert doctor.job(waits)["state"] == "queued"


def test_the_age_is_that_of_the_job_that_waits_longest(doctor: Caller, admin: Caller, parts: Parts) -> None:
    measure_queue(parts.engine)
    assert value(QUEUE_AGE) == 0
    old, _young = doctor.upload_one(0), doctor.upload_one(1)
    queued_at = transitions.now().replace(year=2020)
    with writing(parts.engine) as connection:
        connection.execute(update(jobs).where(jobs.c.id == old["id"]).values(queued_at=queued_at))
    measure_queue(parts.engine)
    assert value(QUEUE_AGE) > 365 * 86400
    assert admin.get("/v1/status").json["queue"]["oldest_s"] > 365 * 86400  # type: ignore[index]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_is_away_is_named(admin: Caller, ml: FakeMl) -> None:
    assert set(admin.get("/v1/status").json["dependencies"].values()) == {None}  # type: ignore[index]
    ml.stop()
    said = admin.get("/v1/status").json
    ml.start()
    assert said and said["dependencies"] == {"database": None, "redis": None, "store": None, "ml": "unavailable"}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_room_in_the_store_is_measured(parts: Parts) -> None:
    measure_store(parts.store)
    assert 0 < value(STORE_FREE) <= value(STORE_SIZE)
