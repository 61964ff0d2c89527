"""Folders of cases, against a portal that is a small real HTTP server."""

import io
import json
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from command_line.__main__ import main

NOW = "2026-11-21T10:00:00Z"
POOR = b"a poor case"  # no boundary between a form's parts, which is random, has spaces


class OnePortal(BaseHTTPRequestHandler):
    """Takes any upload; the job of the n-th has the id n, and outlines unless the file says POOR."""

    uploads: list[bytes]

    def log_message(self, format: str, *arguments: object) -> None:
        """Says nothing."""

    def _send(self, body: bytes, kind: str = "application/json", status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.uploads.append(self.rfile.read(int(self.headers["Content-Length"])))
        job = self._job(len(self.uploads) - 1)
        self._send(json.dumps({"studies": [], "jobs": [job], "rejected": []}).encode(), status=201)

    def do_GET(self) -> None:
        if self.path.endswith("/archive"):
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w") as archive:
                number = self.path.split("/")[-2]
                archive.writestr("combined_labels.nii.gz", f"all of {number}")
                archive.writestr("segmentations/lung.nii.gz", f"lung of {number}")
                archive.writestr("labels.csv", "value,structure,colour\r\n")
                archive.writestr("../outside.txt", "x")
            return self._send(packed.getvalue(), "application/zip")
        if "/jobs?" in self.path:
            items = [self._job(number) for number in range(len(self.uploads))]
            return self._send(json.dumps({"items": items, "next_cursor": None}).encode())
        return self._send(json.dumps(self._job(int(self.path.rsplit("/", 1)[1]))).encode())

    def _job(self, number: int) -> dict[str, Any]:
        well = POOR not in self.uploads[number]
        made = [{"name": "combined_labels.nii.gz", "media_type": "application/gzip", "size_bytes": 1, "url": "/"}]
        job: dict[str, Any] = dict.fromkeys(("position", "progress", "started_at", "finished_at", "error", "result"))
        job |= {"id": str(number), "study_id": f"s{number}", "model": "ct-tissue", "version": "1", "attempt": 1}
        state = "succeeded" if well else "failed"
        return job | {"state": state, "created_at": NOW, "artifacts": made if well else []}


@pytest.fixture
def address() -> Iterator[str]:
    OnePortal.uploads = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), OnePortal)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def cases(folder: Path, **contents: bytes) -> Path:
    for name, content in contents.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "ct.nii.gz").write_bytes(content)
    return folder


def test_each_case_gets_the_outlines_of_its_own_folder(address: str, tmp_path: Path) -> None:
    """Trap: a case told by its file's name, which is the same in every folder."""
    source = cases(tmp_path / "in", one=b"first", two=b"second")
    done = CliRunner().invoke(main, ["--address", address, "segment", str(source), str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    for number, name in enumerate(("one", "two")):
        assert (tmp_path / "out" / name / "combined_labels.nii.gz").read_text() == f"all of {number}"
        assert (tmp_path / "out" / name / "labels.csv").read_text().startswith("value,structure")
        assert (tmp_path / "out" / name / "segmentations" / "lung.nii.gz").read_text() == f"lung of {number}"
    assert b"first" in OnePortal.uploads[0] and b'name="patient_reference"\r\n\r\none' in OnePortal.uploads[0]
    assert not list(tmp_path.rglob("outside.txt"))  # what an archive names outside of itself stays outside


def test_a_case_that_fails_is_counted_and_a_second_run_does_only_that_one(address: str, tmp_path: Path) -> None:
    source = cases(tmp_path / "in", good=b"good", poor=POOR)
    typed = ["--address", address, "segment", str(source), str(tmp_path / "out")]
    first = CliRunner().invoke(main, typed)
    assert first.exit_code == 1 and "1 of 2 outlined" in first.output
    assert not (tmp_path / "out" / "poor").exists()
    again = CliRunner().invoke(main, typed)
    assert "2 cases, 1 of them done before" in again.output and len(OnePortal.uploads) == 3


def test_a_folder_without_cases_is_an_error(tmp_path: Path) -> None:
    said = CliRunner().invoke(main, ["segment", str(tmp_path), str(tmp_path / "out")])
    assert said.exit_code == 1 and "ct.nii.gz" in said.output


def test_a_fast_run_asks_the_portal_for_it(address: str, tmp_path: Path) -> None:
    source = cases(tmp_path / "in", one=b"first")
    typed = ["--address", address, "segment", str(source), str(tmp_path / "out"), "--model", "ct-organs", "--fast"]
    assert CliRunner().invoke(main, typed).exit_code == 0
    assert b'name="fast"\r\n\r\ntrue' in OnePortal.uploads[0]
    (tmp_path / "npz").mkdir()
    (tmp_path / "npz" / "case.npz").write_bytes(b"x")
    said = CliRunner().invoke(main, ["segment", str(tmp_path / "npz"), str(tmp_path / "out"), "--fast"])
    assert said.exit_code == 1 and "no fast setting" in said.output
    ran = CliRunner().invoke(main, ["--address", address, "run", "s0", "--model", "ct-organs", "--fast"])
    assert ran.exit_code == 0, ran.output
    assert json.loads(OnePortal.uploads[-1]) == {"study_ids": ["s0"], "models": [{"model": "ct-organs"}], "fast": True}
