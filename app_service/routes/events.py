"""Live events of a doctor's jobs by SSE (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

import time
from collections.abc import Iterator
from functools import partial
from threading import Event

import redis
from apiflask import APIBlueprint
from flask import Response, request

from app_service.accounts.bearer import DOCTOR, bearer, current_token, current_user, who
from app_service.parts import Parts, parts
from app_service.routes.files import binary
from app_service.storage.events import read, start_after

events = APIBlueprint("events", __name__, tag="Events")
CHECK_S = 15.0  # how long a stream may outlive its session
_GATHER_S = 0.02  # many jobs at once: what happens meanwhile is read together
_LOOK_S = 2.0  # how long a read may block: below the client's socket timeout


@events.get("/v1/events")
@events.auth_required(bearer, roles=DOCTOR)
@events.doc(
    responses=binary(
        "text/event-stream", "`job` events: the whole Job as JSON. Last-Event-ID resumes. `ended`: sign in."
    )
)
def stream() -> Response:
    """Every change of the doctor's jobs, as it happens."""
    here, user = parts(), current_user()
    place = here.stream_places.take(user.id)
    release = partial(here.stream_places.give_back, user.id, place)
    try:
        after = start_after(here.redis, user.id, request.headers.get("Last-Event-ID"))
    except redis.RedisError:
        release()
        raise
    body = _events(here, user.id, current_token(), after, place)
    response = Response(body, content_type="text/event-stream")
    response.call_on_close(release)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"  # NGINX passes each event on at once
    return response


def _events(here: Parts, user_id: str, token: str, after: str, ended: Event) -> Iterator[str]:
    yield "retry: 2000\n\n"
    checked = time.monotonic()
    while not (here.stopping.is_set() or ended.is_set()):
        try:
            found = list(read(here.redis, user_id, after, _LOOK_S))
            if any(job is None for _, job in found) or time.monotonic() - checked >= CHECK_S:
                if who(here, token, used=False) is None:
                    yield "event: ended\ndata: {}\n\n"  # signed out elsewhere, or too long ago: the page leaves
                    return
                checked = time.monotonic()
            # A comment where nothing happened: also how a page that was left is noticed.
            yield (
                "".join(f"id: {event_id}\nevent: job\ndata: {job}\n\n" for event_id, job in found if job)
                or ": still here\n\n"
            )
            if found:
                after = found[-1][0]
                time.sleep(_GATHER_S)
        except redis.RedisError:
            return  # the page connects again, or polls
