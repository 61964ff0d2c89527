"""The App tier with a real Redis, a real database, the real intake sandbox and a stand-in for the ML tier."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from apiflask import APIFlask
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST
from dramatiq import Worker
from flask.testing import FlaskClient
from urllib3.filepost import encode_multipart_formdata
from werkzeug.test import TestResponse

from app_service.accounts import passwords
from app_service.accounts.create import create_accounts
from app_service.intake.limits import IntakeSettings
from app_service.parts import Parts, open_parts
from app_service.running.leases import Leases
from app_service.running.progress import keep_looking
from app_service.running.run_job import run_job
from app_service.settings import Settings
from app_service.storage.migrate import migrate
from app_service.web import create_app
from tests.app_service.fake_ml import FakeMl
from tests.app_service.one_connection import one_connection as one_connection  # a fixture for every test here

SERVICE_TOKEN = "between-services"
PASSWORD = "a long enough password"


@pytest.fixture(scope="session")
def intake_socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("intake") / "socket"
    process = subprocess.Popen([sys.executable, "-m", "app_service.intake.sandbox", str(path)])
    wait_until(path.exists)
    yield path
    process.terminate()
    process.wait()


@pytest.fixture
def ml() -> Iterator[FakeMl]:
    fake = FakeMl()
    yield fake
    fake.stop()


@pytest.fixture
def settings(tmp_path: Path, database_url: str, redis_url: str, ml: FakeMl, intake_socket: Path) -> Settings:
    return Settings(
        database_url=database_url,
        redis_url=redis_url,
        store_url=f"file://{tmp_path}/objects",
        ml_url=ml.url,
        ml_service_token="for-ml",
        service_token=SERVICE_TOKEN,
        intake=IntakeSettings(intake_socket),
        max_file_bytes=2**20,
        account_key="a key of the tests",
        worker_port=0,
        ml_timeout_s=5,
    )


@pytest.fixture
def parts(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Parts]:
    """Migrated, with the accounts doctor, other (a doctor too), admin and ops; their passwords cost little to check."""
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher.from_parameters(CHEAPEST))
    migrate(settings.database_url)
    opened = open_parts(settings)
    create_accounts(opened.engine, {"doctor": PASSWORD, "admin": PASSWORD})
    create_accounts(opened.engine, {"other": PASSWORD}, role="doctor")
    create_accounts(opened.engine, {"ops": PASSWORD})
    yield opened
    opened.engine.dispose()


@pytest.fixture
def app(parts: Parts) -> Iterator[APIFlask]:
    made = create_app(parts.settings)
    yield made
    made.extensions["lightbox"].engine.dispose()


@dataclass
class Caller:
    """A signed-in person with the portal's service token, as NGINX or the UI would pass it on."""

    client: FlaskClient
    headers: dict[str, str]

    def request(self, method: str, path: str, **options: Any) -> TestResponse:
        headers = self.headers | options.pop("headers", {})
        return self.client.open(path, method=method, headers=headers, **options)

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> TestResponse:
        return self.request("POST", path, **options)

    def upload(self, *files: tuple[bytes, str], **options: Any) -> TestResponse:
        """As requests, curl and browsers encode it; Flask's test client leaves an empty file's last line break out."""
        form = {name: [each] if isinstance(each, str) else each for name, each in options.pop("form", {}).items()}
        fields: list[tuple[str, Any]] = [("file", (name, data)) for data, name in files]
        fields += [(name, text) for name, texts in form.items() for text in texts]
        body, content_type = encode_multipart_formdata(fields)
        return self.post("/v1/studies", data=body, content_type=content_type, **options)

    def upload_one(self, seed: int = 0) -> dict[str, Any]:
        """The job of a film uploaded now."""
        answer = self.upload((film(seed), "film.png"))
        assert answer.status_code == 201, answer.text
        return dict(answer.json["jobs"][0])  # type: ignore[index]

    def job(self, job_id: str) -> dict[str, Any]:
        answer = self.get(f"/v1/jobs/{job_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json or {})


def sign_in(app: APIFlask, username: str, password: str = PASSWORD) -> Caller:
    service = {"X-Service-Token": SERVICE_TOKEN}
    client = app.test_client()
    answer = client.post("/v1/sessions", json={"username": username, "password": password}, headers=service)
    assert answer.status_code == 201, answer.text
    return Caller(client, service | {"Authorization": f"Bearer {answer.json['token']}"})  # type: ignore[index]


@pytest.fixture
def doctor(app: APIFlask) -> Caller:
    return sign_in(app, "doctor")


@pytest.fixture
def other(app: APIFlask) -> Caller:
    return sign_in(app, "other")


@pytest.fixture
def admin(app: APIFlask) -> Caller:
    return sign_in(app, "admin")


@pytest.fixture
def ops(app: APIFlask) -> Caller:
    return sign_in(app, "ops")


@pytest.fixture
def anyone(app: APIFlask) -> Caller:
    return Caller(app.test_client(), {"X-Service-Token": SERVICE_TOKEN})


@pytest.fixture
def worker(parts: Parts) -> Iterator[Worker]:
    """A worker that renews leases and asks how far jobs are. Without a reconciler: a test that needs a round asks."""
    leases = Leases(parts.engine)
    parts.queue.serve(partial(run_job, parts, leases))
    running = Worker(parts.queue.broker, worker_timeout=100, worker_threads=4)
    threading.Thread(target=leases.keep, args=(parts.stopping,), daemon=True).start()
    threading.Thread(target=keep_looking, args=(parts, parts.stopping), daemon=True).start()
    running.start()
    yield running
    parts.stopping.set()
    running.stop(timeout=2000)


def film(seed: int = 0, rows: int = 96, columns: int = 128) -> bytes:
    """A grey PNG that differs with `seed`."""
    pixels = np.random.default_rng(seed).integers(0, 255, (rows, columns), np.uint8)
    return bytes(cv2.imencode(".png", pixels)[1])


def wait_until(true: Callable[[], object], within_s: float = 10.0) -> None:
    """Raises AssertionError when it does not come true in time."""
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
