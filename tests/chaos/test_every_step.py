"""Each call by which a study is accepted, finished or cleared is broken once: nothing is lost, half, or there twice.

The calls are not listed anywhere: number 1 is broken, then number 2, until the operation has no such call any more.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import text, update

from app_service import audit
from app_service.parts import Parts
from app_service.running.leases import Leases
from app_service.running.orphans import sweep
from app_service.running.reconcile import reconcile
from app_service.running.run_job import run_job
from app_service.storage.database import reading, writing
from app_service.storage.records import jobs
from tests.app_service.conftest import Caller, film
from tests.app_service.fake_ml import FakeMl
from tests.chaos.steps import Ending, interrupted

FILM = film(7)
CLEAN = (503, 507)  # what an upload or a deletion that fails may answer
CASES = [("sqlite", ending) for ending in Ending]
CASES.append(("postgresql", Ending.UNHEARD))  # the rest is the same for both
on_each = pytest.mark.parametrize(("database_url", "ending"), CASES, indirect=["database_url"])


class Ward:
    """What a doctor sees, and what lies behind it."""

    def __init__(self, app: APIFlask, doctor: Caller, parts: Parts, folder: Path) -> None:
        self.app, self.doctor, self.parts, self._folder = app, doctor, parts, folder
        self.engine = app.extensions["lightbox"].engine

    def break_each(self, operation: Callable[[], bool], ending: Ending, after: Callable[[int, bool], None]) -> int:
        """Breaks call after call; `after` judges each time. Returns how many calls there were."""
        for at in range(1, 200):
            said = interrupted(operation, self.engine, at, ending)
            if said is None:
                return at - 1
            after(at, said)
        raise AssertionError("the operation never ends")

    def rows(self, table: str) -> int:
        with reading(self.engine) as connection:
            return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())

    def objects(self) -> set[str]:
        """Every object's key; what is on its way in does not count."""
        files = (path.relative_to(self._folder) for path in self._folder.rglob("*") if path.is_file())
        return {str(path) for path in files if not path.parts[0].startswith(".")}

    def audit_is_whole(self) -> bool:
        return audit.verify(self.engine).seq > 0

    def delete_all(self) -> None:
        for study in self.studies():
            assert self.doctor.request("DELETE", f"/v1/studies/{study['id']}").status_code == 204

    def studies(self) -> list[dict[str, Any]]:
        return list(self.doctor.get("/v1/studies").json["items"])  # type: ignore[index]

    def jobs(self) -> list[dict[str, Any]]:
        return list(self.doctor.get("/v1/jobs").json["items"])  # type: ignore[index]


@pytest.fixture
def ward(
    app: APIFlask, doctor: Caller, parts: Parts, ml: FakeMl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Ward:
    monkeypatch.setattr("app_service.running.run_job._AFTER_BREAK_S", 0.0)
    monkeypatch.setattr("app_service.storage.small_artifacts.LARGEST", 0)  # a file beside the row is the harder case
    ml.heatmap = film(8)
    return Ward(app, doctor, parts, tmp_path / "objects")


def finish(ward: Ward, job_id: str) -> dict[str, Any]:
    """What the reconciler and a worker make of the job, however it was left."""
    for _ in range(4):
        with writing(ward.parts.engine) as connection:
            connection.execute(update(jobs).where(jobs.c.leased_until.is_not(None)).values(leased_until=0.0))
        reconcile(ward.parts)
        if (job := ward.doctor.job(job_id))["state"] not in ("queued", "running"):
            return job
        assert job_id in ward.parts.queue.waiting(), "nobody would ever run it"
        run_job(ward.parts, Leases(ward.parts.engine), job_id)
    raise AssertionError("the job does not end")


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

    assert ward.break_each(operation, ending, after) > 10


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

    assert ward.break_each(operation, ending, after) > 5


@on_each
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
