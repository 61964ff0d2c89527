"""SECURITY.md is one page, and each file and test that it names is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMED = re.compile(
    r"`((?:tests|app_service|ui_service|ml_service|portal_wire|nginx|ansible|terraform)/[^`]*|[\w-]+\.lock)`"
)


def test_whatever_it_names_is_there() -> None:
    page = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    named = NAMED.findall(page)
    assert len(named) > 30
    for name in named:
        file, _, test = name.partition("::")
        assert (ROOT / file).exists(), name
        assert not test or f"\ndef {test}(" in (ROOT / file).read_text(encoding="utf-8"), name


def test_it_is_one_page() -> None:
    assert len((ROOT / "SECURITY.md").read_text(encoding="utf-8").splitlines()) <= 60
