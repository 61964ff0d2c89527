"""Files first, then the rows that name them, then the queue: a crash in between loses nothing that was answered."""

from typing import Any

import redis
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from app_service.accounts import audit
from app_service.parts import Parts
from app_service.storage import idempotency
from app_service.storage.database import may_be_committed, reading, writing
from app_service.storage.events import publish
from app_service.storage.jobs import add_job, require_room
from app_service.storage.studies import add_study
from app_service.storage.users import user_by_id
from app_service.uploads.accept import Accepted
from app_service.uploads.form import Form
from app_service.views import to_job, to_study
from portal_wire.contract import Job, Rejected, Uploaded, User
from portal_wire.errors import Unauthenticated


def recall(parts: Parts, user: User, form: Form) -> dict[str, Any] | None:
    """The answer that this very request was given before, if it was."""
    if form.key is None:
        return None
    with reading(parts.engine) as connection:
        return idempotency.recall(connection, user.id, form.key, form.fingerprint)


def keep(parts: Parts, user: User, form: Form, accepted: list[Accepted], rejected: list[Rejected]) -> dict[str, Any]:
    """Store everything; returns Uploaded as JSON. What is answered is durable; what fails leaves nothing behind."""
    try:
        for item in accepted:
            parts.store.put_folder(f"studies/{item.row['id']}", item.folder)
        answer = _commit(parts, user, form, accepted, rejected)
    except BaseException as error:
        if not may_be_committed(error):  # else a row may name them; the sweep of orphans decides when that is certain
            for item in accepted:
                parts.store.delete_prefix(f"studies/{item.row['id']}")
        if isinstance(error, IntegrityError) and (known := recall(parts, user, form)):
            return known  # the same request was sent twice at once, and the other one won
        raise
    _enqueue(parts, user, answer["jobs"])
    return answer


def _commit(parts: Parts, user: User, form: Form, accepted: list[Accepted], rejected: list[Rejected]) -> dict[str, Any]:
    models, preferred = parts.models.known(), parts.settings.default_models
    studies = [to_study(item.row, models, preferred) for item in accepted]
    with writing(parts.engine) as connection:
        _require_still_in(connection, user)
        require_room(connection, user.id, sum(len(item.runs) for item in accepted), parts.settings.max_open_jobs)
        rows = []
        for item in accepted:
            add_study(connection, item.row)
            audit.record(connection, "upload", user.id, item.row["id"])
            for run in item.runs:
                wanted = (run.model, run.version, "answer", run.prompts, run.fast)
                rows.append(add_job(connection, user.id, item.row["id"], *wanted))
        uploaded = Uploaded(studies=studies, jobs=[to_job(row) for row in rows], rejected=rejected)
        answer = uploaded.model_dump(mode="json")
        if form.key:
            idempotency.remember(connection, user.id, form.key, form.fingerprint, answer)
    return answer


def _require_still_in(connection: Connection, user: User) -> None:
    """Minutes may have passed since the request's first byte. Raises Unauthenticated, also for another role."""
    row = user_by_id(connection, user.id)
    if row.disabled or row.role != user.role:
        raise Unauthenticated("This account was changed while the file came in. Nothing was saved.", code="no_session")


def _enqueue(parts: Parts, user: User, jobs: list[dict[str, Any]]) -> None:
    try:
        for job in jobs:
            publish(parts.redis, user.id, Job.model_validate(job))  # before a worker can tell that it runs
            job["position"] = parts.queue.put(job["id"])
    except redis.RedisError:
        return  # the upload is safe all the same; the reconciler enqueues what waits
