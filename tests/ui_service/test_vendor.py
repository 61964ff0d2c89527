"""Vendored scripts are what VENDOR.md says they are."""

import hashlib
import re
from pathlib import Path

import ui_service

VENDOR = Path(ui_service.__file__).parent / "static" / "vendor"
ROW = re.compile(
    r"^\| (?P<file>\S+\.js) \| (?P<package>\S+) \| (?P<version>\S+) \| \S+ \| (?P<hash>[0-9a-f]{64}) \|$", re.M
)


def test_the_hashes_hold_and_no_script_is_unlisted() -> None:
    rows = {row["file"]: row["hash"] for row in ROW.finditer((VENDOR / "VENDOR.md").read_text(encoding="utf-8"))}
    assert rows.keys() == {path.name for path in VENDOR.glob("*.js")}
    for name, wanted in rows.items():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == wanted, name


def test_htmx_is_the_line_that_tells_of_uploads() -> None:
    text = (VENDOR / "htmx.min.js").read_text(encoding="utf-8")
    assert 'version:"2.0.11"' in text
