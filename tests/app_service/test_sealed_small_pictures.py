"""Small pictures that lie in the database are sealed too, with the keys of the store; on SQLite and PostgreSQL."""

from dataclasses import replace
from pathlib import Path

import pytest
from dramatiq import Worker
from sqlalchemy import select, update

from app_service.parts import Parts
from app_service.settings import Settings
from app_service.storage.database import reading, writing
from app_service.storage.object_store import open_store, plain_store
from app_service.storage.records import artifacts
from app_service.storage.sealed_file import MAGIC
from app_service.storage.store_keys import StoreKeys, TextKey
from tests.app_service.conftest import Caller, film, wait_until
from tests.app_service.fake_ml import FakeMl

FIRST, SECOND = TextKey("the first key of the tests"), TextKey("the second key of the tests")
PICTURE = film(9, 16, 16)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, store_key=FIRST)


@pytest.fixture
def jobs(doctor: Caller, worker: Worker, ml: FakeMl) -> list[str]:
    """Two finished ones, each with a heat map."""
    ml.heatmap = PICTURE
    made = [str(doctor.upload_one(number)["id"]) for number in (1, 2)]
    wait_until(lambda: all(doctor.job(job)["state"] == "succeeded" for job in made), 60)
    return made


def heatmap(doctor: Caller, job: str) -> tuple[int, bytes]:
    answer = doctor.get(f"/v1/jobs/{job}/artifacts/heatmap.png")
    return answer.status_code, answer.data


def kept(parts: Parts, job: str) -> bytes:
    with reading(parts.engine) as connection:
        return bytes(connection.execute(select(artifacts.c.content).where(artifacts.c.job_id == job)).scalar_one())


def put(parts: Parts, job: str, content: bytes) -> None:
    with writing(parts.engine) as connection:
        connection.execute(update(artifacts).where(artifacts.c.job_id == job).values(content=content))


def test_the_database_holds_nothing_in_the_clear(doctor: Caller, parts: Parts, jobs: list[str]) -> None:
    for job in jobs:
        row = kept(parts, job)
        assert row.startswith(MAGIC) and b"PNG" not in row and PICTURE[20:60] not in row
        assert heatmap(doctor, job) == (200, PICTURE)
        assert doctor.get(f"/v1/jobs/{job}/artifacts/overlay.png").data.startswith(b"\x89PNG")
        (told,) = [one for one in doctor.job(job)["artifacts"] if one["name"] == "heatmap.png"]
        assert told["size_bytes"] == len(PICTURE)
    assert kept(parts, jobs[0]) != kept(parts, jobs[1])


def test_what_lay_there_before_a_key_was_set_is_read_as_it_is(doctor: Caller, parts: Parts, jobs: list[str]) -> None:
    put(parts, jobs[0], PICTURE)
    assert heatmap(doctor, jobs[0]) == (200, PICTURE)


def test_what_was_changed_or_moved_to_another_job_does_not_open(doctor: Caller, parts: Parts, jobs: list[str]) -> None:
    first, second = kept(parts, jobs[0]), kept(parts, jobs[1])
    for wrong in (second, first[:-1] + bytes([first[-1] ^ 1]), first[:40], first[:-20]):
        put(parts, jobs[0], wrong)
        status, said = heatmap(doctor, jobs[0])
        assert status == 503 and b"PNG" not in said
    put(parts, jobs[0], first)
    assert heatmap(doctor, jobs[0]) == (200, PICTURE)


def test_another_outer_key_opens_them_without_a_row_written_anew(parts: Parts, jobs: list[str], tmp_path: Path) -> None:
    name, row = f"jobs/{jobs[0]}/1/heatmap.png", kept(parts, jobs[0])
    StoreKeys(plain_store(parts.settings.store_url), FIRST).rewrap(SECOND)
    store = open_store(parts.settings.store_url, SECOND)
    assert store.opened(name, row) == PICTURE
    later = store.sealed(name, PICTURE)
    assert later != row and store.opened(name, later) == PICTURE
