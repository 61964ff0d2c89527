"""The page of a volume in a real browser, under the pages' own policy."""

import gzip
from collections.abc import Iterator

import nibabel as nib
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from portal_wire.contract import Study
from tests.ui_service.conftest import Site, Visitor
from tests.ui_service.fake_app import FakeApp
from tests.ui_service.test_browser import context_for, serious, sign_in


def add_volume(fake: FakeApp) -> Study:
    """20 slices of 24 rows and 30 columns: 300 on the patient's right, -100 on the left."""
    values = np.full((30, 24, 20), -100, np.int16)
    values[15:] = 300  # the first axis runs to the right
    body = gzip.compress(nib.Nifti1Image(values, np.diag([2.0, 2.0, 3.0, 1.0])).to_bytes())
    facts = {"kind": "volume", "modality": "CT", "shape": [24, 30, 20], "spacing_mm": [2.0, 2.0, 3.0]}
    return fake.add_study("abdomen.zip", body, **facts)


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    context = context_for(browser)
    page = context.new_page()
    heard: list[str] = []
    page.on("console", lambda said: heard.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith((site.origin, "data:")) else heard.append(asked.url))
    sign_in(page, site)
    yield page
    context.close()
    # Drivers tell of slow reads, NiiVue of what is no volume; what counts is the policy, and addresses of others.
    known = ("GPU stall", "GL Driver", "does not appear to be NIFTI")
    assert [line for line in heard if not any(each in line for each in known)] == []


def test_a_volume_is_drawn_and_windowed_without_asking_anyone_else(page: Page, site: Site, fake: FakeApp) -> None:
    study = add_volume(fake)
    page.goto(f"{site.origin}/studies/{study.id}")
    page.locator("canvas[data-drawn=yes]").wait_for(timeout=30_000)
    expect(page.get_by_role("status").filter(has_text="Loading")).to_be_hidden()
    expect(page.locator("#hud-window")).to_have_text("W 400 L 40")  # soft tissue, since it is a CT
    page.keyboard.press("2")
    expect(page.locator("#hud-window")).to_have_text("W 1500 L -600")
    axial = page.get_by_role("button", name="Axial")
    axial.click()
    expect(axial).to_have_attribute("aria-pressed", "true")
    canvas = page.locator("#canvas")
    box = canvas.bounding_box()
    assert box is not None
    middle, height = box["width"] / 2, box["height"] / 2
    canvas.click(position={"x": middle - 60, "y": height})
    expect(page.locator("#hud-place")).to_contain_text("300 HU")  # the patient's right is on the left
    canvas.click(position={"x": middle + 60, "y": height})
    expect(page.locator("#hud-place")).to_contain_text("-100 HU")
    place = page.locator("#hud-place").inner_text()
    page.mouse.wheel(0, 100)
    expect(page.locator("#hud-place")).not_to_have_text(place)
    assert serious(page) == []


def test_a_plain_drag_windows_where_the_reader_asks_for_it(page: Page, site: Site, fake: FakeApp) -> None:
    """A finger and many a pen have no right button."""
    page.goto(f"{site.origin}/studies/{add_volume(fake).id}")
    page.locator("canvas[data-drawn=yes]").wait_for(timeout=30_000)
    page.get_by_role("button", name="Axial").click()
    window, place = page.locator("#hud-window"), page.locator("#hud-place")
    box = page.locator("#canvas").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def drag() -> None:
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 40, y + 30, steps=4)
        page.mouse.up()

    drag()  # moves the cross, and leaves the window alone
    expect(window).to_have_text("W 400 L 40")
    expect(place).to_contain_text("HU")
    page.keyboard.press("w")
    expect(page.locator("#windowing")).to_have_attribute("aria-pressed", "true")
    before = place.inner_text()
    drag()
    expect(window).not_to_have_text("W 400 L 40")
    expect(place).to_have_text(before)
    page.keyboard.press("w")
    page.keyboard.press("3")
    drag()
    expect(window).to_have_text("W 400 L 40")


def test_a_volume_that_cannot_be_loaded_is_said_so(page: Page, site: Site, fake: FakeApp) -> None:
    study = add_volume(fake)
    fake.images[study.id] = b"no volume"
    page.goto(f"{site.origin}/studies/{study.id}")
    expect(page.get_by_role("alert").filter(has_text="could not be shown")).to_be_visible()


def test_what_no_model_reads_is_not_shown_as_judged(doctor: Visitor, fake: FakeApp) -> None:
    text = doctor.get(f"/studies/{add_volume(fake).id}").text
    assert "No model of this portal reads volumes yet." in text
    assert "CT volume · 30 × 24 × 20 of 2 × 2 × 3 mm" in text  # noqa: RUF001
    assert "Compare models" not in text and ">Run<" not in text
