"""Two versions of a model on one film, side by side, in a real browser through NGINX."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from tests.end_to_end.doctor import FILMS, PHOTOGRAPH, Doctor
from tests.end_to_end.model_folder import OLDER
from tests.end_to_end.portal import Portal
from tests.end_to_end.test_browser import sign_in

SIZES = {"desk": (1280, 800), "phone": (390, 844)}
ANSWERED = re.compile("Pneumonia suspected|No pneumonia seen|Uncertain")


@pytest.fixture
def page(browser: Browser, portal: Portal) -> Iterator[Page]:
    """Signed in. What the console complains about fails the test."""
    context = browser.new_context(ignore_https_errors=True, viewport={"width": 1280, "height": 800})
    complaints: list[str] = []
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    sign_in(page, portal)
    yield page
    context.close()
    assert complaints == []


def test_versions_are_compared_from_the_study_page(page: Page, portal: Portal, doctor: Doctor) -> None:
    study, job = doctor.upload(FILMS[0].read_bytes())
    main = doctor.wait(job["id"])
    columns = compare(page, portal, study["id"], OLDER, job["version"])
    for column in columns.all():
        expect(column.locator("p.said")).to_contain_text(ANSWERED, timeout=60_000)
        expect(column).to_contain_text(re.compile(r"house · 2\.\d MB · 1,280,221 parameters"))
        expect(column.locator(".times")).to_contain_text(re.compile(r"Network\s*[\d.]+ m?s"))
    expect(page.locator("#standing")).to_contain_text("models that answered agree")

    shown = [canvas.screenshot() for canvas in columns.locator("canvas").all()]
    page.keyboard.press("Space")
    page.wait_for_timeout(300)
    toggled = [canvas.screenshot() for canvas in columns.locator("canvas").all()]
    assert all(before != after for before, after in zip(shown, toggled, strict=True))

    # The study's own answer is still the one that it had.
    page.goto(f"{portal.url}/studies/{study['id']}")
    expect(page.locator("#said")).to_be_visible()
    expect(page.locator(f"#run-{job['id']}")).to_have_count(1)
    assert [one["id"] for one in jobs_of(doctor, study["id"], "answer")] == [job["id"]]
    assert len(jobs_of(doctor, study["id"], "compare")) == 2
    assert doctor.job(job["id"])["result"]["label"] == main["result"]["label"]


def test_what_is_no_film_is_no_answer_in_any_column(page: Page, portal: Portal, doctor: Doctor) -> None:
    study, job = doctor.upload(PHOTOGRAPH.read_bytes(), "photograph.jpg")
    doctor.wait(job["id"])
    columns = compare(page, portal, study["id"], OLDER, job["version"])
    for column in columns.all():
        expect(column.locator("p.said")).to_contain_text("Not answered", timeout=60_000)
        expect(column.locator("svg.scale")).to_have_count(0)
    expect(page.locator("#standing")).to_contain_text("No model has answered")
    expect(page.locator("#standing")).not_to_contain_text("agree")


@pytest.mark.parametrize("size", SIZES)
def test_everyone_can_use_the_comparison(page: Page, portal: Portal, doctor: Doctor, size: str) -> None:
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    study, job = doctor.upload(FILMS[1].read_bytes())
    doctor.wait(job["id"])
    columns = compare(page, portal, study["id"], OLDER, job["version"])
    expect(columns.locator("p.said").last).to_contain_text(ANSWERED, timeout=60_000)
    network = f"/models/pneumonia/versions/{job['version']}/network"
    for path in ("", "/models/pneumonia", network):
        if path:
            page.goto(f"{portal.url}{path}")
        found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    expect(page.locator("table")).to_contain_text("stage4_block1_conv1")


def compare(page: Page, portal: Portal, study_id: str, *versions: str) -> Locator:
    """The columns of these versions of pneumonia, started by hand from the study's page."""
    page.goto(f"{portal.url}/studies/{study_id}")
    page.get_by_role("link", name="Compare models").click()
    for box in page.locator("input[name=version]").all():
        box.set_checked(box.get_attribute("value") in [f"pneumonia/{version}" for version in versions])
    page.get_by_role("button", name="Compare", exact=True).click()
    columns = page.locator(".column")
    expect(columns).to_have_count(len(versions))
    expect(columns.locator("canvas[data-drawn=yes]")).to_have_count(len(versions))
    return columns


def jobs_of(doctor: Doctor, study_id: str, purpose: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = doctor.call("GET", f"/v1/jobs?study_id={study_id}&purpose={purpose}").json()["items"]
    return items
