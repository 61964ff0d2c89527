"""How each act of the audit comes about, by the portal's own ways in: the API, the worker's rounds, the programs.

A case does it and says what its row must hold. `test_every_act.py` fails for an act that has none.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import update

from app_service import audit as program
from app_service.accounts.audit import Action
from app_service.parts import Parts
from app_service.running import audit_watch, life
from app_service.running.audit_watch import AuditWatch
from app_service.running.leases import Leases
from app_service.running.reconcile import reconcile
from app_service.running.run_job import run_job
from app_service.storage.clock import now
from app_service.storage.database import writing
from app_service.storage.records import guests
from app_service.web import create_app
from tests.app_service.conftest import PASSWORD, Caller, sign_in, wait_until
from tests.app_service.fake_ml import SHA256, FakeMl
from tests.app_service.fake_prompted import FakePrompted
from tests.app_service.masks.test_prompted import outlined, png, study_of, two_discs
from tests.app_service.routes.test_second_factor import code, enrol
from tests.app_service.routes.test_site_calibration import PATH as SITE
from tests.app_service.routes.test_tokens import make

WHY = "A patient in the resuscitation room."
BUCKET = "https://bucket.test"


@dataclass(frozen=True)
class World:
    """The tier, and who acts in it. No worker runs unless a case starts one."""

    app: APIFlask
    parts: Parts
    ml: FakeMl
    doctor: Caller
    other: Caller
    admin: Caller
    request: pytest.FixtureRequest
    monkeypatch: pytest.MonkeyPatch

    def answered(self, seed: int = 0) -> dict[str, Any]:
        """A job that ran to its end."""
        job = self.doctor.upload_one(seed)
        run_job(self.parts, Leases(self.parts.engine), job["id"])
        return job

    def account(self, name: str = "other") -> str:
        accounts = (self.admin.get("/v1/users").json or {})["items"]
        return str(next(one["id"] for one in accounts if one["username"] == name))

    def watch(self) -> None:
        AuditWatch(self.parts).look()


@dataclass(frozen=True)
class Row:
    """What the newest row of an act must hold: by whom (None: the portal itself), about what, and how it ended."""

    by: str | None
    about: str | None
    outcome: str = "done"
    details: dict[str, Any] | None = None


CASES: dict[Action, Callable[[World], Row]] = {}


def case(action: Action) -> Callable[[Callable[[World], Row]], Callable[[World], Row]]:
    def keep(made: Callable[[World], Row]) -> Callable[[World], Row]:
        assert action not in CASES
        CASES[action] = made
        return made

    return keep


def ok(answer: Any) -> dict[str, Any]:
    assert answer.status_code < 300, answer.text
    return dict(answer.json or {}) if answer.data and answer.is_json else {}


@case("sign_in")
def _(world: World) -> Row:
    world.doctor.post("/v1/sessions", json={"username": "other", "password": "not the right one"})
    return Row("other", None, "refused")


@case("sign_out")
def _(world: World) -> Row:
    world.doctor.request("DELETE", "/v1/sessions/current")
    return Row("doctor", None)


@case("session_ended")
def _(world: World) -> Row:
    session = ok(world.other.get("/v1/me/sessions"))["items"][0]["id"]
    others = [key for key in world.parts.redis.keys("lightbox:session:*") if session in world.parts.redis.get(key)]
    world.parts.redis.delete(*others)  # as Redis does when it was not used for so long
    later = now().timestamp() + world.parts.settings.session_idle_s + 1
    world.monkeypatch.setattr("app_service.accounts.session_ends.time.time", lambda: later)
    world.watch()
    return Row("other", session, "idle")


@case("limited")
def _(world: World) -> Row:
    for _ in range(9):  # the further ones bring no further row
        world.doctor.post("/v1/sessions", json={"username": "other", "password": "not the right one"})
    return Row("other", "sessions.sign_in", "too_many_sign_ins")


@case("upload")
def _(world: World) -> Row:
    return Row("doctor", world.doctor.upload_one()["study_id"])


@contextmanager
def bucket(world: World) -> Iterator[tuple[Caller, str]]:
    """A doctor where large files go straight to the store, and an upload that has begun."""
    url = world.request.getfixturevalue("s3_url")
    settings = replace(world.parts.settings, store_url=url, store_origin=BUCKET, direct_upload_bytes=10)
    app = create_app(settings)
    doctor = sign_in(app, "doctor")
    wanted = {"filename": "film.png", "size_bytes": 1000, "media_type": "image/png"}
    yield doctor, str(ok(doctor.post("/v1/uploads", json=wanted))["id"])
    app.extensions["lightbox"].engine.dispose()


@case("begin_upload")
def _(world: World) -> Row:
    with bucket(world) as (_, upload):
        return Row("doctor", upload)


@case("abandon_upload")
def _(world: World) -> Row:
    with bucket(world) as (doctor, upload):
        ok(doctor.request("DELETE", f"/v1/uploads/{upload}"))
        return Row("doctor", upload)


def _looked(path: str) -> Callable[[World], Row]:
    def made(world: World) -> Row:
        study = world.doctor.upload_one()["study_id"]
        assert world.doctor.get(f"/v1/studies/{study}/{path}").status_code == 200
        return Row("doctor", study)

    return made


@case("list")
def _(world: World) -> Row:
    for seed in range(3):
        world.doctor.upload_one(seed)
    ok(world.doctor.get("/v1/studies?limit=2"))
    return Row("doctor", None, details={"studies": 2})


case("view")(_looked("image"))
case("preview")(_looked("image?max_side=96"))
case("download")(_looked("original"))


@case("delete")
def _(world: World) -> Row:
    study = world.doctor.upload_one()["study_id"]
    ok(world.doctor.request("DELETE", f"/v1/studies/{study}"))
    return Row("doctor", study)


@case("run")
def _(world: World) -> Row:
    study = world.doctor.upload_one()["study_id"]
    ok(world.doctor.post(f"/v1/studies/{study}/jobs", json={"model": "pneumonia"}))
    return Row("doctor", study)


@case("cancel")
def _(world: World) -> Row:
    job = world.doctor.upload_one()["id"]
    ok(world.doctor.post(f"/v1/jobs/{job}/cancel"))
    return Row("doctor", job)


@case("retry")
def _(world: World) -> Row:
    job = CASES["cancel"](world).about
    ok(world.doctor.post(f"/v1/jobs/{job}/retry"))
    return Row("doctor", job)


def _attempt(number: int = 1) -> dict[str, Any]:
    return {"attempt": number, "model": "pneumonia", "version": "1", "model_sha256": SHA256}


@case("commit")
def _(world: World) -> Row:
    job = world.answered()
    return Row(None, job["id"], "done", _attempt())


@case("fence")
def _(world: World) -> Row:
    job, world.ml.delay_s = world.doctor.upload_one(), 0.5
    running = threading.Thread(target=run_job, args=(world.parts, Leases(world.parts.engine), job["id"]))
    running.start()
    wait_until(lambda: world.doctor.job(job["id"])["state"] == "running")
    ok(world.doctor.post(f"/v1/jobs/{job['id']}/cancel"))
    running.join()
    return Row(None, job["id"], "done", _attempt())


@case("break_off")
def _(world: World) -> Row:
    world.ml.status, world.ml.code = 500, "internal"
    job = world.answered()
    return Row(None, job["id"], "internal", _attempt())


@case("fail")
def _(world: World) -> Row:
    world.ml.status, world.ml.code = 500, "internal"
    job = world.answered()
    for _ in range(2):
        run_job(world.parts, Leases(world.parts.engine), job["id"])
    return Row(None, job["id"], "failed_repeatedly", _attempt(3))


@case("review")
def _(world: World) -> Row:
    job = world.answered()["id"]
    ok(world.doctor.request("PUT", f"/v1/jobs/{job}/review", json={"verdict": "agree"}))
    return Row("doctor", job)


@case("correct")
def _(world: World) -> Row:
    world.ml.outlines, world.ml.prompted = True, FakePrompted()
    world.request.getfixturevalue("worker")
    study = study_of(world.doctor, png(two_discs()))
    job = ok(world.doctor.post(f"/v1/studies/{study}/jobs", json={"model": "lung-field"}))["id"]
    wait_until(lambda: world.doctor.job(job)["state"] == "succeeded", 60)
    boxes = outlined(world.doctor, study, [{"box": [10, 5, 40, 25], "label": 1}])
    ok(world.doctor.request("PUT", f"/v1/jobs/{job}/correction", json={"from_job": boxes["id"]}))
    return Row("doctor", job)


@case("undo_correction")
def _(world: World) -> Row:
    job = CASES["correct"](world).about
    ok(world.doctor.request("DELETE", f"/v1/jobs/{job}/correction"))
    return Row("doctor", job)


def _becomes(*states: str) -> Callable[[World], Row]:
    def made(world: World) -> Row:
        ok(world.doctor.get("/v1/models"))  # version 1 was there first
        world.ml.versions["2"] = None
        for state in states:
            ok(world.admin.request("PATCH", "/v1/models/pneumonia/versions/2", json={"state": state}))
        return Row("admin", "pneumonia/2")

    return made


case("activate")(_becomes("active"))
case("shadow")(_becomes("shadow"))
case("retire")(_becomes("retired"))
case("make_available")(_becomes("retired", "available"))


@case("model_unfit")
def _(world: World) -> Row:
    world.ml.versions = {"1": None, "2": "golden image got another answer"}
    world.parts.models.all()  # the watch itself waits for nobody
    world.watch()
    details = {"fault": "golden image got another answer", "model_sha256": SHA256}
    return Row(None, "pneumonia/2", "refused", details)


def _fit(world: World) -> str:
    for seed, verdict in enumerate(("agree", "agree", "disagree", "disagree")):
        job = world.answered(seed)["id"]
        ok(world.doctor.request("PUT", f"/v1/jobs/{job}/review", json={"verdict": verdict}))
    return str(ok(world.admin.post(SITE))["fits"][0]["id"])


@case("fit_calibration")
def _(world: World) -> Row:
    _fit(world)
    return Row("admin", "pneumonia/1")


@case("use_calibration")
def _(world: World) -> Row:
    fit = _fit(world)
    ok(world.admin.request("PUT", SITE, json={"in_force": fit}))
    return Row("admin", fit)


@case("use_shipped_values")
def _(world: World) -> Row:
    CASES["use_calibration"](world)
    ok(world.admin.request("PUT", SITE, json={"in_force": None}))
    return Row("admin", "pneumonia/1")


@case("read_audit")
def _(world: World) -> Row:
    ok(world.admin.get("/v1/audit"))
    return Row("admin", None)


@case("refused")
def _(world: World) -> Row:
    assert world.doctor.get("/v1/users").status_code == 403
    return Row("doctor", "users.listed", "wrong_role")


@case("create_user")
def _(world: World) -> Row:
    made = ok(world.admin.post("/v1/users", json={"username": "new", "role": "doctor"}))
    return Row("admin", made["account"]["id"], "doctor")


def _changed(outcome: str, *changes: dict[str, Any]) -> Callable[[World], Row]:
    def made(world: World) -> Row:
        account = world.account()
        for change in changes:
            ok(world.admin.request("PATCH", f"/v1/users/{account}", json=change))
        return Row("admin", account, outcome)

    return made


case("disable_user")(_changed("done", {"disabled": True}))
case("enable_user")(_changed("done", {"disabled": True}, {"disabled": False}))
case("change_role")(_changed("doctor to ops", {"role": "ops"}))


@case("reset_password")
def _(world: World) -> Row:
    ok(world.admin.post(f"/v1/users/{world.account()}/password"))
    return Row("admin", world.account())


@case("change_password")
def _(world: World) -> Row:
    account = world.account()
    ok(world.other.request("PUT", "/v1/me/password", json={"current": PASSWORD, "new": "seven grey herons stood"}))
    return Row("other", account)


@case("end_session")
def _(world: World) -> Row:
    session = ok(world.other.get("/v1/me/sessions"))["items"][0]["id"]
    ok(world.admin.request("DELETE", f"/v1/users/{world.account()}/sessions/{session}"))
    return Row("admin", session)


@case("create_token")
def _(world: World) -> Row:
    return Row("doctor", make(world.doctor, "studies:read")[1]["id"])


@case("revoke_token")
def _(world: World) -> Row:
    token = make(world.doctor, "studies:read")[1]["id"]
    ok(world.doctor.request("DELETE", f"/v1/me/tokens/{token}"))
    return Row("doctor", token)


@case("add_second_factor")
def _(world: World) -> Row:
    enrol(world.other)
    return Row("other", world.account())


@case("remove_second_factor")
def _(world: World) -> Row:
    secret, _ = enrol(world.other)
    ok(world.other.post("/v1/me/second-factor/remove", json={"password": PASSWORD, "otp": code(secret)}))
    return Row("other", world.account())


@case("use_recovery_code")
def _(world: World) -> Row:
    _, codes = enrol(world.other)
    body = {"username": "other", "password": PASSWORD, "otp": codes[0]}
    ok(world.doctor.post("/v1/sessions", json=body))
    return Row("other", world.account())


def _share(world: World) -> tuple[str, dict[str, Any]]:
    study = str(world.doctor.upload_one()["study_id"])
    return study, ok(world.doctor.post(f"/v1/studies/{study}/shares", json={"colleague": "other"}))


@case("share")
def _(world: World) -> Row:
    return Row("doctor", _share(world)[0], "with_one")


@case("revoke_share")
def _(world: World) -> Row:
    study, told = _share(world)
    ok(world.doctor.request("DELETE", f"/v1/studies/{study}/shares/{told['share']['id']}"))
    return Row("doctor", study)


@case("open_share")
def _(world: World) -> Row:
    study, told = _share(world)
    ok(world.other.post("/v1/shared", json={"code": told["code"]}))
    return Row("other", study)


@case("open_in_emergency")
def _(world: World) -> Row:
    study = world.doctor.upload_one()["study_id"]
    ok(world.other.post(f"/v1/studies/{study}/emergency", json={"reason": WHY}))
    return Row("other", study)


@case("end_emergency")
def _(world: World) -> Row:
    study = CASES["open_in_emergency"](world).about
    with writing(world.parts.engine) as connection:
        connection.execute(update(guests).values(ends_at=now() - timedelta(seconds=1)))
    reconcile(world.parts)
    return Row("other", study)


@case("start")
def _(world: World) -> Row:
    life.note_start(world.parts, "worker")
    return Row(None, "worker")


@case("stop")
def _(world: World) -> Row:
    life.note_stop(world.parts, "worker")
    return Row(None, "worker")


@case("configure")
def _(world: World) -> Row:
    for name in ("LIGHTBOX_MAX_OPEN_JOBS", "LIGHTBOX_MAX_FILE_BYTES", "LIGHTBOX_MAX_FILE_BYTES"):
        life.note_start(world.parts, "worker")
        world.monkeypatch.setenv(name, "7")
    life.note_start(world.parts, "worker")
    marks = life.marks(world.parts.settings.account_key)
    return Row(None, "worker", "changed", {"changed": ["LIGHTBOX_MAX_FILE_BYTES"], "marks": marks})


@case("clock_jump")
def _(world: World) -> Row:
    watch, ahead = AuditWatch(world.parts), audit_watch._ahead_s()
    world.monkeypatch.setattr(audit_watch, "_ahead_s", lambda: ahead - 3600)
    watch.look()
    return Row(None, None, "done", {"seconds": -3600})


def _noted(what: str) -> Callable[[World], Row]:
    def made(world: World) -> Row:
        world.monkeypatch.setenv("LIGHTBOX_DATABASE_URL", world.parts.settings.database_url)
        assert program.main(["note", what]) == 0
        return Row(None, None)

    return made


case("back_up")(_noted("back_up"))
case("restore")(_noted("restore"))
