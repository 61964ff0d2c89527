"""A stand-in for App: answers with the contract's own objects, keeps everything in memory, on a real port."""

import itertools
import queue
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask, Response, jsonify, request

from portal_wire.contract import Job, JobState, Model, Result, Session, Study, User
from portal_wire.errors import Forbidden, PortalError, Unauthenticated
from portal_wire.http_server import problem
from portal_wire.ids import new_id
from tests.ui_service import (
    fake_accounts,
    fake_direct,
    fake_jobs,
    fake_models,
    fake_prompts,
    fake_sharing,
    fake_studies,
)
from tests.ui_service.fake_answers import grey_png
from tests.ui_service.fake_models import MODEL
from tests.ui_service.fake_server import wire

PASSWORD = "correct horse battery"
SERVICE_TOKEN = "service-token-of-the-tests"
_ADMINS = ("/v1/models", "/v1/sessions", "/v1/me", "/v1/status", *fake_accounts.PATHS)


class FakeApp:
    """What a test reads and changes. `calls` holds every request as "METHOD /path"."""

    def __init__(self) -> None:
        self.studies: dict[str, Study] = {}
        self.jobs: dict[str, Job] = {}
        self.models: list[Model] = [MODEL]
        self.images: dict[str, bytes] = {}
        self.files: dict[tuple[str, str], bytes] = {}  # what jobs made, by job and name; a grey picture for others
        self.uploads: list[bytes] = []
        self.archived: list[str] = []  # the jobs of the last archive
        self.archived_as: dict[str, str] = {}  # how it was asked for
        self.calls: list[str] = []
        self.bodies: list[bytes] = []  # of each call
        self.by_itself: list[bool] = []  # of each call whether a page made it while nobody touched it
        self.changes: list[tuple[str, str]] = []  # of versions: (version, state)
        self.tokens: dict[str, User] = {}
        self.listeners: list[queue.Queue[tuple[str, str]]] = []
        self.numbers = itertools.count(1)
        self.broken: PortalError | None = None  # every call but signing in answers this
        self.refuse_streams = False
        self.fills = True  # boxes are outlined as soon as they are drawn
        self.site: dict[str, Any] = {"reviewed": {"normal": 12, "pneumonia": 40}, "left_out": {"unsure": 3}, "fits": []}
        self.status: dict[str, Any] = {
            "dependencies": {"database": None, "redis": "ConnectionError", "store": None, "ml": None},
            "queue": {"waiting": 3, "oldest_s": 75.0, "running": 12, "given_up": 1},
            "failures": [
                {
                    "finished_at": "2026-11-21T08:30:00Z",
                    "model": "pneumonia",
                    "version": "2",
                    "code": "failed_repeatedly",
                }
            ],
        }
        self.accounts = fake_accounts.Accounts()
        self.sharing = fake_sharing.Sharing()
        self.bucket: fake_direct.Bucket | None = None  # where large files go straight to; None: they do not
        self.url = ""

    def add_study(self, filename: str = "film.png", image: bytes | None = None, **changed: Any) -> Study:
        study = Study(
            **{
                "id": new_id(),
                "kind": "image",
                "modality": "DX",
                "filename": filename,
                "size_bytes": 812_345,
                "sha256": "0" * 64,
                "shape": [480, 400],
                "spacing_mm": None,
                "patient_reference": None,
                "uploaded_at": datetime.now(UTC),
                "uploaded_by": "doctor",
                **changed,
            }
        )
        self.studies[study.id] = study
        self.images[study.id] = image or grey_png()
        return study

    def add_job(self, study: Study, state: JobState = JobState.QUEUED, **changed: Any) -> Job:
        job = Job(
            **{
                "id": new_id(),
                "study_id": study.id,
                "model": "pneumonia",
                "version": "1",
                "state": state,
                "attempt": 1,
                "position": None,
                "progress": None,
                "created_at": datetime.now(UTC),
                "started_at": None,
                "finished_at": None,
                "error": None,
                "result": None,
                "artifacts": [],
                **changed,
            }
        )
        self.jobs[job.id] = job
        return job

    def end_sessions(self) -> None:
        """As when an administrator disables every account: no token is known any more, and streams end."""
        self.tokens.clear()
        for listener in self.listeners:
            listener.put((str(next(self.numbers)), ""))

    def change(self, job: Job, **changed: Any) -> Job:
        """Change a job and tell every stream."""
        changed_job = Job.model_validate(self.jobs[job.id].model_dump() | changed)
        self.jobs[job.id] = changed_job
        for listener in self.listeners:
            listener.put((str(next(self.numbers)), changed_job.model_dump_json()))
        return changed_job

    def succeed(self, job: Job, result: Result) -> Job:
        base = f"/v1/jobs/{job.id}/artifacts"
        artifacts = [
            {"name": name, "media_type": "image/png", "size_bytes": size, "url": f"{base}/{name}"}
            for name, size in (("heatmap.png", 5120), ("overlay.png", None))
            if result.findings
        ]
        return self.change(job, state=JobState.SUCCEEDED, result=result.model_dump(), artifacts=artifacts)

    def outline(self, job: Job, result: Result, files: dict[str, bytes]) -> Job:
        """Succeed with a mask; its tables are as App's."""
        self.files |= {(job.id, name): data for name, data in files.items()}
        base = f"/v1/jobs/{job.id}/artifacts"
        artifacts = [
            {"name": name, "media_type": "x/y", "size_bytes": 2048, "url": f"{base}/{name}"}
            for name in (*files, "statistics.json", "measurements.csv")
        ]
        return self.change(job, state=JobState.SUCCEEDED, result=result.model_dump(), artifacts=artifacts)


def build(fake: FakeApp) -> Flask:
    """The Flask application in front of `fake`."""
    app = Flask(__name__)

    @app.errorhandler(PortalError)
    def answer_error(error: PortalError) -> Response:
        return problem(error)

    @app.before_request
    def check() -> None:
        fake.calls.append(f"{request.method} {request.path}")
        fake.bodies.append(request.get_data(cache=True, parse_form_data=False))
        fake.by_itself.append("X-By-Itself" in request.headers)
        if request.path == "/readyz":
            return
        if request.headers.get("X-Service-Token") != SERVICE_TOKEN:
            raise Unauthenticated("no service token", code="service_token")
        if request.path == "/v1/sessions" or request.path.startswith("/v1/directory"):
            return
        user = fake.tokens.get(request.headers.get("Authorization", "").removeprefix("Bearer "))
        if user is None:
            raise Unauthenticated("Please sign in.")
        if fake.broken:
            raise fake.broken
        if user.role == "admin" and not request.path.startswith(_ADMINS):
            raise Forbidden("not for administrators")

    fake_accounts.equip(app, fake)
    fake_direct.equip(app, fake)
    fake_sharing.equip(app, fake)
    fake_jobs.equip(app, fake)
    fake_models.equip(app, fake)
    fake_prompts.equip(app, fake)
    fake_studies.equip(app, fake)
    _equip_sessions(app, fake)
    return app


def _equip_sessions(app: Flask, fake: FakeApp) -> None:
    """Signing in and out, and how the tiers stand."""

    @app.get("/readyz")
    def readyz() -> Response:
        return jsonify(status="ready")

    @app.post("/v1/sessions")
    def sign_in() -> tuple[Response, int]:
        body = request.get_json()
        if body["password"] != PASSWORD or body["username"] not in ("doctor", "admin", "ops"):
            raise Unauthenticated("The name or the password is wrong.", code="wrong_credentials")
        if fake.accounts.factor["state"] == "on" and body.get("otp") != fake_accounts.CODE:
            raise Unauthenticated("This account asks for a code as well.", code="otp_needed")
        user = User(id=new_id(), username=body["username"], role=body["username"])
        token = new_id() + new_id()
        fake.tokens[token] = user
        return wire(Session(token=token, expires_at=datetime.now(UTC) + timedelta(hours=8), user=user)), 201

    @app.delete("/v1/sessions/current")
    def sign_out() -> tuple[str, int]:
        fake.tokens.pop(request.headers["Authorization"].removeprefix("Bearer "))
        return "", 204

    @app.get("/v1/me")
    def me() -> Response:
        return wire(fake.tokens[request.headers["Authorization"].removeprefix("Bearer ")])

    @app.get("/v1/status")
    def status() -> Response:
        return jsonify(fake.status)
