"""What `lightbox download` asks a portal for, and where it puts what came: the portal is a small real HTTP server."""

import io
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from command_line.__main__ import main

JOB, OTHER = "019a0000-0000-7000-8000-000000000001", "5b1c0000-0000-5000-8000-00000000000a"


class Archives(BaseHTTPRequestHandler):
    """An archive for any job, under another id where that was asked for."""

    asked: list[str]
    names = True

    def log_message(self, format: str, *arguments: object) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        self.asked.append(self.path)
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("result.json", "{}")
        self.send_response(200)
        name = f"lightbox-{OTHER if 'removed' in self.path else JOB}.zip"
        if self.names:
            self.send_header("Content-Disposition", f"attachment; filename={name}")
        self.end_headers()
        self.wfile.write(packed.getvalue())


@pytest.fixture
def address() -> Iterator[str]:
    Archives.asked, Archives.names = [], True
    server = ThreadingHTTPServer(("127.0.0.1", 0), Archives)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("options", "query", "folder"),
    [
        ([], "", JOB),
        (["--surfaces"], "?surfaces=true", JOB),
        (["--without-identity"], "?identity=removed", OTHER),
        (["--without-identity", "--surfaces"], "?identity=removed&surfaces=true", OTHER),
    ],
)
def test_an_archive_is_asked_for_and_named_as_wanted(
    address: str, tmp_path: Path, options: list[str], query: str, folder: str
) -> None:
    """A folder under the job's own id would lead back to the patient."""
    done = CliRunner().invoke(main, ["--address", address, "download", JOB, "--to", str(tmp_path), *options])
    assert done.exit_code == 0, done.output
    assert Archives.asked == [f"/api/v1/jobs/{JOB}/archive{query}"]
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.json")] == [f"{folder}/result.json"]


def test_an_archive_without_another_id_is_not_kept(address: str, tmp_path: Path) -> None:
    Archives.names = False
    typed = ["--address", address, "download", JOB, "--to", str(tmp_path), "--without-identity"]
    done = CliRunner().invoke(main, typed)
    assert done.exit_code == 1 and "another id" in done.output and not list(tmp_path.iterdir())
