"""The App tier that takes the bad inputs: a real sandbox, Redis, database and store, and all that it says."""

import gzip
import io
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import redis
from apiflask import APIFlask
from sqlalchemy import text

from app_service.accounts.create import create_accounts
from app_service.intake.limits import IntakeSettings
from app_service.parts import open_parts
from app_service.settings import Settings
from app_service.storage.database import reading
from app_service.storage.migrate import migrate
from app_service.web import create_app
from portal_wire.logs import JsonLines
from tests.app_service.conftest import PASSWORD, SERVICE_TOKEN, Caller, film, sign_in, wait_until
from tests.bad_input.case import CANARY_REFERENCE

TABLES = ("studies", "jobs", "artifacts", "idempotency")


@dataclass(frozen=True)
class Tier:
    """A signed-in doctor and what a test may look at: `said` is every log line of this process."""

    app: APIFlask
    doctor: Caller
    folder: Path
    redis: "redis.Redis"
    said: io.StringIO
    sandbox_log: Path

    def upload(self, data: bytes, name: str) -> tuple[Any, float]:
        """The answer and how many seconds it took."""
        began = time.monotonic()
        answer = self.doctor.upload((data, name), form={"patient_reference": CANARY_REFERENCE})
        return answer, time.monotonic() - began

    def stored(self) -> dict[str, Any]:
        """What there is: files of the store and of the sandbox, rows of the tables, and messages in the queue."""
        places = (self.folder / "objects", self.folder / "tmp")
        files = {str(path.relative_to(self.folder)) for place in places for path in place.rglob("*")}
        with reading(self.app.extensions["lightbox"].engine) as connection:
            rows = {table: connection.execute(text(f"SELECT count(*) FROM {table}")).scalar() for table in TABLES}
        return {"files": files, "rows": rows, "queued": self.redis.llen("dramatiq:jobs")}

    def refusals(self) -> list[str]:
        """The outcomes of all uploads that became no study, by the audit; an object none of them has."""
        asked = text("SELECT outcome FROM audit WHERE action = 'upload' AND object_id IS NULL ORDER BY seq")
        with reading(self.app.extensions["lightbox"].engine) as connection:
            return list(connection.execute(asked).scalars())

    def good_upload(self) -> int:
        """A good film is taken, and goes again. Returns how many messages it left in the queue."""
        doctor = Caller(self.app.test_client(), self.doctor.headers)  # another one may be amid an upload
        answer = doctor.upload((film(time.monotonic_ns() % 2**32), "good.png"))
        assert answer.status_code == 201, answer.text
        for study in answer.json["studies"]:
            assert doctor.request("DELETE", f"/v1/studies/{study['id']}").status_code == 204
        return len(answer.json["jobs"])

    def delete(self, studies: list[dict[str, Any]]) -> None:
        for study in studies:
            assert self.doctor.request("DELETE", f"/v1/studies/{study['id']}").status_code == 204

    def ready(self) -> bool:
        return self.app.test_client().get("/readyz").status_code == 200

    def everything_said(self) -> str:
        """Logs of the App tier and of the sandbox, and the metrics."""
        metrics = self.app.test_client().get("/metrics").text
        return self.said.getvalue() + self.sandbox_log.read_text() + metrics


@dataclass(frozen=True)
class Kept:
    """The studies that a file became."""

    tier: Tier
    studies: list[dict[str, Any]]

    def pictures(self) -> list[bytes]:
        """What a browser shows of each."""
        answers = [self.tier.doctor.get(f"/v1/studies/{study['id']}/image") for study in self.studies]
        assert {answer.status_code for answer in answers} <= {200}
        return [answer.data for answer in answers]

    def copies(self) -> list[bytes]:
        """Everything that lies in the store but the originals, unpacked."""
        store = self.tier.folder / "objects" / "studies"
        files = [path for study in self.studies for path in (store / study["id"]).iterdir() if path.name != "original"]
        packed = [path.read_bytes() for path in files]
        return [gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data for data in packed]


def rss_mb() -> float:
    return float(psutil.Process(os.getpid()).memory_info().rss / 2**20)


@contextmanager
def started(folder: Path, redis_url: str, ml_url: str) -> Iterator[Tier]:
    """A tier with its usual limits."""
    said, sandbox_log = io.StringIO(), folder / "sandbox.log"
    handler = logging.StreamHandler(said)
    handler.setFormatter(JsonLines())
    loggers = [logging.getLogger("lightbox"), logging.getLogger()]
    socket, temporary = folder / "socket", folder / "tmp"
    temporary.mkdir()
    with sandbox_log.open("wb") as log:
        sandbox = subprocess.Popen(
            [sys.executable, "-m", "app_service.intake.sandbox", str(socket)],
            stderr=log,
            env=os.environ | {"TMPDIR": str(temporary)},
        )
    settings = Settings(
        database_url=f"sqlite:///{folder}/test.db",
        redis_url=redis_url,
        store_url=f"file://{folder}/objects",
        ml_url=ml_url,
        ml_service_token="for-ml",
        service_token=SERVICE_TOKEN,
        intake=IntakeSettings(socket),
        worker_port=0,
    )
    migrate(settings.database_url)
    parts = open_parts(settings)
    create_accounts(parts.engine, {"doctor": PASSWORD, "admin": PASSWORD})
    create_accounts(parts.engine, {"other": PASSWORD}, role="doctor")
    app = create_app(settings)
    for logger in loggers:
        logger.addHandler(handler)
    wait_until(socket.exists)
    tier = Tier(app, sign_in(app, "doctor"), folder, redis.Redis.from_url(redis_url), said, sandbox_log)
    tier.good_upload()
    try:
        yield tier
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
        app.extensions["lightbox"].engine.dispose()
        parts.engine.dispose()
        sandbox.terminate()
        sandbox.wait()
