"""Live pages: the doctor's events from App, as HTML fragments by server-sent events.

Each job has an event of its own name, so a fragment reaches the row or the card that shows this very job and nothing
else. Where no stream can be had, the page polls (static/live.js).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import BoundedSemaphore
from uuid import UUID

from flask import Blueprint, Flask, Response, current_app, render_template, request, stream_with_context

from portal_wire.contract import Job
from portal_wire.errors import Unavailable
from ui_service.signed_in import app_tier

blueprint = Blueprint("live", __name__)
_EXTENSION = "live_streams"
_RECONNECT_MS = 2000


@dataclass(frozen=True)
class ServerEvent:
    """One event of a stream; a `name` of None is the heartbeat."""

    name: str | None
    id: str | None
    data: str


def limit_streams(app: Flask, at_once: int) -> None:
    """Each stream holds a thread: beyond `at_once` pages poll, so that forms and results are still answered."""
    app.extensions[_EXTENSION] = BoundedSemaphore(at_once)


@blueprint.get("/live")
def rows() -> Response:
    """The worklist's stream: events `job-<id>`, each the changing cells of one row."""

    def cells(job: Job) -> tuple[str, str]:
        return f"job-{job.id}", render_template("fragments/job_cells.html", job=job, announce=True)

    return _stream(cells)


@blueprint.get("/studies/<uuid:study_id>/live")
def answers(study_id: UUID) -> Response:
    """A study page's stream: events `answer-<id>` of this study's jobs alone."""

    def card(job: Job) -> tuple[str, str] | None:
        if job.study_id != str(study_id):
            return None
        return f"answer-{job.id}", render_template("fragments/answer.html", job=job, fragment=True, announce=True)

    return _stream(card)


def _stream(render: Callable[[Job], tuple[str, str] | None]) -> Response:
    places: BoundedSemaphore = current_app.extensions[_EXTENSION]
    if not places.acquire(blocking=False):
        raise Unavailable("Many pages are open. This one asks again every few seconds.", retry_after_s=30)
    try:
        events = read_events(app_tier().events(request.headers.get("Last-Event-ID")))
    except BaseException:
        places.release()
        raise
    response = Response(stream_with_context(_written(events, render)), mimetype="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"  # nginx must hand each event on at once
    response.call_on_close(places.release)
    return response


def _written(events: Iterator[ServerEvent], render: Callable[[Job], tuple[str, str] | None]) -> Iterator[str]:
    yield f"retry: {_RECONNECT_MS}\n\n"
    for event in events:
        if event.name == "ended":  # the session is over: the page asks, and leaves for sign-in
            yield write_event(None, "ended", "{}")
            return
        shown = render(Job.model_validate_json(event.data)) if event.name == "job" else None
        yield write_event(event.id, *shown) if shown else ": beat\n\n"


def write_event(event_id: str | None, name: str, html: str) -> str:
    """The event as it goes over the wire (HTML standard, "Server-sent events")."""
    head = f"id: {event_id}\n" if event_id else ""
    data = "".join(f"data: {line}\n" for line in html.splitlines() if line.strip())
    return f"{head}event: {name}\n{data}\n"


def read_events(lines: Iterator[str]) -> Iterator[ServerEvent]:
    """The events in a stream's lines; each comment comes out as a heartbeat."""
    fields: dict[str, str] = {}
    for line in lines:
        if line.startswith(":"):
            yield ServerEvent(None, None, "")
        elif line:
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            fields[field] = f"{fields['data']}\n{value}" if field == "data" and "data" in fields else value
        elif fields:
            if "data" in fields:
                yield ServerEvent(fields.get("event", "message"), fields.get("id"), fields["data"])
            fields = {}
