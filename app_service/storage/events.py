"""Live events: one Redis stream a user. A lost event costs nothing, because pages read again on reconnect."""

import logging
import re
from collections.abc import Iterator
from typing import Any

import redis
from redis.client import Pipeline

from portal_wire.contract import Job

_LOG = logging.getLogger("lightbox.events")
_KEPT = 1000
_KEPT_S = 24 * 3600
_STREAM_ID = re.compile(r"\d{1,20}-\d{1,20}")


def publish(client: "redis.Redis", owner_id: str, job: Job, along: Pipeline | None = None) -> None:
    """Tell the owner's open pages. Never raises for Redis: the state change itself is already committed.

    `along` holds other commands that may be lost too; they go in the same round trip, before the event.
    """
    pipeline = client.pipeline(transaction=False) if along is None else along
    pipeline.xadd(_stream(owner_id), {"job": job.model_dump_json()}, maxlen=_KEPT, approximate=True)
    pipeline.expire(_stream(owner_id), _KEPT_S)
    try:
        pipeline.execute()
    except redis.RedisError as error:
        _LOG.warning("event_lost", extra={"facts": {"error": type(error).__name__}})


def start_after(client: "redis.Redis", owner_id: str, last_event_id: str | None) -> str:
    """The stream id to read on from: the one that the client saw last, else the newest there is."""
    if last_event_id and _STREAM_ID.fullmatch(last_event_id):
        return last_event_id
    newest = client.xrevrange(_stream(owner_id), count=1)
    return str(newest[0][0]) if newest else "0-0"


def forget(client: "redis.Redis", owner_id: str, study_id: str) -> None:
    """Drop what was told of a study's jobs: it is being deleted."""
    entries: Any = client.xrange(_stream(owner_id))
    told = [entry_id for entry_id, fields in entries if study_id in fields.get("job", "")]
    if told:
        client.xdel(_stream(owner_id), *told)


def rouse(client: "redis.Redis", owner_id: str) -> None:
    """Let the owner's open pages look at once whether they are still signed in."""
    client.xadd(_stream(owner_id), {"session": "ended"}, maxlen=_KEPT, approximate=True)
    client.expire(_stream(owner_id), _KEPT_S)


def read(client: "redis.Redis", owner_id: str, after: str, wait_s: float) -> Iterator[tuple[str, str | None]]:
    """(stream id, Job as JSON) of each event after `after`; waits up to `wait_s` for the first.

    None in place of a Job: a session of the owner has ended.
    """
    answer: Any = client.xread({_stream(owner_id): after}, count=100, block=int(wait_s * 1000))
    for _, entries in answer or []:
        for entry_id, fields in entries:
            yield entry_id, fields.get("job")


def _stream(owner_id: str) -> str:
    return f"lightbox:events:{owner_id}"
