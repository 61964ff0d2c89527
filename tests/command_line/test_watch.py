"""What `run --wait`, `upload --wait` and `status --watch` show while they wait."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import click
import pytest

from command_line import watch
from portal_wire.contract import Job, JobState

NOTHING: dict[str, Any] = dict.fromkeys(("position", "started_at", "finished_at", "error", "result"))


def job(number: int, state: JobState, progress: float | None = None) -> Job:
    told = {"id": f"job-{number}", "study_id": "study", "model": "ct-tissue", "version": "1", "state": state}
    return Job(
        **NOTHING | told | {"attempt": 1, "progress": progress, "created_at": datetime.now(UTC), "artifacts": []}
    )


class Rounds:
    """A portal whose jobs stand otherwise at each look."""

    def __init__(self, *rounds: list[Job]) -> None:
        self._rounds = iter(rounds)

    def jobs_of(self, studies: Sequence[str]) -> Iterator[Job]:
        yield from next(self._rounds)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str]]:
    """Where the bar stands after each look, in hundredths of a job, and what is written beside it."""
    places: list[tuple[int, str]] = []
    real: Callable[..., Any] = click.progressbar

    def noted(**options: Any) -> Any:
        bar = real(**options)
        update = bar.update

        def note(steps: int, item: str) -> None:
            update(steps, item)
            places.append((bar.pos, item))

        bar.update = note
        return bar

    monkeypatch.setattr(watch.click, "progressbar", noted)
    monkeypatch.setattr(watch, "LOOK_S", 0)
    return places


def test_the_bar_sums_what_is_done_of_every_job(shown: list[tuple[int, str]]) -> None:
    running, done, waiting = JobState.RUNNING, JobState.SUCCEEDED, JobState.QUEUED
    portal: Any = Rounds(
        [job(1, running, 0.25), job(2, waiting)],
        [job(1, running, 0.75), job(2, running)],
        [job(1, running), job(2, running)],  # an attempt that began again
        [job(1, done), job(2, running, 0.5)],
        [job(1, done), job(2, done)],
    )
    assert watch.finished(portal, [job(1, waiting), job(2, waiting)])
    assert shown == [(25, "0/2"), (75, "0/2"), (75, "0/2"), (150, "1/2"), (200, "2/2")]


def test_a_job_without_an_answer_is_told(shown: list[tuple[int, str]]) -> None:
    portal: Any = Rounds([job(1, JobState.CANCELLED)])
    assert not watch.finished(portal, [job(1, JobState.QUEUED)])


def test_a_running_job_is_told_with_its_share() -> None:
    assert watch.line(job(1, JobState.RUNNING, 0.42)).endswith("running  42%")
