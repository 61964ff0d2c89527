"""Each call by which a study is accepted, finished or cleared is broken once: nothing is lost, half, or there twice.

The calls are not listed anywhere: number 1 is broken, then number 2, until the operation has no such call any more.
"""

from typing import Any

import pytest

from app_service.running.leases import Leases
from app_service.running.orphans import sweep
from app_service.running.run_job import run_job
from tests.app_service.conftest import film
from tests.chaos.steps import Ending
from tests.chaos.ward import CLEAN, Ward, finish

FILM = film(7)
CASES = [("sqlite", ending) for ending in Ending]
CASES.append(("postgresql", Ending.UNHEARD))  # the rest is the same for both
on_each = pytest.mark.parametrize(("database_url", "ending"), CASES, indirect=["database_url"])


def upload(ward: Ward, key: str) -> Any:
    return ward.doctor.upload((FILM, "film.png"), headers={"Idempotency-Key": key})


@on_each
def test_accept(ward: Ward, ending: Ending) -> None:
    key = ["0"]

    def operation() -> bool:
        status = upload(ward, key[0]).status_code
        assert status == 201 or status in CLEAN, status
        return bool(status == 201)

    def after(at: int, said: bool) -> None:
        assert len(ward.studies()) == 1 if said else len(ward.studies()) <= 1
        again = upload(ward, key[0])
        assert again.status_code == 201, again.text
        (study,), (job,) = ward.studies(), ward.jobs()
        assert [study["id"]] == [each["id"] for each in again.json["studies"]]
        assert ward.doctor.get(f"/v1/studies/{study['id']}/original").data == FILM
        assert ward.doctor.get(f"/v1/studies/{study['id']}/image").status_code == 200
        assert finish(ward, job["id"])["state"] == "succeeded"
        sweep(ward.parts, kept_s=0)
        assert {name.split("/")[1] for name in ward.objects()} == {study["id"], job["id"]}
        assert ward.audit_is_whole()
        ward.delete_all()
        key[0] = str(at)

    assert ward.break_each(operation, ending, after) > (0 if ending is Ending.SHORT else 10)


@on_each
def test_finish(ward: Ward, ending: Ending) -> None:
    job_id = [ward.doctor.upload_one()["id"]]

    def operation() -> bool:
        run_job(ward.parts, Leases(ward.parts.engine), job_id[0])
        return True

    def after(at: int, said: bool) -> None:
        job = finish(ward, job_id[0])
        assert (job["state"], job["result"]["label"]) == ("succeeded", "pneumonia")
        assert job["attempt"] in (1, 2)
        assert [each["id"] for each in ward.jobs()] == job_id
        assert [item["name"] for item in job["artifacts"]] == ["heatmap.png", "overlay.png"]
        assert {ward.doctor.get(item["url"]).status_code for item in job["artifacts"]} == {200}
        assert ward.doctor.job(job_id[0]) == job
        ward.delete_all()
        assert ward.objects() == set()
        job_id[0] = ward.doctor.upload_one(at)["id"]

    assert ward.break_each(operation, ending, after) > (0 if ending is Ending.SHORT else 5)


@pytest.mark.parametrize(
    ("database_url", "ending"), [case for case in CASES if case[1] is not Ending.SHORT], indirect=["database_url"]
)
def test_clear(ward: Ward, ending: Ending) -> None:
    def fresh() -> str:
        job = ward.doctor.upload_one()
        assert finish(ward, job["id"])["state"] == "succeeded"
        return str(job["study_id"])

    study_id = [fresh()]

    def operation() -> bool:
        status = ward.doctor.request("DELETE", f"/v1/studies/{study_id[0]}").status_code
        assert status == 204 or status in CLEAN, status
        return bool(status == 204)

    def after(at: int, said: bool) -> None:
        if said:
            assert ward.studies() == [] and ward.objects() == set()
        else:  # what is not wholly gone is still listed, and goes at the next try
            gone = [] if ward.studies() else [404]
            assert ward.doctor.request("DELETE", f"/v1/studies/{study_id[0]}").status_code in (gone or [204])
        assert ward.objects() == set() and ward.audit_is_whole()
        assert [ward.rows(table) for table in ("studies", "jobs", "artifacts")] == [0, 0, 0]
        assert list(ward.parts.redis.scan_iter("lightbox:answer:*")) == []
        study_id[0] = fresh()

    assert ward.break_each(operation, ending, after) > 5
