"""A stand-in for App: answers with the contract's own objects, keeps everything in memory, on a real port."""

import io
import itertools
import json
import queue
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask, Response, jsonify, request
from PIL import Image
from werkzeug.serving import WSGIRequestHandler, make_server

from portal_wire.contract import Job, JobState, Limits, Model, Result, Review, Session, Study, Timings, User
from portal_wire.errors import (
    Conflict,
    Forbidden,
    NotFound,
    PortalError,
    TooLarge,
    Unauthenticated,
    Unprocessable,
    UnsupportedMedia,
)
from portal_wire.http_server import problem
from portal_wire.ids import new_id
from tests.ui_service import fake_accounts

PASSWORD = "correct horse battery"
SERVICE_TOKEN = "service-token-of-the-tests"
_BEAT_S = 0.5
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
        self.calls: list[str] = []
        self.by_itself: list[bool] = []  # of each call whether a page made it while nobody touched it
        self.changes: list[tuple[str, str]] = []  # of versions: (version, state)
        self.tokens: dict[str, User] = {}
        self.listeners: list[queue.Queue[tuple[str, str]]] = []
        self.numbers = itertools.count(1)
        self.broken: PortalError | None = None  # every call but signing in answers this
        self.refuse_streams = False
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


def outlined(*measurements: dict[str, Any]) -> Result:
    """What a model that gives masks would say."""
    sizes = [{"label": f"structure_{index}", "index": index} | each for index, each in enumerate(measurements, 1)]
    of_masks = {"calibrated": False, "uncertain_band": None, "measurements": sizes}
    return answer("segmented", findings=[], **of_masks)


def answer(label: str = "pneumonia", probability: float = 0.91, **changed: Any) -> Result:
    """What the pneumonia model would say."""
    finding = {"label": "pneumonia", "probability": probability, "threshold": 0.46, "positive": label == "pneumonia"}
    return Result.model_validate(
        {
            "label": label,
            "findings": [finding],
            "calibrated": True,
            "uncertain_band": [0.38, 0.52],
            "in_distribution": True,
            "ood_score": 0.2,
            "warnings": [],
            "timings_s": Timings(queue=0.02, prepare=0.05, network=0.11, interpret=0.03, total=0.34),
            **changed,
        }
    )


def not_answered() -> Result:
    warning = {"code": "not_recognised", "detail": "This does not look like a chest X-ray."}
    return answer("not_answered", findings=[], in_distribution=False, ood_score=9.1, warnings=[warning])


def grey_png(side: int = 400) -> bytes:
    """A soft grey disc on black."""
    image = Image.radial_gradient("L").resize((side, side)).point(lambda value: 255 - value)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


MODEL = Model.model_validate(
    {
        "name": "pneumonia",
        "title": "Pneumonia on chest X-rays",
        "task": "Pneumonia or not, on one frontal chest X-ray",
        "kind": "image",
        "modalities": ["DX", "CR"],
        "labels": ["pneumonia"],
        "negative_label": "normal",
        "active_version": "1",
        "limits": ["Adults: it has learned from children of one to five years.", "Lateral views."],
        "versions": [
            {
                "version": "1",
                "state": "active",
                "architecture": "house",
                "parameters": 1_234_567,
                "trained_at": "2026-11-21",
                "metrics": {
                    "test": {"auc": {"value": 0.981, "low": 0.972, "high": 0.989}, "n": 624},
                    "beside_baselines": {"as_they_are": {"this model": {"auc": 0.981, "accuracy": 0.94}}},
                    "readings": [
                        {"date": "2026-11-21T10:00:00", "version": "1", "auc": 0.981, "reason": "its release"}
                    ],
                },
                "card": "# Purpose\n\nA second look.\n\n<script>alert(1)</script>\n\n"
                "## Patients\n\nChildren of one hospital.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n",
                "plots": ["roc.png"],
            }
        ],
    }
)
LAYER = {"name": "stem", "kind": "Conv2D", "output": [96, 96, 16], "parameters": 400, "multiply_adds": 3_686_400}
NETWORK = {"architecture": "house", "input": [192, 192, 1], "parameters": 400, "multiply_adds": 3_686_400}


def outliner(name: str, kind: str = "image") -> Model:
    """A model that gives masks."""
    facts = {"name": name, "title": name, "kind": kind, "labels": ["right_lung", "left_lung"], "negative_label": None}
    return MODEL.model_copy(update=facts | {"task": name, "modalities": ["DX"] if kind == "image" else ["CT"]})


def versions(count: int) -> Model:
    """The model in so many versions, of which the first is in use."""
    (first,) = MODEL.versions
    sizes = {"weights_bytes": 2_400_000, "architecture": "cnn4"}
    more = [first.model_copy(update={"version": str(n), "state": "available"} | sizes) for n in range(2, count + 1)]
    return MODEL.model_copy(update={"versions": [first, *more]})


LIMITS = Limits(
    max_file_bytes=5_000_000,
    max_pixels=50_000_000,
    max_files_per_upload=20,
    media_types=["image/png", "image/jpeg"],
)


def site_fit_of(number: int, worse: tuple[str, ...] = ("sensitivity",)) -> dict[str, Any]:
    """A fit to the site, not in force."""
    scores = {name: {"value": 0.9, "low": 0.85, "high": 0.94} for name in ("accuracy", "sensitivity", "specificity")}
    scores |= {"ece": 0.053, "brier": 0.063, "uncertain_share": 0.1, "confusion": [[40, 5], [10, 60]]}
    bins = [{"said": 0.1, "came": 0.2, "share": 0.4}, {"said": 0.9, "came": 0.8, "share": 0.6}]
    before = scores | {"reliability": bins}
    evidence = {"n": 115, "classes": {"normal": 45, "pneumonia": 70}, "patients": 100, "folds": 5}
    evidence |= {"before": before, "after": before | {"ece": 0.029}, "worse": list(worse)}
    evidence |= {"ece_by_chance": {"mean": 0.034, "high": 0.05}}
    facts = {"id": f"fit-{number}", "source": "reviews", "created_by": "admin", "in_force": False}
    return facts | {"created_at": "2026-11-21T10:00:00Z", "parameters": {}, "evidence": evidence}


def build(fake: FakeApp) -> Flask:  # noqa: C901 (one small route after the other)
    """The Flask application in front of `fake`."""
    app = Flask(__name__)

    @app.errorhandler(PortalError)
    def answer_error(error: PortalError) -> Response:
        return problem(error)

    @app.before_request
    def check() -> None:
        fake.calls.append(f"{request.method} {request.path}")
        fake.by_itself.append("X-By-Itself" in request.headers)
        if request.path == "/readyz":
            return
        if request.headers.get("X-Service-Token") != SERVICE_TOKEN:
            raise Unauthenticated("no service token", code="service_token")
        if request.path == "/v1/sessions":
            return
        user = fake.tokens.get(request.headers.get("Authorization", "").removeprefix("Bearer "))
        if user is None:
            raise Unauthenticated("Please sign in.")
        if fake.broken:
            raise fake.broken
        if user.role == "admin" and not request.path.startswith(_ADMINS):
            raise Forbidden("not for administrators")

    fake_accounts.equip(app, fake)

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

    @app.get("/v1/limits")
    def limits() -> Response:
        return wire(LIMITS)

    @app.get("/v1/models")
    def models() -> Response:
        study = fake.studies.get(request.args.get("study_id", ""))
        suitable = [model for model in fake.models if study is None or study.modality in (*model.modalities, "OT")]
        return jsonify(items=[model.model_dump(mode="json") for model in suitable])

    @app.get("/v1/models/<name>")
    def model(name: str) -> Response:
        return wire(known({model.name: model for model in fake.models}, name))

    @app.get("/v1/models/<name>/versions/<version>/plots/<plot>")
    def plot(name: str, version: str, plot: str) -> Response:
        return Response(grey_png(64), mimetype="image/png")

    @app.get("/v1/models/<name>/versions/<version>/network")
    def network(name: str, version: str) -> Response:
        return jsonify(NETWORK | {"layers": [LAYER]})

    @app.get("/v1/models/<name>/versions/<version>/site-calibration")
    def site_state(name: str, version: str) -> Response:
        return jsonify(fake.site)

    @app.post("/v1/models/<name>/versions/<version>/site-calibration")
    def site_fit(name: str, version: str) -> tuple[Response, int]:
        if min(fake.site["reviewed"].values()) < 30:
            raise Unprocessable("A fit needs 30 of each class. There are: normal 12.", code="too_few_cases")
        fake.site["fits"].insert(0, site_fit_of(len(fake.site["fits"])))
        return jsonify(fake.site), 201

    @app.put("/v1/models/<name>/versions/<version>/site-calibration")
    def choose_site(name: str, version: str) -> Response:
        wanted = request.get_json()["in_force"]
        fake.site["fits"] = [fit | {"in_force": fit["id"] == wanted} for fit in fake.site["fits"]]
        return jsonify(fake.site)

    @app.patch("/v1/models/<name>/versions/<version>")
    def change_version(name: str, version: str) -> Response:
        body = request.get_json()
        (model,) = fake.models
        if body["instead_of"] != model.active_version:
            raise Conflict("Another version has been activated meanwhile. Please look again.", code="changed_meanwhile")
        fake.changes.append((version, body["state"]))
        return wire(model)

    @app.post("/v1/studies")
    def upload() -> tuple[Response, int]:
        fake.uploads.append(request.get_data(cache=True, parse_form_data=False))
        studies, jobs, rejected = [], [], []
        files = request.files.getlist("file")
        for file in files:
            content, name = file.read(), file.filename or ""
            error = _refusal(content)
            if error and len(files) == 1:
                raise error
            if error:
                rejected.append({"filename": name, "code": error.code, "detail": error.detail})
                continue
            study = fake.add_study(name, content if content.startswith(b"\x89PNG") else None, size_bytes=len(content))
            studies.append(study.model_dump(mode="json"))
            jobs.append(fake.add_job(study, position=1).model_dump(mode="json"))
        return jsonify(studies=studies, jobs=jobs, rejected=rejected), 201

    @app.get("/v1/studies")
    def studies() -> Response:
        found = sorted(fake.studies.values(), key=lambda study: study.id, reverse=True)
        q, state = request.args.get("q", ""), request.args.get("state")
        shown = [study for study in found if q in (study.patient_reference or study.filename)]
        if state:
            with_state = {job.study_id for job in fake.jobs.values() if job.state == state}
            shown = [study for study in shown if study.id in with_state]
        return jsonify(items=[study.model_dump(mode="json") for study in shown], next_cursor=None)

    @app.get("/v1/studies/<study_id>")
    def study(study_id: str) -> Response:
        return wire(known(fake.studies, study_id))

    @app.delete("/v1/studies/<study_id>")
    def delete(study_id: str) -> tuple[str, int]:
        known(fake.studies, study_id)
        del fake.studies[study_id]
        return "", 204

    @app.get("/v1/studies/<study_id>/volume")
    def volume(study_id: str) -> Response:
        return Response(fake.images[study_id], mimetype="application/gzip")

    @app.get("/v1/studies/<study_id>/image")
    @app.get("/v1/studies/<study_id>/original")
    def image(study_id: str) -> Response:
        known(fake.studies, study_id)
        return Response(fake.images[study_id], mimetype="image/png")

    @app.get("/v1/jobs")
    def jobs() -> Response:
        wanted = request.args["study_id"].split(",")
        purpose = request.args.get("purpose")
        found = [job for job in fake.jobs.values() if job.study_id in wanted and purpose in (None, job.purpose)]
        items = [job.model_dump(mode="json") for job in found]
        return jsonify(items=items, next_cursor=None)

    @app.post("/v1/jobs")
    def run() -> tuple[Response, int]:
        body = request.get_json()
        studies = [known(fake.studies, study_id) for study_id in body["study_ids"]]
        wanted = [{"model": one} if isinstance(one, str) else one for one in body["models"]]
        purpose = body.get("purpose", "answer")
        made = [fake.add_job(study, purpose=purpose, **one) for study in studies for one in wanted]
        return jsonify(jobs=[job.model_dump(mode="json") for job in made]), 202

    @app.get("/v1/jobs/<job_id>")
    def job(job_id: str) -> Response:
        return wire(known(fake.jobs, job_id))

    @app.post("/v1/jobs/<job_id>/<any(cancel, retry):action>")
    def act(job_id: str, action: str) -> tuple[Response, int]:
        job = known(fake.jobs, job_id)
        if job.state == JobState.SUCCEEDED:
            raise Conflict("This run has finished.", code="finished")
        state = JobState.CANCELLED if action == "cancel" else JobState.QUEUED
        return wire(fake.change(job, state=state, error=None)), 202

    @app.put("/v1/jobs/<job_id>/review")
    def review(job_id: str) -> Response:
        said = Review.model_validate(request.get_json() | {"reviewed_by": "doctor", "reviewed_at": datetime.now(UTC)})
        fake.change(known(fake.jobs, job_id), review=said.model_dump())
        return wire(said)

    @app.get("/v1/jobs/<job_id>/artifacts/<path:name>")
    def artifact(job_id: str, name: str) -> Response:
        known(fake.jobs, job_id)
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        kind = {"png": "image/png", "gz": "application/gzip"}.get(name.rsplit(".", 1)[-1], "text/plain")
        return Response(fake.files.get((job_id, name), grey_png(64)), mimetype=kind, headers=headers)

    @app.get("/v1/jobs/<job_id>/archive")
    @app.post("/v1/archive")
    def archive(job_id: str | None = None) -> Response:
        fake.archived = [job_id] if job_id else request.get_json()["job_ids"]
        headers = {"Content-Disposition": 'attachment; filename="lightbox.zip"'}
        return Response(b"PK\x05\x06" + bytes(18), mimetype="application/zip", headers=headers)

    @app.get("/v1/events")
    def events() -> Response:
        if fake.refuse_streams:
            raise Unauthenticated("no streams today", code="streams")
        heard: queue.Queue[tuple[str, str]] = queue.Queue()
        fake.listeners.append(heard)
        return Response(_stream(heard), mimetype="text/event-stream")

    return app


def known(shelf: dict[str, Any], key: str) -> Any:
    if key not in shelf:
        raise NotFound("There is no such thing.")
    return shelf[key]


def wire(shape: Any) -> Response:
    return Response(shape.model_dump_json(), mimetype="application/json")


def _refusal(content: bytes) -> PortalError | None:
    if len(content) > LIMITS.max_file_bytes:
        return TooLarge("This file is larger than 5 MB.", code="too_large")
    if not content.startswith((b"\x89PNG", b"\xff\xd8")):
        return UnsupportedMedia("Expected a PNG or JPEG image; this file is neither.", code="not_an_image")
    return None


def _stream(heard: "queue.Queue[tuple[str, str]]") -> Iterator[str]:
    yield ": hello\n\n"
    while True:
        try:
            event_id, job = heard.get(timeout=_BEAT_S)
        except queue.Empty:
            yield ": beat\n\n"
        else:
            if not job:
                yield "event: ended\ndata: {}\n\n"
                return
            yield f"id: {event_id}\nevent: job\ndata: {json.dumps(json.loads(job))}\n\n"


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:
        return


def serve(app: Flask, **options: Any) -> tuple[str, Any]:
    """Serve `app` on a free port in a thread; gives its address and a function that stops it."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet, **options)
    server.daemon_threads = True  # type: ignore[attr-defined]
    server.block_on_close = False  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}", server.shutdown
