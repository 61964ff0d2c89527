"""The one browser of all tests: the system's Chromium or Chrome, else the one that Playwright brings."""

import shutil
import subprocess
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Error, sync_playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
MISSING = (
    "no browser, so the pages were not tested: apt install chromium, or on Ubuntu, where that is a snap, "
    ".venv/bin/playwright install --with-deps chromium"
)


def program() -> str | None:
    """The system's browser; None for the one that Playwright brings, if any."""
    return next((found for name in PROGRAMS if (found := shutil.which(name)) and _starts(found)), None)


def _starts(found: str) -> bool:
    """Ubuntu's `chromium-browser` is a script that only names the snap, and a snap sees no file below /tmp."""
    try:
        done = subprocess.run([found, "--version"], capture_output=True, text=True, check=False, timeout=60)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0 and "snap" not in done.stdout


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless; skips the test where there is no browser at all."""
    with sync_playwright() as playwright:
        try:
            running = playwright.chromium.launch(executable_path=program(), args=FLAGS)
        except Error as error:
            if "Executable doesn't exist" in error.message:
                pytest.skip(MISSING)
            raise
        yield running
        running.close()
