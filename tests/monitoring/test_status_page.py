"""The status page of a watched portal in a real browser: what Prometheus knows is drawn, for everyone's eyes."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.monitoring.watch import MODEL, VERSION, Watch

PLOTS = 6


@pytest.fixture(params=[1280, 390])
def page(watch: Watch, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The page of an administrator who came to it by the link in the bar; the console stays empty."""
    said: list[str] = []
    viewport: Any = {"width": request.param, "height": 900}
    context = browser.new_context(ignore_https_errors=True, viewport=viewport, bypass_csp=True)
    page = context.new_page()
    page.on("console", lambda line: said.append(line.text) if line.type in ("error", "warning") else None)
    page.goto(f"{watch.portal.url}/sign-in")
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill(watch.portal.admin_password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Status").click()
    yield page
    context.close()
    assert said == []


def test_tiers_queue_models_and_plots_are_shown(watch: Watch, page: Page) -> None:
    watch.until('tier:lightbox_requests:rate5m{tier="ui"}', within_s=60)
    page.get_by_role("link", name="1 hour").click()
    expect(page.locator("figure.plot")).to_have_count(PLOTS)
    expect(page.get_by_text("does not answer")).to_have_count(0)
    workers = page.locator("dt", has_text="Workers").locator("xpath=following-sibling::dd[1]")
    expect(workers).to_contain_text("works (1 of 1)")
    expect(page.get_by_role("heading", name=f"{MODEL} {VERSION}")).to_be_visible()
    requests = page.get_by_role("img", name="Requests: ")
    assert (requests.locator("path.line").first.get_attribute("d") or "").startswith("M")

    found = [one for one in Axe().run(page).response["violations"] if one["impact"] in ("serious", "critical")]
    assert [(one["id"], json.dumps([node["html"][:200] for node in one["nodes"][:3]])) for one in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= (page.viewport_size or {})["width"]


def test_new_numbers_take_the_focus_from_nobody(page: Page) -> None:
    span = page.get_by_role("link", name="6 hours")
    span.focus()
    before = page.locator("#standing").inner_html()
    page.evaluate("htmx.ajax('GET', '/status?hours=168', '#standing')")
    expect(page.get_by_text("7 days ago").first).to_be_visible()
    assert page.locator("#standing").inner_html() != before
    expect(span).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("6 hours ago").first).to_be_visible()
