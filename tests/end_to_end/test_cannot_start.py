"""What keeps a portal from starting is said in one line."""

import os
import socket
import subprocess
import sys
from pathlib import Path

from launcher.settings import REPOSITORY


def said(data_dir: Path, **settings: str) -> str:
    """What the launcher writes to stderr; it must end with 1, having written nothing else."""
    environment = os.environ | {"LIGHTBOX_DATA_DIR": str(data_dir)} | settings
    command = [sys.executable, "-m", "launcher"]
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False, timeout=30
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    return done.stderr


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        line = said(tmp_path, LIGHTBOX_HTTPS_PORT=port)
    assert f"port {port} on 127.0.0.1: Address already in use" in line
    assert "LIGHTBOX_HTTPS_PORT" in line


def test_a_data_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "LIGHTBOX_DATA_DIR" in said(tmp_path / "file" / "var", LIGHTBOX_HTTPS_PORT="18999")


def test_a_setting_with_a_wrong_value(tmp_path: Path) -> None:
    line = said(tmp_path, LIGHTBOX_HTTPS_PORT="http")
    assert "LIGHTBOX_HTTPS_PORT" in line
