"""Cases of the MedSAM challenge through a portal, which is a small real HTTP server here."""

import io
import json
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from command_line.__main__ import main
from tests.command_line.test_segment import OnePortal


class BoxPortal(OnePortal):
    """Its n-th job has outlined n."""

    uploads: list[bytes] = []

    def do_POST(self) -> None:  # noqa: N802
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if b"boxless" in body:
            problem = {"detail": "Box prompt needs boxes.", "code": "prompts_missing"}
            return self._send(json.dumps(problem).encode(), "application/problem+json", 422)
        self.uploads.append(body)
        uploaded = {"studies": [], "jobs": [self._job(len(self.uploads) - 1)], "rejected": []}
        return self._send(json.dumps(uploaded).encode(), status=201)

    def do_GET(self) -> None:  # noqa: N802
        if not self.path.endswith("/artifacts/segs.npz"):
            return super().do_GET()
        file = io.BytesIO()
        np.savez(file, segs=np.full((3, 4), int(self.path.split("/")[-3]), np.uint8))
        return self._send(file.getvalue(), "application/zip")

    def _job(self, number: int) -> dict[str, Any]:
        made = [{"name": "segs.npz", "media_type": "application/zip", "size_bytes": None, "url": "/"}]
        return super()._job(number) | {"model": "box-prompt", "artifacts": made}


@pytest.fixture
def address() -> Iterator[str]:
    BoxPortal.uploads = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), BoxPortal)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_npz_in_npz_out(address: str, tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for name in ("2D_a", "3D_b"):
        (source / f"{name}.npz").write_bytes(name.encode())
    (source / "boxless.npz").write_bytes(b"boxless")
    typed = ["--address", address, "segment", str(source), str(target)]
    done = CliRunner().invoke(main, typed)
    assert done.exit_code == 1 and "2 of 3 outlined" in done.output, done.output
    assert "boxless.npz: Box prompt needs boxes." in done.output
    for number, name in enumerate(("2D_a", "3D_b")):
        with np.load(target / f"{name}.npz") as file:
            assert (file["segs"] == number).all()
    assert sorted(path.name for path in target.iterdir()) == ["2D_a.npz", "3D_b.npz"]
    assert all(b'name="model"\r\n\r\nbox-prompt' in body for body in BoxPortal.uploads)
    again = CliRunner().invoke(main, typed)
    assert "3 cases, 2 of them done before" in again.output and len(BoxPortal.uploads) == 2
