"""Each call behind what a doctor does to a study or a job is broken once: it is done or not, and can be done again.

As in test_every_step.py, the calls are found by counting.
"""

from typing import Any

import pytest
from sqlalchemy import select

from app_service.running.leases import Leases
from app_service.storage import transitions
from app_service.storage.database import reading, writing
from app_service.storage.records import jobs
from tests.app_service.conftest import Caller
from tests.app_service.fake_ml import FakeMl
from tests.app_service.fake_prompted import BOX_PROMPT, FakePrompted
from tests.app_service.masks.test_prompted import file_of, png, study_of, two_discs
from tests.chaos.steps import Ending
from tests.chaos.ward import CLEAN, Ward, finish

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_each = pytest.mark.parametrize("ending", [ending for ending in Ending if ending is not Ending.SHORT])
REVIEW = {"verdict": "disagree", "comment": "The line is a rib."}


def done(caller: Caller, method: str, path: str, status: int, json: Any = None) -> bool:
    """Whether it was; what fails fails with a clean answer."""
    answer = caller.request(method, path, json=json)
    assert answer.status_code in (status, *CLEAN), answer.text
    return answer.status_code == status


def mask(ward: Ward, job_id: str, name: str) -> bytes:
    return file_of(ward.doctor, ward.doctor.job(job_id), name)


@on_each
def test_cancel_and_retry(ward: Ward, ending: Ending) -> None:
    """In one operation: whichever breaks, the job is in one of the three states and comes to an end."""
    job_id = [ward.doctor.upload_one()["id"]]

    def operation() -> bool:
        path = f"/v1/jobs/{job_id[0]}"
        return done(ward.doctor, "POST", f"{path}/cancel", 202) and done(ward.doctor, "POST", f"{path}/retry", 202)

    def after(at: int, said: bool) -> None:
        state = ward.doctor.job(job_id[0])["state"]
        assert state == "queued" if said else state in ("queued", "cancelled")
        if state == "cancelled":
            assert done(ward.doctor, "POST", f"/v1/jobs/{job_id[0]}/retry", 202)
        assert finish(ward, job_id[0])["state"] == "succeeded"
        assert ward.audit_is_whole()
        ward.delete_all()
        job_id[0] = ward.doctor.upload_one(at)["id"]

    assert ward.break_each(operation, ending, after) > 3


@on_each
def test_review_and_share(ward: Ward, other: Caller, ending: Ending) -> None:
    job = ward.doctor.upload_one()
    finish(ward, job["id"])
    shares = f"/v1/studies/{job['study_id']}/shares"

    def operation() -> bool:
        reviewed = done(ward.doctor, "PUT", f"/v1/jobs/{job['id']}/review", 200, REVIEW)
        return reviewed and done(ward.doctor, "POST", shares, 201, {"colleague": "other"})

    def after(at: int, said: bool) -> None:
        review = ward.doctor.job(job["id"])["review"]
        assert review is None or (review["verdict"], review["comment"]) == tuple(REVIEW.values())
        kept = (ward.doctor.get(shares).json or {})["items"]
        assert len(kept) == 1 and review if said else len(kept) <= 1
        for share in kept:
            assert done(ward.doctor, "DELETE", f"{shares}/{share['id']}", 204)
        code = (ward.doctor.post(shares, json={"colleague": "other"}).json or {})["code"]
        assert done(other, "POST", "/v1/shared", 201, {"code": code})
        assert other.get(f"/v1/studies/{job['study_id']}/image").status_code == 200
        (share,) = (ward.doctor.get(shares).json or {})["items"]
        assert done(ward.doctor, "DELETE", f"{shares}/{share['id']}", 204)
        assert other.get(f"/v1/studies/{job['study_id']}/image").status_code == 404
        assert ward.audit_is_whole()

    assert ward.break_each(operation, ending, after) >= 2


@on_each
def test_correction(ward: Ward, ml: FakeMl, ending: Ending) -> None:
    """The model's own mask stays whatever happens; the corrected one is whole or not there."""
    ml.outlines, ml.prompted = True, FakePrompted()
    study = study_of(ward.doctor, png(two_discs()))
    made: Any = ward.doctor.post(f"/v1/studies/{study}/jobs", json={"model": "lung-field"}).json
    assert finish(ward, made["id"])["state"] == "succeeded"
    asked = {"model": BOX_PROMPT, "prompts": [{"box": [10, 5, 40, 25], "label": 1}]}
    outline: Any = ward.doctor.post(f"/v1/studies/{study}/jobs", json=asked).json
    assert finish(ward, outline["id"])["state"] == "succeeded"
    path, own = f"/v1/jobs/{made['id']}/correction", mask(ward, made["id"], "mask.png")

    def operation() -> bool:
        return done(ward.doctor, "PUT", path, 200, {"from_job": outline["id"]})

    def after(at: int, said: bool) -> None:
        assert mask(ward, made["id"], "mask.png") == own
        first = mask(ward, made["id"], "mask_corrected.png") if ward.doctor.job(made["id"])["correction"] else b""
        assert first or not said
        assert done(ward.doctor, "PUT", path, 200, {"from_job": outline["id"]})
        second = mask(ward, made["id"], "mask_corrected.png")
        assert second not in (b"", own) and first in (b"", second)
        assert done(ward.doctor, "DELETE", path, 200)
        assert ward.audit_is_whole()

    assert ward.break_each(operation, ending, after, every=3) > 5


@on_each
def test_renewal_of_a_lease(ward: Ward, ending: Ending) -> None:
    """A worker that could not renew has its job for the time that it was given; it renews at the next round."""
    job_id = ward.doctor.upload_one()["id"]
    with writing(ward.engine) as connection:
        row = transitions.claim(connection, job_id)
    assert row is not None
    leases = Leases(ward.engine)

    def leased_until() -> float:
        with reading(ward.engine) as connection:
            return float(connection.execute(select(jobs.c.leased_until).where(jobs.c.id == job_id)).scalar_one())

    def operation() -> bool:
        with leases.hold((row.id, row.attempt)):
            leases.renew()
        return True

    def after(at: int, said: bool) -> None:
        until = leased_until()
        with leases.hold((row.id, row.attempt)):
            leases.renew()
        assert until <= leased_until()
        assert ward.doctor.job(job_id)["state"] == "running"

    assert ward.break_each(operation, ending, after) >= 1
