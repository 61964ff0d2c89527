"""`lightbox run` on more studies than one request may name."""

from typing import Any

from command_line import run
from command_line.portal import Portal
from portal_wire.contract import Job

JOB = {
    **dict.fromkeys(("position", "progress", "started_at", "finished_at", "error", "result")),
    "model": "pneumonia",
    "version": "1",
    "state": "queued",
    "attempt": 1,
    "artifacts": [],
    "created_at": "2026-11-21T10:00:00Z",
}


class Answer:
    def __init__(self, body: dict[str, Any]) -> None:
        self._jobs = [JOB | {"id": f"j{study}", "study_id": study} for study in body["study_ids"]]

    def json(self) -> dict[str, Any]:
        return {"jobs": self._jobs}


class Recording(Portal):
    """Notes how many studies each request names."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def call(self, method: str, path: str, **options: Any) -> Any:
        assert (method, path) == ("POST", "/jobs") and options["json"]["models"] == [{"model": "pneumonia"}]
        self.asked.append(len(options["json"]["study_ids"]))
        return Answer(options["json"])


def test_studies_go_by_the_thousand_each_once() -> None:
    portal, studies = Recording(), tuple(f"s{number}" for number in range(2001))
    jobs: list[Job] = run.started(portal, studies, ("pneumonia",))
    assert portal.asked == [1000, 1000, 1] and tuple(job.study_id for job in jobs) == studies
