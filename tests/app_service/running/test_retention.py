"""A study's end, by its doctor's hand or by its age: nothing of it stays in files, rows or Redis."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from dramatiq import Worker
from sqlalchemy import select, update

from app_service.parts import Parts
from app_service.running.retention import A_ROUND, delete_old
from app_service.storage.clock import now
from app_service.storage.database import reading, writing
from app_service.storage.records import audit, metadata, studies
from tests.app_service.conftest import Caller, film, wait_until
from tests.app_service.fake_ml import FakeMl

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
NAME, PATIENT = "Doe_John_19700101.png", "patient-4711"


def keeping(parts: Parts, days: int) -> Parts:
    return replace(parts, settings=replace(parts.settings, retention_days=days))


def age(parts: Parts, study_id: str, days: float) -> None:
    with writing(parts.engine) as connection:
        then = now() - timedelta(days=days)
        connection.execute(update(studies).where(studies.c.id == study_id).values(uploaded_at=then))


def traces(parts: Parts, folder: Path, *words: str) -> list[str]:
    """Where any of the words is: in rows but the audit's, in Redis, in the files and their names."""
    found = []
    with reading(parts.engine) as connection:
        for table in metadata.sorted_tables:
            if table is not audit and any(word in str(connection.execute(table.select()).all()) for word in words):
                found.append(table.name)
    for key in parts.redis.scan_iter("*"):
        kind = parts.redis.type(key)
        content = {"string": parts.redis.get, "stream": parts.redis.xrange}.get(str(kind), lambda name: name)(key)
        found += [str(key) for word in words if word in f"{key} {content}"]
    for path in folder.rglob("*"):
        found += [str(path) for word in words if word in str(path)]
    return found


@pytest.fixture
def done(doctor: Caller, worker: Worker, ml: FakeMl) -> dict[str, str]:
    """A study with its finished job, uploaded under an Idempotency-Key."""
    ml.heatmap = film(9, 16, 16)
    answer = doctor.upload(
        (film(1), NAME), form={"patient_reference": PATIENT}, headers={"Idempotency-Key": "the same"}
    )
    job = (answer.json or {})["jobs"][0]
    wait_until(lambda: doctor.job(job["id"])["state"] == "succeeded", 60)
    return {"study": job["study_id"], "job": job["id"]}


def test_what_a_doctor_deletes_is_gone(doctor: Caller, parts: Parts, tmp_path: Path, done: dict[str, str]) -> None:
    objects = tmp_path / "objects"
    assert traces(parts, objects, done["study"]) != []
    assert doctor.request("DELETE", f"/v1/studies/{done['study']}").status_code == 204
    assert traces(parts, objects, done["study"], done["job"], NAME, PATIENT) == []
    assert [path for path in objects.rglob("*") if path.is_file()] == []
    assert doctor.request("DELETE", f"/v1/studies/{done['study']}").status_code == 404


def test_studies_go_when_they_are_too_old(doctor: Caller, parts: Parts, tmp_path: Path, done: dict[str, str]) -> None:
    young = doctor.upload_one(2)["study_id"]
    age(parts, done["study"], 31)
    age(parts, young, 29)
    assert delete_old(parts) == 0  # 0 days: kept
    assert delete_old(keeping(parts, 30)) == 1 and delete_old(keeping(parts, 30)) == 0
    assert traces(parts, tmp_path / "objects", done["study"], done["job"], NAME, PATIENT) == []
    assert doctor.get(f"/v1/studies/{young}").status_code == 200
    with reading(parts.engine) as connection:
        (row,) = connection.execute(select(audit).where(audit.c.action == "delete")).all()
    assert (row.actor_id, row.object_id, row.outcome) == (None, done["study"], "too_old")


def test_a_deletion_that_was_cut_short_is_finished(
    parts: Parts, doctor: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = doctor.upload_one()["study_id"]
    age(parts, study, 2)

    def away(prefix: str) -> None:
        raise OSError

    with monkeypatch.context() as patch:
        patch.setattr(parts.store, "delete_prefix", away)
        with pytest.raises(OSError):
            delete_old(keeping(parts, 1))
    assert delete_old(keeping(parts, 1)) == 1
    assert doctor.get(f"/v1/studies/{study}").status_code == 404
    assert A_ROUND > 1
