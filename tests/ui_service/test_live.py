"""Server-sent events: read from App, rendered, handed on."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask

from portal_wire.contract import Job, JobState
from tests.ui_service.conftest import Visitor, settings_for
from tests.ui_service.fake_answers import answer
from tests.ui_service.fake_app import FakeApp
from ui_service.live import ServerEvent, read_events, write_event
from ui_service.web import create_app


def test_events_are_read_as_the_standard_says() -> None:
    lines = [
        ": beat",
        "",
        "id: 7",
        "event: job",
        "data: {",
        "data:}",
        "",
        "data: plain",
        "",
        "event: none",
        "",
        "data: cut",
    ]
    assert list(read_events(iter(lines))) == [
        ServerEvent(None, None, ""),
        ServerEvent("job", "7", "{\n}"),
        ServerEvent("message", None, "plain"),
    ]


def test_an_event_is_written_line_by_line() -> None:
    assert write_event("7", "job-1", "<b>\n\n  x</b>\r\n") == "id: 7\nevent: job-1\ndata: <b>\ndata:   x</b>\n\n"


def stream_of(visitor: Visitor, path: str, **headers: str) -> Iterator[str]:
    answered = visitor.get(path, headers=headers, buffered=False)
    assert answered.status_code == 200
    assert answered.mimetype == "text/event-stream"
    assert answered.headers["X-Accel-Buffering"] == "no"
    return (chunk.decode() if isinstance(chunk, bytes) else chunk for chunk in answered.response)


def next_event(stream: Iterator[str]) -> str:
    return next(chunk for chunk in stream if "event:" in chunk)


def test_a_change_comes_as_the_cells_of_its_row(doctor: Visitor, fake: FakeApp) -> None:
    job = fake.add_job(fake.add_study())
    stream = stream_of(doctor, "/live")
    assert next(stream).startswith("retry:")
    next(stream)
    fake.succeed(job, answer("pneumonia", 0.91))
    event = next_event(stream)
    assert f"event: job-{job.id}\n" in event
    assert event.startswith("id: ")
    assert "Pneumonia suspected" in event
    assert 'id="announcer"' in event


def test_a_study_page_hears_of_its_own_jobs_alone(doctor: Visitor, fake: FakeApp) -> None:
    """Never a result beside another image."""
    mine, other = fake.add_job(fake.add_study()), fake.add_job(fake.add_study())
    stream = stream_of(doctor, f"/studies/{mine.study_id}/live")
    next(stream), next(stream)
    fake.succeed(other, answer("pneumonia", 0.91))
    fake.succeed(mine, answer("normal", 0.06))
    event = next_event(stream)
    assert f"event: answer-{mine.id}\n" in event
    assert "No pneumonia seen" in event
    assert "Pneumonia suspected" not in event


def test_a_page_hears_that_its_session_was_ended(doctor: Visitor, fake: FakeApp) -> None:
    stream = stream_of(doctor, "/live")
    next(stream), next(stream)
    fake.end_sessions()
    assert "event: ended\n" in "".join(stream)


def test_the_heartbeat_is_passed_on(doctor: Visitor) -> None:
    stream = stream_of(doctor, "/live")
    next(stream)
    assert next(stream).startswith(":")


def test_where_to_go_on_is_passed_to_app(app: Flask, doctor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str | None] = []
    monkeypatch.setattr("ui_service.app_client.AppTier.events", lambda self, last: asked.append(last) or iter(()))
    list(stream_of(doctor, "/live", **{"Last-Event-ID": "41-0"}))
    assert asked == ["41-0"]


def test_beyond_its_streams_the_tier_asks_pages_to_poll(fake: FakeApp) -> None:
    visitor = Visitor(create_app(settings_for(fake, streams=1)))
    visitor.sign_in()
    first = visitor.get("/live", buffered=False)
    refused = visitor.get("/live")
    assert refused.status_code == 503
    assert refused.headers["Retry-After"] == "30"
    first.close()
    second = visitor.get("/live", buffered=False)
    assert second.status_code == 200
    second.close()


def test_a_stream_that_app_refuses_is_no_stream(doctor: Visitor, fake: FakeApp) -> None:
    fake.refuse_streams = True
    assert doctor.get("/live").status_code == 303


@pytest.mark.parametrize("state", list(JobState))
def test_polling_gives_the_same_cells(doctor: Visitor, fake: FakeApp, state: JobState) -> None:
    result = answer() if state is JobState.SUCCEEDED else None
    job: Job = fake.add_job(fake.add_study(), state, result=result)
    cells = doctor.get(f"/jobs/{job.id}/row").text
    asks_again = f'hx-get="/jobs/{job.id}/row?waited=400"' in cells
    assert asks_again == (state in (JobState.QUEUED, JobState.RUNNING))


@pytest.mark.parametrize("piece", ["row", "answer"])
def test_what_waits_looks_ever_more_rarely(doctor: Visitor, fake: FakeApp, piece: str) -> None:
    job: Job = fake.add_job(fake.add_study(), JobState.RUNNING)
    looks = [
        doctor.get(f"/jobs/{job.id}/{piece}", query_string={"waited": waited}).text for waited in (60, 400, 29_000)
    ]
    after = [re.findall(r'waited=(\d+)" hx-trigger="load delay:(\d+)ms', text) for text in looks]
    assert after == [[("240", "240")], [("1600", "1600")], [("30000", "30000")]]
    for nonsense in ("soon", -5, ""):
        assert "delay:400ms" in doctor.get(f"/jobs/{job.id}/{piece}?waited={nonsense}").text
