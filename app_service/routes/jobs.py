"""Jobs: start, list, look at, cancel, retry."""

from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

import redis
from apiflask import APIBlueprint
from sqlalchemy import Connection

from app_service.accounts import audit
from app_service.accounts.bearer import DOCTOR, bearer, current_user
from app_service.domain.job import CANCELLABLE, RETRYABLE, require
from app_service.domain.prompts import check_prompts
from app_service.domain.suitable import chosen
from app_service.parts import parts
from app_service.routes.bodies import JobList, JobQuery, JobsWanted, JobWanted, Purpose
from app_service.storage import transitions
from app_service.storage.database import reading, writing
from app_service.storage.events import publish
from app_service.storage.jobs import JobFilter, add_job, find_jobs, list_jobs, require_room, see_jobs
from app_service.storage.studies import find_study
from app_service.views import to_job, to_jobs
from portal_wire.contract import Job, JobPage, JobState, Prompt

jobs = APIBlueprint("jobs", __name__, tag="Jobs")


@jobs.post("/v1/studies/<uuid:study_id>/jobs")
@jobs.auth_required(bearer, roles=DOCTOR)
@jobs.input(JobWanted)
@jobs.output(Job, status_code=202)
def started(study_id: UUID, json_data: JobWanted) -> tuple[Job, int]:
    """Run a model on a study; with `prompts` one that outlines what the boxes hold."""
    wanted = json_data
    models = [(wanted.model, wanted.version)]
    return _start([str(study_id)], models, prompts=wanted.prompts, fast=wanted.fast)[0], 202


@jobs.post("/v1/jobs")
@jobs.auth_required(bearer, roles=DOCTOR)
@jobs.input(JobsWanted)
@jobs.output(JobList, status_code=202)
def many_started(json_data: JobsWanted) -> tuple[JobList, int]:
    """Run every model named on every study named: all of them, or none when one is not possible."""
    studies = list(dict.fromkeys(str(study_id) for study_id in json_data.study_ids))
    models = [(one, None) if isinstance(one, str) else (one.model, one.version) for one in json_data.models]
    return JobList(jobs=_start(studies, models, json_data.purpose, fast=json_data.fast)), 202


@jobs.get("/v1/jobs")
@jobs.auth_required(bearer, roles=DOCTOR)
@jobs.input(JobQuery, location="query")
@jobs.output(JobPage)
def listed(query_data: JobQuery) -> JobPage:
    """The doctor's jobs, newest first."""
    asked = query_data
    study_ids = tuple(asked.study_id.split(",")) if asked.study_id else None
    wanted = JobFilter(study_ids, asked.q, asked.model, asked.state, asked.purpose, asked.since, asked.until)
    before = str(asked.cursor) if asked.cursor else None
    with reading(parts().engine) as connection:
        rows = list_jobs(connection, current_user().id, wanted, before, asked.limit + 1)
    items = to_jobs(parts(), rows[: asked.limit])
    return JobPage(items=items, next_cursor=items[-1].id if len(rows) > asked.limit else None)


@jobs.get("/v1/jobs/<uuid:job_id>")
@jobs.auth_required(bearer, roles=DOCTOR)
@jobs.output(Job)
def shown(job_id: UUID) -> Job:
    """One job, with its findings and artifacts once it has succeeded."""
    with reading(parts().engine) as connection:
        rows = see_jobs(connection, current_user().id, [str(job_id)])
    return to_jobs(parts(), rows)[0]


@jobs.post("/v1/jobs/<uuid:job_id>/cancel")
@jobs.auth_required(bearer, roles=DOCTOR)
@jobs.output(Job, status_code=202)
def cancelled(job_id: UUID) -> tuple[Job, int]:
    """Stop a job that waits or runs. What its model may still say is dropped."""
    name, user, here = str(job_id), current_user(), parts()
    with writing(here.engine) as connection:
        _require(connection, name, CANCELLABLE, "cancelled")
        row = transitions.cancel(connection, name)
        audit.record(connection, "cancel", user.id, name)
    assert row is not None  # its state was checked in the same write transaction
    with suppress(redis.RedisError):  # the reconciler clears it away
        here.queue.take(name)
    publish(here.redis, user.id, job := to_job(row))
    return job, 202


@jobs.post("/v1/jobs/<uuid:job_id>/retry")
@jobs.auth_required(bearer, roles=DOCTOR)
@jobs.output(Job, status_code=202)
def retried(job_id: UUID) -> tuple[Job, int]:
    """Run a failed or cancelled job again."""
    name, here = str(job_id), parts()
    with writing(here.engine) as connection:
        _require(connection, name, RETRYABLE, "retried")
        row = transitions.retry(connection, name)
        audit.record(connection, "retry", current_user().id, name)
    assert row is not None
    return _enqueue([to_job(row)])[0], 202


def _start(
    study_ids: list[str],
    models: list[tuple[str, str | None]],
    purpose: Purpose = "answer",
    prompts: Sequence[Prompt] = (),
    fast: bool = False,
) -> list[Job]:
    here, user = parts(), current_user()
    served = here.models.all()
    with writing(here.engine) as connection:
        require_room(connection, user.id, len(study_ids) * len(models), here.settings.max_open_jobs)
        made = []
        for study_id in study_ids:
            study = find_study(connection, user.id, study_id)
            audit.record(connection, "run", user.id, study_id)
            kind = (study.kind, study.modality)
            runs = dict.fromkeys(chosen(served, *model, *kind, boxes=bool(prompts), fast=fast) for model in models)
            check_prompts(prompts, study.kind, study.shape)
            made += [to_job(add_job(connection, user.id, study_id, *run, purpose, prompts, fast)) for run in runs]
    return _enqueue(made)


def _enqueue(made: list[Job]) -> list[Job]:
    """Enqueue and tell; returns the jobs with their places. Without Redis they wait for the reconciler."""
    placed = []
    for job in made:
        publish(parts().redis, current_user().id, job)  # before a worker can tell that it runs
        try:
            placed.append(job.model_copy(update={"position": parts().queue.put(job.id)}))
        except redis.RedisError:
            placed.append(job)
    return placed


def _require(connection: Connection, job_id: str, allowed: tuple[JobState, ...], verb: str) -> None:
    (row,) = find_jobs(connection, current_user().id, [job_id])
    require(JobState(row.state), allowed, verb)
