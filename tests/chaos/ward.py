"""What a doctor sees of a portal whose calls are broken one after the other, and what lies behind it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import text, update

from app_service import audit
from app_service.parts import Parts
from app_service.running.leases import Leases
from app_service.running.reconcile import reconcile
from app_service.running.run_job import run_job
from app_service.storage.database import reading, writing
from app_service.storage.records import jobs
from tests.app_service.conftest import Caller, film
from tests.app_service.fake_ml import FakeMl
from tests.chaos.steps import Ending, interrupted

CLEAN = (503, 507)  # what a request that fails may answer
_ALL = "LIGHTBOX_CHAOS_STEPS" in os.environ  # `make chaos` leaves none out


class Ward:
    """One doctor's."""

    def __init__(self, app: APIFlask, doctor: Caller, parts: Parts, folder: Path) -> None:
        self.app, self.doctor, self.parts, self._folder = app, doctor, parts, folder
        self.engine = app.extensions["lightbox"].engine

    def break_each(
        self, operation: Callable[[], bool], ending: Ending, after: Callable[[int, bool], None], every: int = 1
    ) -> int:
        """Breaks call after call; `after` judges each time. Returns how many calls there were. The suite leaves some
        out where only `every` so many-th is asked for."""
        for at in range(1, 200, 1 if _ALL else every):
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
