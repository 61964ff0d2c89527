"""How the portal stands, for whoever looks after it: no study, no person, no answer is in it."""

from dataclasses import asdict
from datetime import datetime

from apiflask import APIBlueprint
from pydantic import BaseModel

from app_service.accounts.bearer import OPERATIONS, bearer
from app_service.parts import parts
from app_service.readiness import dependencies
from app_service.storage.database import reading
from app_service.storage.queue_state import last_failures, queue_state

status = APIBlueprint("status", __name__, tag="Status")
_FAILURES = 5


class Queue(BaseModel):
    """Jobs. `given_up` are those of the last seven days that failed through no fault of theirs."""

    waiting: int
    oldest_s: float
    running: int
    given_up: int


class JobFailure(BaseModel):
    """A job that failed; `code` is the reason."""

    finished_at: datetime
    model: str
    version: str
    code: str


class Status(BaseModel):
    """`dependencies` holds null for each part that is well, else what is wrong with it in a word."""

    dependencies: dict[str, str | None]
    queue: Queue
    failures: list[JobFailure]


@status.get("/v1/status")
@status.auth_required(bearer, roles=OPERATIONS)
@status.output(Status)
def shown() -> Status:
    """The parts behind the portal, the queue, and the last failures."""
    here = parts()
    with reading(here.engine) as connection:
        queue, failed = queue_state(connection), last_failures(connection, _FAILURES)
    return Status(
        dependencies=dependencies(here),
        queue=Queue(**asdict(queue)),
        failures=[JobFailure(**row._mapping) for row in failed],
    )
