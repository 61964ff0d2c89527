"""A study's page in a real browser: the image under keys and mouse, its scale, the answer, and the review."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from portal_wire.contract import JobState
from tests.ui_service.browsing import settled
from tests.ui_service.conftest import Site
from tests.ui_service.fake_answers import answer, grey_png


def test_an_answer_comes_while_its_study_is_open(page: Page, site: Site) -> None:
    job = site.fake.add_job(site.fake.add_study(), JobState.RUNNING)
    page.goto(f"{site.origin}/studies/{job.study_id}")
    expect(page.locator("#said")).to_contain_text("Working")
    expect(page.locator("#toggle")).to_be_disabled()
    site.fake.succeed(job, answer("pneumonia", 0.91))
    expect(page.locator("#said")).to_contain_text("Pneumonia suspected")
    expect(page.locator("#toggle")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(f"#run-{job.id}")).to_contain_text("Pneumonia suspected")


def test_the_viewer_obeys_keys_and_mouse(page: Page, site: Site) -> None:
    study = site.fake.add_study()
    site.fake.succeed(site.fake.add_job(study), answer("pneumonia", 0.91))
    page.goto(f"{site.origin}/studies/{study.id}")
    canvas, toggle, told = page.locator("#canvas"), page.locator("#toggle"), page.locator("#hud-window")
    expect(toggle).to_have_attribute("aria-pressed", "true")
    with_map = canvas.screenshot()
    page.keyboard.press("Space")
    expect(toggle).to_have_attribute("aria-pressed", "false")
    page.wait_for_timeout(100)
    without_map = canvas.screenshot()
    assert with_map != without_map
    expect(told).to_contain_text("W 256 L 128")
    page.keyboard.press("2")
    expect(told).to_contain_text("W 150 L 90")
    page.keyboard.press("0")
    expect(told).to_contain_text("W 256 L 128")
    before = told.inner_text()
    canvas.hover()
    page.mouse.wheel(0, -400)
    expect(told).not_to_have_text(before)
    page.keyboard.press("0")
    page.mouse.down()
    page.mouse.move(500, 500)
    page.mouse.up()
    expect(told).not_to_contain_text("W 256 L 128")


CORNER = """() => {
  const canvas = document.getElementById("canvas"), { width, height } = canvas;
  const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  const bytes = copy.getImageData(0, 0, width, height).data;
  const drawn = (x, y) => bytes[4 * (y * width + x) + 3] > 0;
  const first = (length, at) => Array.from({ length }, (_, each) => at(each)).indexOf(true);
  return [first(width, (x) => drawn(x, height >> 1)), first(height, (y) => drawn(width >> 1, y))];
}"""


@pytest.mark.parametrize("by", ["shift", "middle button"])
def test_the_image_is_moved_by_the_mouse(page: Page, site: Site, by: str) -> None:
    study = site.fake.add_study(image=grey_png(200), shape=[200, 200])
    page.goto(f"{site.origin}/studies/{study.id}")
    canvas = page.locator("#canvas")
    expect(canvas).to_have_attribute("data-drawn", "yes")
    left, top = settled(page, CORNER)
    box = canvas.bounding_box()
    assert box is not None
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(*middle)
    button: Any = "left" if by == "shift" else "middle"
    if by == "shift":
        page.keyboard.down("Shift")
    page.mouse.down(button=button)
    page.mouse.move(middle[0] + 60, middle[1] + 40, steps=4)
    page.mouse.up(button=button)
    page.keyboard.up("Shift")
    page.wait_for_function(f"({CORNER})()[0] !== {left}")
    moved = settled(page, CORNER)
    assert (moved[0] - left, moved[1] - top) == (pytest.approx(60, abs=1), pytest.approx(40, abs=1))
    expect(page.locator("#hud-window")).to_contain_text("W 256 L 128")  # that is what a plain drag changes


EXTENT = """() => {
  const canvas = document.getElementById("canvas"), { width, height } = canvas;
  const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  const bytes = copy.getImageData(0, 0, width, height).data;
  const drawn = (x, y) => bytes[4 * (y * width + x) + 3] > 0;
  const count = (length, at) => Array.from({ length }, (_, each) => at(each)).filter(Boolean).length;
  return [count(width, (x) => drawn(x, height >> 1)), count(height, (y) => drawn(width >> 1, y))];
}"""


@pytest.mark.parametrize(("spacing_mm", "ratio"), [([0.2, 0.1], 2.0), ([0.1, 0.2], 0.5), (None, 1.0)])
def test_pixels_that_are_not_square_are_drawn_to_scale(
    page: Page, site: Site, spacing_mm: list[float] | None, ratio: float
) -> None:
    """As high for their width as they were in the patient."""
    study = site.fake.add_study(image=grey_png(200), shape=[200, 200], spacing_mm=spacing_mm)
    page.goto(f"{site.origin}/studies/{study.id}")
    expect(page.locator("#canvas")).to_have_attribute("data-drawn", "yes")
    across, down = settled(page, EXTENT)
    assert down / across == pytest.approx(ratio, rel=0.01)


def test_review_and_neighbours_by_keyboard(page: Page, site: Site) -> None:
    older, newer = site.fake.add_study("older.png"), site.fake.add_study("newer.png")
    job = site.fake.succeed(site.fake.add_job(newer), answer("pneumonia", 0.91))
    page.goto(f"{site.origin}/studies/{newer.id}")
    page.get_by_label("Comment").fill("a clear case, d and j in it")
    page.locator("#canvas").click()
    page.keyboard.press("a")
    expect(page.locator("#review")).to_contain_text("Agreed by doctor")
    expect(page.get_by_role("button", name="Agree a", exact=True)).to_have_attribute("aria-pressed", "true")
    review = site.fake.jobs[job.id].review
    assert review is not None
    assert review.comment == "a clear case, d and j in it"
    page.keyboard.press("j")
    expect(page).to_have_title("older.png · Lightbox")
    page.wait_for_load_state()
    page.keyboard.press("k")
    expect(page).to_have_title("newer.png · Lightbox")
    page.wait_for_load_state()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert older.id
