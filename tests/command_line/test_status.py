"""`lightbox status` as it is typed; the portal is a small real HTTP server whose jobs go on at each look."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner, Result

from command_line import watch
from command_line.__main__ import main
from portal_wire.contract import Job, JobPage, JobState
from tests.command_line.test_watch import job

RUNNING, SUCCEEDED, FAILED = JobState.RUNNING, JobState.SUCCEEDED, JobState.FAILED


class Jobs(BaseHTTPRequestHandler):
    """`rounds` are the jobs at the first look and at later ones; the last stays."""

    rounds: list[list[Job]]
    looks: int

    def log_message(self, format: str, *arguments: object) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        name, query = asked.path.removeprefix("/api/v1/jobs").strip("/"), parse_qs(asked.query)
        assert name or query.get("study_id", ["study"]) == ["study"]
        if "study_id" in query:
            type(self).looks += 1
        now = self.rounds[min(self.looks, len(self.rounds) - 1)]
        page = JobPage(items=now, next_cursor=None)
        answer = next(each for each in now if each.id == name) if name else page
        self.send_response(200)
        self.end_headers()
        self.wfile.write(answer.model_dump_json().encode())


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(watch, "LOOK_S", 0)
    Jobs.looks = 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), Jobs)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def status(address: str, *words: str) -> Result:
    return CliRunner().invoke(main, ["--address", address, "status", *words])


@pytest.mark.parametrize(("last", "exit_code"), [(SUCCEEDED, 0), (FAILED, 1), (JobState.CANCELLED, 1)])
@pytest.mark.parametrize("named", [[], ["job-1", "job-2"]], ids=["newest", "named"])
def test_watch_waits_for_every_job_and_ends_as_they_did(
    address: str, named: list[str], last: JobState, exit_code: int
) -> None:
    """Status 1 when a job brought no answer, for scripts that go on with it."""
    first, ended = job(1, SUCCEEDED), job(2, last)
    Jobs.rounds = [[first, job(2, RUNNING, 0.2)], [first, job(2, RUNNING, 0.6)], [first, ended]]
    done = status(address, "--watch", *named)
    assert done.exit_code == exit_code, done.output
    assert Jobs.looks == 2  # no more than it took
    assert done.output.splitlines()[-2:] == [watch.line(first), watch.line(ended)]


def test_jobs_that_are_not_named_are_not_waited_for(address: str) -> None:
    Jobs.rounds = [[job(1, SUCCEEDED), job(2, RUNNING)]]
    done = status(address, "--watch", "job-1")
    assert done.exit_code == 0 and "job-2" not in done.output, done.output


def test_without_watch_jobs_are_told_as_they_stand(address: str) -> None:
    Jobs.rounds = [[job(1, FAILED), job(2, RUNNING, 0.2)]]
    done = status(address)
    assert done.exit_code == 0 and Jobs.looks == 0
    assert done.output.splitlines() == [watch.line(each) for each in Jobs.rounds[0]]
