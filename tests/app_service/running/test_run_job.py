"""What becomes of a job when things go well, badly, and in between."""

from contextlib import AbstractContextManager

import pytest
from dramatiq import Worker
from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app_service.domain import job as rules
from app_service.parts import Parts
from app_service.running import run_job
from app_service.storage import small_artifacts
from app_service.storage.database import reading
from app_service.storage.records import artifacts
from portal_wire.errors import NotFound, Unavailable
from tests.app_service.conftest import Caller, wait_until
from tests.app_service.fake_ml import PNG, FakeMl, findings

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def state_of(doctor: Caller, job_id: str) -> str:
    return str(doctor.job(job_id)["state"])


def test_an_image_that_the_model_refuses_fails_at_once_with_the_reason(
    doctor: Caller, worker: Worker, ml: FakeMl
) -> None:
    ml.status = 422
    job = doctor.upload_one()
    wait_until(lambda: state_of(doctor, job["id"]) == "failed")
    failed = doctor.job(job["id"])
    assert failed["error"] == {"code": "undecodable", "detail": "This study cannot be read."}
    assert failed["result"] is None and failed["artifacts"] == [] and ml.asked == 1


def test_an_error_of_the_model_is_tried_three_times_and_never_becomes_a_label(
    doctor: Caller, worker: Worker, ml: FakeMl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app_service.running.run_job._AFTER_BREAK_S", 0.0)
    ml.status = 500
    job = doctor.upload_one()
    wait_until(lambda: state_of(doctor, job["id"]) == "failed")
    failed = doctor.job(job["id"])
    assert (ml.asked, failed["attempt"], failed["error"]["code"]) == (3, 3, "failed_repeatedly")
    assert failed["result"] is None


@pytest.mark.parametrize("said", [{"error": "boom"}, {}, findings() | {"label": "normal", "in_distribution": False}])
def test_nonsense_from_the_model_never_becomes_a_result(
    doctor: Caller, worker: Worker, ml: FakeMl, monkeypatch: pytest.MonkeyPatch, said: object
) -> None:
    monkeypatch.setattr("app_service.running.run_job._AFTER_BREAK_S", 0.0)
    ml.said = said
    job = doctor.upload_one()
    wait_until(lambda: state_of(doctor, job["id"]) == "failed")
    assert doctor.job(job["id"])["result"] is None


def test_an_image_that_the_model_does_not_know_is_not_answered_and_has_no_heatmap(
    doctor: Caller, worker: Worker, ml: FakeMl
) -> None:
    warning = {"code": "not_a_chest_film", "detail": "This is no chest film."}
    ml.said = findings() | {"label": "not_answered", "findings": [], "in_distribution": False, "warnings": [warning]}
    job = doctor.upload_one()
    wait_until(lambda: state_of(doctor, job["id"]) == "succeeded")
    done = doctor.job(job["id"])
    assert done["result"]["label"] == "not_answered" and done["result"]["findings"] == []
    assert done["result"]["warnings"] == [warning] and done["artifacts"] == []


def test_while_the_model_server_is_away_a_job_waits_without_losing_attempts(
    doctor: Caller, worker: Worker, ml: FakeMl
) -> None:
    doctor.get("/v1/models")
    ml.stop()
    job = doctor.upload_one()
    wait_until(lambda: doctor.job(job["id"])["started_at"])
    assert state_of(doctor, job["id"]) in ("queued", "running")
    ml.start()
    wait_until(lambda: state_of(doctor, job["id"]) == "succeeded")
    assert doctor.job(job["id"])["attempt"] == 1


@pytest.mark.parametrize(
    "error", [Unavailable("The database is busy."), OperationalError("BEGIN", None, OSError()), PoolTimeout()]
)
def test_while_the_database_is_away_neither_a_claim_nor_an_answer_is_left(
    doctor: Caller, worker: Worker, ml: FakeMl, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    real, refusals = run_job.writing, iter([error] * 3 + [None] + [error] * 3)

    def refusing(engine: Engine) -> AbstractContextManager[Connection]:
        if refusal := next(refusals, None):
            raise refusal
        return real(engine)

    monkeypatch.setattr(run_job, "writing", refusing)
    job = doctor.upload_one()
    wait_until(lambda: state_of(doctor, job["id"]) == "succeeded")
    assert doctor.job(job["id"])["attempt"] == 1 and ml.asked == 1


def test_a_full_model_server_is_asked_again(doctor: Caller, worker: Worker, ml: FakeMl) -> None:
    ml.status = 503
    job = doctor.upload_one()
    wait_until(lambda: ml.asked >= 2)
    ml.status = 200
    wait_until(lambda: state_of(doctor, job["id"]) == "succeeded")
    assert doctor.job(job["id"])["attempt"] == 1


def test_a_model_server_that_stays_away_fails_the_job_with_a_reason(
    doctor: Caller, worker: Worker, ml: FakeMl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app_service.running.run_job.MODEL_AWAY_LIMIT_S", 0.2)
    ml.status = 503
    job = doctor.upload_one()
    wait_until(lambda: state_of(doctor, job["id"]) == "failed")
    assert doctor.job(job["id"])["error"] == rules.MODEL_AWAY.model_dump()


def test_a_model_server_that_stays_full_fails_no_job(
    doctor: Caller, worker: Worker, ml: FakeMl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app_service.running.run_job.MODEL_AWAY_LIMIT_S", 0.2)
    ml.status, ml.code = 503, "queue_full"
    job = doctor.upload_one()
    wait_until(lambda: ml.asked >= 3)
    assert state_of(doctor, job["id"]) in ("queued", "running")
    ml.status = 200
    wait_until(lambda: state_of(doctor, job["id"]) == "succeeded")
    assert doctor.job(job["id"])["attempt"] == 1


def files_of(parts: Parts, job_id: str) -> int:
    """How many files of the job SQL knows; a small one lies there whole."""
    with reading(parts.engine) as connection:
        query = select(func.count()).select_from(artifacts).where(artifacts.c.job_id == job_id)
        return int(connection.execute(query).scalar_one())


def test_cancelling_a_running_job_drops_what_its_model_still_says(
    doctor: Caller, worker: Worker, ml: FakeMl, parts: Parts
) -> None:
    ml.delay_s = 0.5
    job = doctor.upload_one()
    wait_until(lambda: state_of(doctor, job["id"]) == "running")
    assert doctor.post(f"/v1/jobs/{job['id']}/cancel").status_code == 202
    wait_until(lambda: worker.work_queue.unfinished_tasks == 0)
    cancelled = doctor.job(job["id"])
    assert (cancelled["state"], cancelled["result"], cancelled["artifacts"]) == ("cancelled", None, [])
    assert files_of(parts, job["id"]) == 0


def test_the_answer_about_a_deleted_study_is_dropped(doctor: Caller, worker: Worker, ml: FakeMl, parts: Parts) -> None:
    ml.delay_s = 0.5
    job = doctor.upload_one()
    wait_until(lambda: state_of(doctor, job["id"]) == "running")
    assert doctor.request("DELETE", f"/v1/studies/{job['study_id']}").status_code == 204
    wait_until(lambda: worker.work_queue.unfinished_tasks == 0)
    assert doctor.get(f"/v1/jobs/{job['id']}").status_code == 404
    assert files_of(parts, job["id"]) == 0


def test_a_retried_job_shows_the_new_attempts_answer(doctor: Caller, worker: Worker, ml: FakeMl) -> None:
    """The cache is keyed by attempt: what an earlier attempt left can never be shown."""
    ml.status = 422
    job = doctor.upload_one()
    wait_until(lambda: state_of(doctor, job["id"]) == "failed")
    ml.status, ml.said = 200, findings(0.7)
    retried = doctor.post(f"/v1/jobs/{job['id']}/retry")
    assert retried.status_code == 202 and retried.json and retried.json["error"] is None
    wait_until(lambda: state_of(doctor, job["id"]) == "succeeded")
    done = doctor.job(job["id"])
    assert done["attempt"] == 2 and done["result"]["findings"][0]["probability"] == 0.7


def test_each_image_keeps_its_own_answer(doctor: Caller, worker: Worker, ml: FakeMl) -> None:
    """An answer shown beside the next image: the trap of a system that kept one global result."""
    ids = []
    for number, probability in enumerate((0.6, 0.8)):
        ml.said = findings(probability)
        ids.append(doctor.upload_one(number)["id"])
        wait_until(lambda: state_of(doctor, ids[-1]) == "succeeded")
    shown = [doctor.job(job_id)["result"]["findings"][0]["probability"] for job_id in ids]
    assert shown == [0.6, 0.8]


def test_a_result_is_stored_and_survives_redis(doctor: Caller, worker: Worker, parts: Parts) -> None:
    job = doctor.upload_one()
    wait_until(lambda: state_of(doctor, job["id"]) == "succeeded")
    before = doctor.job(job["id"])
    for key in parts.redis.scan_iter("lightbox:answer:*"):
        parts.redis.delete(key)
    assert doctor.job(job["id"]) == before


def test_a_job_runs_soon_when_the_worker_is_idle(doctor: Caller, worker: Worker) -> None:
    job = doctor.upload_one()
    wait_until(lambda: state_of(doctor, job["id"]) == "succeeded", within_s=2)
    assert doctor.job(job["id"])["result"]["timings_s"]["queue"] < 0.5


def test_the_same_message_five_times_runs_the_job_once(
    doctor: Caller, parts: Parts, ml: FakeMl, request: pytest.FixtureRequest
) -> None:
    job = doctor.upload_one()
    for _ in range(4):
        parts.queue.put(job["id"])
    worker = request.getfixturevalue("worker")
    wait_until(lambda: parts.redis.hlen("dramatiq:jobs.msgs") == 0 and worker.work_queue.unfinished_tasks == 0)
    assert ml.asked == 1 and doctor.job(job["id"])["attempt"] == 1


@pytest.mark.parametrize(("largest", "in_store"), [(len(PNG), False), (len(PNG) - 1, True)])
def test_a_small_picture_lies_with_its_answer_a_larger_one_in_the_store(
    doctor: Caller, worker: Worker, parts: Parts, monkeypatch: pytest.MonkeyPatch, largest: int, in_store: bool
) -> None:
    monkeypatch.setattr(small_artifacts, "LARGEST", largest)
    job = doctor.upload_one()
    wait_until(lambda: state_of(doctor, job["id"]) == "succeeded")
    assert doctor.get(f"/v1/jobs/{job['id']}/artifacts/heatmap.png").data == PNG
    key = f"jobs/{job['id']}/1/heatmap.png"
    if in_store:
        assert parts.store.read(key) == PNG
    else:
        with pytest.raises(NotFound):
            parts.store.read(key)
