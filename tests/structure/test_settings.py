"""Settings live in the environment, under one prefix, and every one is documented."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
READ = re.compile(r"""["'](LIGHTBOX_[A-Z0-9_]+)["']""")
CODE = ["portal_wire", "ui_service", "app_service", "ml_service", "launcher", "command_line"]


def used() -> set[str]:
    files = [file for folder in CODE for file in (ROOT / folder).rglob("*.py")]
    return {name.removesuffix("_FILE") for file in files for name in READ.findall(file.read_text(encoding="utf-8"))}


def documented() -> set[str]:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    return set(re.findall(r"^#?\s?(LIGHTBOX_[A-Z0-9_]+)=", text, re.MULTILINE))


def test_every_setting_that_is_read_is_documented() -> None:
    assert used() - documented() == set()


def test_no_setting_is_documented_that_nobody_reads() -> None:
    assert documented() - used() == set()
