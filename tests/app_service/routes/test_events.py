"""Live events of a doctor's own jobs."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from apiflask import APIFlask
from dramatiq import Worker

from tests.app_service.conftest import Caller, wait_until

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def stop_streams(app: APIFlask) -> Iterator[None]:
    yield
    app.extensions["lightbox"].stopping.set()


def stream(caller: Caller, last_event_id: str | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
    headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
    answer = caller.get("/v1/events", headers=headers, buffered=False)
    assert answer.status_code == 200 and answer.headers["X-Accel-Buffering"] == "no"
    chunks = (chunk if isinstance(chunk, str) else chunk.decode() for chunk in answer.response)
    assert next(chunks).startswith("retry:")
    # What happens close together is sent together.
    return (event(text) for chunk in chunks for text in chunk.split("\n\n") if "event: job" in text)


def event(chunk: str) -> tuple[str, dict[str, Any]]:
    fields = dict(line.split(": ", 1) for line in chunk.strip().splitlines())
    return fields["id"], json.loads(fields["data"])


def test_a_doctor_hears_each_change_of_a_job(doctor: Caller, worker: Worker) -> None:
    events = stream(doctor)
    job = doctor.upload_one()
    heard = [next(events)[1] for _ in range(3)]
    assert [found["state"] for found in heard] == ["queued", "running", "succeeded"]
    assert {found["id"] for found in heard} == {job["id"]}
    assert heard[-1]["result"]["label"] == "pneumonia" and heard[-1]["artifacts"]


def test_what_was_missed_is_told_after_reconnecting(doctor: Caller) -> None:
    events = stream(doctor)
    doctor.upload_one(1)
    last_id, _ = next(events)
    missed = doctor.upload_one(2)
    again = stream(doctor, last_id)
    assert next(again)[1]["id"] == missed["id"]


def test_nobody_hears_of_anothers_jobs(doctor: Caller, other: Caller) -> None:
    events = stream(other)
    doctor.upload_one()
    own = other.upload_one()
    assert next(events)[1]["id"] == own["id"]


def test_an_idle_stream_shows_that_it_lives_and_ends_with_its_session(
    doctor: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app_service.routes.events.CHECK_S", 0.0)
    monkeypatch.setattr("app_service.routes.events._LOOK_S", 0.05)
    chunks = iter(doctor.get("/v1/events", buffered=False).response)
    assert [next(chunks)[:5] for _ in range(2)] == [b"retry", b": sti"]
    doctor.request("DELETE", "/v1/sessions/current")
    deadline = time.monotonic() + 5
    for _ in chunks:
        assert time.monotonic() < deadline


def test_a_doctors_ninth_stream_ends_the_oldest_and_no_one_elses(
    doctor: Caller, other: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app_service.routes.events._LOOK_S", 0.05)
    elsewhere = other.get("/v1/events", buffered=False)
    opened = [doctor.get("/v1/events", buffered=False) for _ in range(9)]
    assert [answer.status_code for answer in opened] == [200] * 9
    deadline = time.monotonic() + 5
    for _ in opened[0].response:  # ends by itself
        assert time.monotonic() < deadline
    for alive in (opened[1], elsewhere):
        chunks = iter(alive.response)
        assert [next(chunks)[:5] for _ in range(3)] == [b"retry", b": sti", b": sti"]
    for answer in [*opened, elsewhere]:
        answer.close()


def test_all_streams_together_are_limited(doctor: Caller, app: APIFlask) -> None:
    places = app.extensions["lightbox"].stream_places
    taken = {f"user {number}": places.take(f"user {number}") for number in range(40)}
    refused = doctor.get("/v1/events")
    assert refused.status_code == 503 and int(refused.headers["Retry-After"]) > 0
    for user, place in taken.items():
        places.give_back(user, place)
        places.give_back(user, place)
    answer = doctor.get("/v1/events", buffered=False)
    wait_until(lambda: answer.status_code == 200)
    answer.close()
