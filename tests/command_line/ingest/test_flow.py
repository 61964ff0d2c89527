"""From a parcel to its results, in the one order that loses nothing."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from command_line.ingest import flow
from command_line.ingest.flow import Flow
from command_line.ingest.folder import FolderBox
from command_line.ingest.rules import Rules
from portal_wire.contract import Job, JobState, Uploaded
from tests.command_line.ingest.test_folder import put

NOTHING: dict[str, Any] = dict.fromkeys(("position", "progress", "started_at", "finished_at", "error", "result"))


class SlowPortal:
    """Takes one upload, whose job is over at the second look."""

    def __init__(self) -> None:
        told = {"id": "job", "study_id": "study", "model": "pneumonia", "version": "3", "attempt": 1}
        self._job = Job(
            **NOTHING | told | {"state": JobState.RUNNING, "created_at": datetime.now(UTC), "artifacts": []}
        )

    def upload(self, files: Any, models: Any, reference: Any, key: str) -> Uploaded:
        return Uploaded(studies=[], jobs=[self._job], rejected=[])

    def job(self, job_id: str) -> Job:
        running, self._job = self._job, self._job.model_copy(update={"state": JobState.SUCCEEDED})
        return running


def test_inputs_are_moved_only_when_their_results_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trap: results were looked for beside inputs that had just been moved, and there was nothing."""
    film = put(tmp_path, "ward/film.png", b"a film")

    def fetched(portal: object, job: str, target: Path) -> None:
        assert film.read_bytes() == b"a film"  # it still lies where it came
        target.mkdir()
        (target / "result.json").write_text("{}")

    monkeypatch.setattr(flow, "fetch", fetched)
    portal: Any = SlowPortal()
    going = Flow(portal, FolderBox(tmp_path), Rules.model_validate({}))
    while going.step():
        assert film.exists()
    assert not film.exists() and (tmp_path / "processed" / "ward" / "film.png").read_bytes() == b"a film"
    assert (tmp_path / "results" / "ward" / "film.png" / "job" / "result.json").read_text() == "{}"
