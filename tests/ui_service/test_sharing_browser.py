"""A shared link in a real browser: its code goes to no server in an address, also by way of signing in."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.ui_service.browsing import NARROW, WIDE, context_for, serious
from tests.ui_service.conftest import Site
from tests.ui_service.fake_answers import answer
from tests.ui_service.fake_app import PASSWORD
from tests.ui_service.fake_sharing import CODE, EMERGENCY

PICTURES = os.environ.get("LIGHTBOX_PICTURES")  # a folder, for who wants to look


@pytest.fixture(params=[("dark", WIDE), ("light", NARROW)], ids=["dark-wide", "light-narrow"])
def page(request: pytest.FixtureRequest, browser: Browser, site: Site) -> Iterator[Page]:
    scheme, viewport = request.param
    context = context_for(browser, viewport=viewport, bypass_csp=True)  # for axe's own script
    context.add_init_script(f"localStorage.setItem('theme', '{scheme}')")
    yield context.new_page()
    context.close()


def looked_at(page: Page, name: str) -> None:
    """No fault that a screen reader would meet; a picture for who wants one."""
    assert serious(page) == []
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= (page.viewport_size or {})["width"], f"{name} is {width} wide"
    if PICTURES:
        width = (page.viewport_size or {})["width"]
        page.screenshot(path=Path(PICTURES) / f"{name}-{width}.png", full_page=True)


def test_a_link_leads_through_sign_in_to_the_study_and_its_code_into_no_address(page: Page, site: Site) -> None:
    study = site.fake.add_study(uploaded_by="house", patient_reference="P-7")
    site.fake.succeed(site.fake.add_job(study), answer("pneumonia", 0.91))
    site.fake.sharing.seen.append(study.id)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.split("#")[0] + str(request.headers)))
    page.goto(f"{site.origin}/shared#{CODE}")
    expect(page).to_have_url(f"{site.origin}/sign-in?next=/shared#{CODE}")
    page.get_by_label("Name").fill("doctor")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    field = page.get_by_label("The link that a colleague sent you")
    expect(field).to_have_value(CODE)
    expect(page).to_have_url(f"{site.origin}/shared")
    looked_at(page, "shared")
    page.get_by_role("button", name="Open", exact=True).click()
    expect(page).to_have_url(f"{site.origin}/shared/{study.id}")
    expect(page.get_by_text("A study of house.")).to_be_visible()
    looked_at(page, "guest")
    assert asked and not [one for one in asked if CODE in one]


def test_its_doctor_shares_and_reads_of_an_emergency(page: Page, site: Site) -> None:
    site.fake.sharing.emergencies.append(EMERGENCY)
    study = site.fake.add_study()
    site.fake.succeed(site.fake.add_job(study), answer("pneumonia", 0.91))
    page.goto(f"{site.origin}/sign-in")
    page.get_by_label("Name").fill("doctor")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"{site.origin}/studies/{study.id}")
    page.get_by_text("Let a colleague look").click()
    page.get_by_label("sign-in name").fill("house")
    page.get_by_role("button", name="Make a link").click()
    expect(page.get_by_text(f"/shared#{CODE}")).to_be_visible()
    looked_at(page, "link")
    page.get_by_role("link", name="I have it").click()
    expect(page.get_by_text("opened by 0")).to_be_visible()
    looked_at(page, "study")
    with page.expect_navigation(wait_until="load"):  # what comes next must not meet the page on its way
        page.get_by_role("button", name="Revoke the link for house").click()
    expect(page.get_by_text("opened by 0")).to_have_count(0)
    page.goto(f"{site.origin}/studies/{study.id}/emergency")
    looked_at(page, "emergency")
    page.goto(f"{site.origin}/shared")
    looked_at(page, "shared")
    page.get_by_role("link", name="with a reason").click()
    expect(page.get_by_label("Patient reference or study id")).to_be_visible()
    page.goto(f"{site.origin}/emergency")  # without the fading of one page into the next
    looked_at(page, "search")
    page.get_by_label("Patient reference or study id").fill("nobody's")
    page.get_by_label("Why").fill("She collapsed, and her doctor is away.")
    page.get_by_role("button", name="Open it").click()
    expect(page.locator("#said")).to_contain_text("No study has this")
    expect(page.get_by_label("Why")).to_have_value("She collapsed, and her doctor is away.")
