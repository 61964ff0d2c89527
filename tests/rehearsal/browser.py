"""A doctor's browser on the internet: signs in through NGINX, adds a film, opens it and reads the answer."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests import browser
from tests.rehearsal.network import namespace
from tests.rehearsal.outside import FILM
from tests.rehearsal.playbooks import ORIGIN, Site

SCRIPT = """
import json, re, sys
from playwright.sync_api import expect, sync_playwright
told = json.load(sys.stdin)
quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", f"--host-resolver-rules=MAP {told['name']} {told['edge']}"]
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=told["program"], args=quiet)
    # The installation's own authority is not in Chromium's store; `outside` checks it on the same address.
    page = browser.new_page(ignore_https_errors=True, viewport={"width": 1280, "height": 800})
    page.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    complaints = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(told["origin"])
    page.get_by_label("Name").fill("doctor")
    page.get_by_label("Password").fill(told["password"])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.set_input_files("#files", told["film"])
    row = page.locator("table.worklist tbody tr").first
    expect(row.locator(".state.succeeded")).to_be_visible()
    row.get_by_role("link").first.click()
    answer = page.locator("#answer")
    expect(answer).to_contain_text(re.compile("Pneumonia suspected|No pneumonia seen|Uncertain"))
    page.screenshot(path=told["screenshot"])
    print(json.dumps([answer.inner_text().strip().splitlines()[0], complaints]))
    browser.close()
"""


def classify(site: Site, screenshot: Path, within_s: float = 300) -> tuple[str, list[str]]:
    """The page's first words about the film, and what the console complained about. The page's picture is kept."""
    told: dict[str, Any] = {"origin": ORIGIN, "name": ORIGIN.partition("//")[2], "password": site.passwords["doctor"]}
    told |= {"edge": site.vpc.addresses["edge"], "film": str(FILM), "screenshot": str(screenshot)}
    told["program"] = browser.program()
    command = ["ip", "netns", "exec", namespace("internet"), sys.executable, "-c", SCRIPT]
    done = subprocess.run(
        command, input=json.dumps(told), capture_output=True, text=True, check=False, timeout=within_s
    )
    assert done.returncode == 0, done.stderr[-3000:]
    answer, complaints = json.loads(done.stdout.splitlines()[-1])
    return answer, complaints
