"""What a doctor waits at the page: from a film that is chosen to its answer in the worklist, in a real browser."""

import shutil
import time
from collections.abc import Sequence

from playwright.sync_api import Page, sync_playwright

from benchmarks.servers import PASSWORD, RunningPortal

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
ANSWERED = """name => [...document.querySelectorAll("table.worklist tbody tr")].some(row =>
  row.innerText.includes(name) && /suspected|No pneumonia seen|Uncertain|Not answered/.test(row.innerText))"""


def waits_s(portal: RunningPortal, films: Sequence[bytes], count: int) -> list[float]:
    """Seconds that each of `count` films took, one at a time. Looked for at each frame that the browser draws."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_context(ignore_https_errors=True).new_page()
        page.goto(f"{portal.url}/sign-in")
        page.get_by_label("Name").fill("doctor")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.locator("table.worklist, .samples").first.wait_for()
        waited = [_wait_s(page, films[number % len(films)], f"seen-{number}.jpg") for number in range(count)]
        browser.close()
    return waited


def _wait_s(page: Page, film: bytes, name: str) -> float:
    began = time.perf_counter()
    page.locator("input[type=file]").first.set_input_files({"name": name, "mimeType": "image/jpeg", "buffer": film})
    page.wait_for_function(ANSWERED, arg=name, timeout=30_000)
    taken = time.perf_counter() - began
    time.sleep(0.2)
    return taken
