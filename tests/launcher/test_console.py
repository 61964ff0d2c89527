"""The log file gets everything but the passwords, the terminal only what matters."""

from collections import namedtuple
from datetime import datetime
from pathlib import Path

import pytest

from launcher.console import Console

Line = namedtuple("Line", "type data time name colour")


def lines(console: Console, name: str, text: bytes) -> None:
    console.write(Line("line", text, datetime(2026, 11, 21), name, None))


def test_each_line_goes_where_it_belongs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(tmp_path / "portal.log")
    lines(console, "ready", b"doctor  the-password\n")
    lines(console, "system", b"ml.1 started (pid=7)\n")
    lines(console, "ml", b"keeper: ended with -9; it starts again in 0.2 s\n")
    log = (tmp_path / "portal.log").read_text()
    assert capsys.readouterr().out.splitlines() == [
        "doctor  the-password",
        "ml: ended with -9; it starts again in 0.2 s",
    ]
    assert "the-password" not in log
    assert "system | ml.1 started (pid=7)" in log
