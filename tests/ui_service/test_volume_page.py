"""The page of a volume in a real browser, under the pages' own policy."""

import gzip
import io
from collections.abc import Callable, Iterator

import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Page, Route, expect

from portal_wire.contract import Study
from tests.ui_service.browsing import context_for, serious, sign_in
from tests.ui_service.conftest import Site, Visitor
from tests.ui_service.fake_app import FakeApp


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
    for key, told in (("2", "W 1500 L -600"), ("4", "W 1800 L 400"), ("5", "W 80 L 40"), ("3", "W 400 L 40")):
        page.keyboard.press(key)  # lung, bone, brain, soft tissue
        expect(page.locator("#hud-window")).to_have_text(told)
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


def shows(page: Page, wanted: Callable[[NDArray[np.uint8]], bool]) -> None:
    """Fails unless the canvas' picture, (rows, columns) of grey, comes to be the wanted one."""
    for _ in range(50):
        picture = np.asarray(Image.open(io.BytesIO(page.locator("#canvas").screenshot())).convert("L"))
        if wanted(picture):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"another picture: {levels(picture)}, {side(picture)} wide, {shades(picture)} greys")


def levels(picture: NDArray[np.uint8]) -> tuple[int, int]:
    """Grey left and right of the middle, where neither cross nor text lies."""
    rows, columns = picture.shape
    return int(picture[rows // 4, columns * 2 // 5]), int(picture[rows // 4, columns * 3 // 5])


def side(picture: NDArray[np.uint8]) -> float:
    """How wide what is drawn is, as a share of the picture's height."""
    (drawn,) = np.nonzero(picture[len(picture) // 4] > 20)
    return float(np.ptp(drawn) / len(picture)) if len(drawn) else 0.0


def shades(picture: NDArray[np.uint8]) -> int:
    """How many greys it is made of: a body in space is shaded, slices of two tissues are not."""
    return int((np.unique(picture, return_counts=True)[1] > 300).sum())


def test_each_view_shows_its_own_plane(page: Page, site: Site, fake: FakeApp) -> None:
    """The volume is 60 mm wide, 48 deep and 60 high, and bright on the patient's right, which is on the left."""
    page.goto(f"{site.origin}/studies/{add_volume(fake).id}")
    page.locator("canvas[data-drawn=yes]").wait_for(timeout=30_000)
    for view, share, grey in (
        ("Axial", 60 / 48, (255, 38)),
        ("Coronal", 60 / 60, (255, 38)),
        ("Sagittal", 48 / 60, (147, 147)),  # in the middle, between both
    ):
        page.get_by_role("button", name=view).click()
        shows(page, lambda it, share=share: side(it) == pytest.approx(share, abs=0.04))  # type: ignore[misc]
        shows(page, lambda it, grey=grey: levels(it) == pytest.approx(grey, abs=4))  # type: ignore[misc]
    page.get_by_role("button", name="3D").click()
    shows(page, lambda it: shades(it) > 60)
    page.get_by_role("button", name="All").click()
    shows(page, lambda it: shades(it) < 30 and {255, 38, 147} <= set(it[len(it) // 4]))  # side by side


@pytest.mark.parametrize(
    ("key", "right", "left"), [("2", 255, 255 * 1250 / 1500), ("3", 255, 38), ("4", 113, 57), ("5", 255, 0)]
)
def test_each_window_makes_other_greys(
    page: Page, site: Site, fake: FakeApp, key: str, right: float, left: float
) -> None:
    """300 HU on the patient's right and -100 on the left, each by its share of the window."""
    page.goto(f"{site.origin}/studies/{add_volume(fake).id}")
    page.locator("canvas[data-drawn=yes]").wait_for(timeout=30_000)
    page.get_by_role("button", name="Axial").click()
    page.keyboard.press(key)
    shows(page, lambda it: levels(it) == pytest.approx((right, left), abs=4))


def test_the_bar_fills_as_a_volume_comes(page: Page, site: Site, fake: FakeApp) -> None:
    values = np.random.default_rng(1).integers(-900, 900, (64, 64, 150)).astype(np.int16)
    body = gzip.compress(nib.Nifti1Image(values, np.eye(4)).to_bytes(), 1)
    facts = {"kind": "volume", "modality": "CT", "shape": [64, 64, 150], "spacing_mm": [1.0, 1.0, 1.0]}
    study = fake.add_study("noise.nii.gz", body, **facts)
    held: list[Route] = []
    page.route("**/volume", lambda route: held.append(route))
    page.goto(f"{site.origin}/studies/{study.id}")
    bar, loading = page.locator("#loaded"), page.get_by_role("status").filter(has_text="Loading the volume")
    expect(loading).to_be_visible()
    expect(bar).to_have_js_property("value", 0)
    expect(page.get_by_role("button", name="Axial")).to_be_disabled()
    bar.evaluate(
        """(bar) => {
            window.seen = [];
            new MutationObserver(() => window.seen.push(bar.value)).observe(bar, { attributeFilter: ["value"] });
        }"""
    )
    line = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": len(body) / 2, "uploadThroughput": -1}
    line.send("Network.emulateNetworkConditions", slow)
    held[0].continue_()
    page.locator("canvas[data-drawn=yes]").wait_for(timeout=30_000)
    expect(loading).to_be_hidden()
    seen = page.evaluate("window.seen")
    assert len(set(seen)) > 3 and seen == sorted(seen) and 0 < seen[0] < 0.6 and seen[-1] == 1


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
