"""Worker and api as processes of their own: they end when told to, and a sudden death costs nothing but time."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
import requests
from apiflask import APIFlask
from sqlalchemy import select

from app_service.parts import Parts
from app_service.settings import Settings
from app_service.storage.database import reading
from app_service.storage.records import audit
from tests.app_service.conftest import SERVICE_TOKEN, Caller, sign_in, wait_until
from tests.app_service.fake_ml import FakeMl
from tests.conftest import RedisServer, free_port

Start = Callable[[], "subprocess.Popen[bytes]"]
START_S = 60  # a new interpreter on a busy machine


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def environment(parts: Parts, settings: Settings, port: int) -> dict[str, str]:
    """What a process of App is told."""
    return os.environ | {
        "LIGHTBOX_DATABASE_URL": settings.database_url,
        "LIGHTBOX_REDIS_URL": settings.redis_url,
        "LIGHTBOX_STORE_URL": settings.store_url,
        "LIGHTBOX_ML_URL": settings.ml_url,
        "LIGHTBOX_ML_SERVICE_TOKEN": settings.ml_service_token,
        "LIGHTBOX_APP_SERVICE_TOKEN": SERVICE_TOKEN,
        "LIGHTBOX_INTAKE_SOCKET": str(settings.intake.socket),
        "LIGHTBOX_WORKER_PORT": str(port),
    }


@pytest.fixture
def start(environment: dict[str, str], port: int) -> Iterator[Start]:
    """Starts a worker and waits until it says that it is well."""
    started: list[subprocess.Popen[bytes]] = []

    def begin() -> "subprocess.Popen[bytes]":
        started.append(subprocess.Popen([sys.executable, "-m", "app_service.worker"], env=environment))
        wait_until(lambda: answers(port), within_s=START_S)
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.wait()


def answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).ok
    except (requests.ConnectionError, requests.Timeout):
        return False


def state(doctor: Caller, job_id: str) -> str:
    return str(doctor.job(job_id)["state"])


def test_a_job_whose_worker_is_killed_finishes_once(doctor: Caller, start: Start, ml: FakeMl) -> None:
    ml.steps = 50  # of 0.1 s
    process = start()
    job = doctor.upload_one()
    wait_until(lambda: doctor.job(job["id"])["progress"])
    process.kill()
    process.wait()
    ml.steps = 0
    start()
    wait_until(lambda: state(doctor, job["id"]) == "succeeded", within_s=25)
    done = doctor.job(job["id"])
    assert (done["attempt"], done["progress"]) == (2, None)
    assert ml.ids == [f"{job['id']}-1", f"{job['id']}-2"] and ml.called_off == []


def test_jobs_that_wait_when_redis_loses_everything_all_finish_once(
    app: APIFlask, doctor: Caller, start: Start, ml: FakeMl, redis_server: RedisServer
) -> None:
    ml.delay_s = 0.5
    start()
    for seed in range(30):
        doctor.upload_one(seed)
    redis_server.stop()
    redis_server.start()
    doctor = sign_in(app, "doctor")

    def done() -> bool:
        return {job["state"] for job in doctor.get("/v1/jobs").json["items"]} == {"succeeded"}  # type: ignore[index]

    wait_until(done, within_s=60)
    jobs = doctor.get("/v1/jobs").json["items"]  # type: ignore[index]
    assert len(jobs) == 30 and {job["attempt"] for job in jobs} == {1}
    assert ml.asked == 30


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_when_told_to_end_it_finishes_its_job_and_ends(
    doctor: Caller, start: Start, ml: FakeMl, port: int, parts: Parts
) -> None:
    ml.delay_s = 1.0
    process = start()
    text = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text
    assert "lightbox_app_queue_jobs" in text and "lightbox_app_queue_wait_seconds" in text
    job = doctor.upload_one()
    wait_until(lambda: ml.asked == 1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 0
    assert state(doctor, job["id"]) == "succeeded"
    assert life_of(parts, "worker") == ["start", "configure", "stop"]


def life_of(parts: Parts, service: str) -> list[str]:
    with reading(parts.engine) as connection:
        query = select(audit.c.action).where(audit.c.object_id == service).order_by(audit.c.seq)
        return list(connection.execute(query).scalars())


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_api_writes_down_that_it_began_and_ended(environment: dict[str, str], parts: Parts, port: int) -> None:
    command = [sys.executable, "-m", "gunicorn", "--config", "app_service/gunicorn.conf.py"]
    api = subprocess.Popen([*command, "--bind", f"127.0.0.1:{port}"], env=environment)
    try:
        wait_until(lambda: answers(port), within_s=START_S)
        api.send_signal(signal.SIGTERM)
        assert api.wait(timeout=20) == 0
    finally:
        api.kill()
    assert life_of(parts, "app") == ["start", "configure", "stop"]
