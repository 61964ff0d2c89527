"""A doctor in a real browser: signed in, watched for complaints, and a screen reader's rules."""

import json
import time
from typing import TYPE_CHECKING, Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.ui_service.fake_answers import grey_png
from tests.ui_service.fake_app import PASSWORD

if TYPE_CHECKING:
    from tests.ui_service.conftest import Site

WIDE, NARROW = {"width": 1280, "height": 860}, {"width": 390, "height": 844}


def context_for(browser: Browser, **options: Any) -> BrowserContext:
    context = browser.new_context(ignore_https_errors=True, **({"viewport": WIDE} | options))
    context.set_default_timeout(10_000)
    return context


def sign_in(page: Page, site: "Site") -> None:
    page.goto(f"{site.origin}/")
    page.get_by_label("Name").fill("doctor")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_title("Worklist · Lightbox")
    page.wait_for_load_state()  # scripts are in place


def heard(site: "Site") -> None:
    """Wait until a live stream is open."""
    for _ in range(200):
        if site.fake.listeners:
            return
        time.sleep(0.02)
    raise AssertionError("no page listens")


def forgive_refusals(complaints: list[str]) -> None:
    """The browser itself notes each refused request in the console; nothing else may stand there."""
    complaints[:] = [text for text in complaints if "415" not in text]


def files(*names: str) -> list[Any]:
    return [{"name": name, "mimeType": "image/png", "buffer": grey_png()} for name in names]


def settled(page: Page, script: str) -> list[int]:
    """What `script` reads from the canvas once it reads the same twice, so that no change of its size is under way."""
    before: list[int] = []
    for _ in range(100):
        found = page.evaluate(script)
        if found == before and found[0] > 0:
            break
        before = found
        page.wait_for_timeout(100)
    return found


def serious(page: Page) -> list[str]:
    response = Axe().run(page).response
    return [
        f"{page.url} {violation['id']}: {json.dumps([node['html'][:200] for node in violation['nodes'][:3]])}"
        for violation in response["violations"]
        if violation["impact"] in ("serious", "critical")
    ]
