"""The outline tool over a volume: boxes on its slices in the order of its own axes, however it is stored."""

import gzip
import io
from collections.abc import Iterator

import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from portal_wire.contract import Job, Study
from tests.ui_service.browsing import serious
from tests.ui_service.conftest import Site
from tests.ui_service.fake_app import FakeApp
from tests.ui_service.fake_prompts import measured, outliner_of_boxes
from tests.ui_service.test_prompts_browser import eventually, newest, watched

SIDES = (60, 50, 40)
CUBE = (slice(10, 25), slice(30, 40), slice(15, 20))  # bright, and nowhere near the middle of any axis
BOX = [10.0, 30.0, 24.0, 39.0]
AXIAL = [[2, 0, 0, 0], [0, 2, 0, 0], [0, 0, 3, 0], [0, 0, 0, 1]]
LEFT_BACK = [[-2, 0, 0, 120], [0, -2, 0, 100], [0, 0, 3, 0], [0, 0, 0, 1]]  # as DICOM's axes run
SAGITTAL = [[0, 0, 3, 0], [2, 0, 0, 0], [0, -2, 0, 80], [0, 0, 0, 1]]
NIIVUE = ("voxels", "does not appear to be NIFTI")  # what it says of drawn volumes


@pytest.fixture
def fake(fake: FakeApp) -> FakeApp:
    """App with a model that takes boxes; its answers are given by the tests."""
    fake.models.append(outliner_of_boxes())
    fake.fills = False
    return fake


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    yield from watched(browser, site, known=NIIVUE)


def packed(values: NDArray[np.generic], affine: list[list[int]]) -> bytes:
    return gzip.compress(nib.Nifti1Image(values, np.array(affine, float)).to_bytes())


def volume(fake: FakeApp, affine: list[list[int]]) -> Study:
    values = np.full(SIDES, -100, np.int16)
    values[CUBE] = 300
    facts = {"kind": "volume", "modality": "CT", "shape": [50, 60, 40], "spacing_mm": [2.0, 2.0, 3.0]}
    return fake.add_study("abdomen.zip", packed(values, affine), **facts)


def outline(fake: FakeApp, job: Job, affine: list[list[int]], warnings: tuple[dict[str, str], ...] = ()) -> Job:
    mask = np.zeros(SIDES, np.uint8)
    mask[CUBE] = job.prompts[0].label
    files = {"combined_labels.nii.gz": packed(mask, affine), "segs.npz": b"PK"}
    return fake.outline(job, measured(mask, warnings, "voxels"), files)


def open_tool(page: Page, site: Site, study: Study, query: str = "") -> None:
    page.goto(f"{site.origin}/studies/{study.id}{query}")
    page.locator("#outline-toggle:enabled").wait_for(timeout=30_000)
    if not page.locator("#outline").is_visible():
        page.keyboard.press("o")
    page.locator("#boxes").wait_for()


def to_slice(page: Page, wanted: int) -> None:
    """By its key, to the slice that the tool counts as `wanted`."""
    now = int(page.locator("#slice").inner_text().split()[1])
    for _ in range(abs(wanted - now)):
        page.keyboard.press("]" if wanted > now else "[")
    expect(page.locator("#slice")).to_have_text(f"Slice {wanted} of {SIDES[2]}")


def draw(page: Page, place: dict[str, float]) -> None:
    page.mouse.move(place["x"] + 2, place["y"] + 2)
    page.mouse.down()
    page.mouse.move(place["x"] + place["width"] - 3, place["y"] + place["height"] - 3, steps=3)
    page.mouse.up()


def area_of(page: Page) -> dict[str, float]:
    """A part of the slice that no tool lies over."""
    frame = page.locator("#boxes").bounding_box()
    assert frame is not None
    return {"x": frame["x"] + 300, "y": frame["y"] + 400, "width": 100, "height": 120}


def brightness(page: Page, place: dict[str, float]) -> float:
    """Of a part of the page, from 0 to 255."""
    shown = Image.open(io.BytesIO(page.screenshot(clip=place)))  # type: ignore[arg-type]
    return float(np.asarray(shown.convert("L")).mean())


@pytest.mark.parametrize(("affine", "view"), [(AXIAL, "Axial"), (LEFT_BACK, "Axial"), (SAGITTAL, "Sagittal")])
def test_a_box_lies_where_its_voxels_are_shown_and_is_sent_as_it_was_drawn(
    page: Page, site: Site, fake: FakeApp, affine: list[list[int]], view: str
) -> None:
    """Left and right, front and back, and volumes whose slices are not axial."""
    study = volume(fake, affine)
    prompt = {"box": [10.0, 30.0, 15.0, 24.0, 39.0, 19.0]}
    job = outline(fake, fake.add_job(study, model="box-prompt", prompts=[prompt]), affine)
    open_tool(page, site, study, f"?job={job.id}")
    page.locator("canvas[data-mask=shown]").wait_for(timeout=30_000)
    expect(page.get_by_role("button", name=view)).to_have_attribute("aria-pressed", "true")
    to_slice(page, 18)
    place = page.locator(".box:not(.draft)").bounding_box()
    assert place is not None
    draw(page, place)  # once more, to be sent by hand
    eventually(page, lambda: len(fake.jobs) == 2)
    *_, drawn = newest(fake).prompts
    assert drawn.box == [*BOX[:2], 17.0, *BOX[2:], 17.0]
    inside = {"x": place["x"] + 10, "y": place["y"] + 10, "width": place["width"] - 20, "height": place["height"] - 20}
    for away, bright in ((0, True), (place["height"] + 20, False), (-place["height"] - 20, False)):
        there = inside | {"y": inside["y"] + away}
        eventually(page, lambda there=there, bright=bright: (brightness(page, there) > 128) is bright)


def test_an_object_is_followed_and_where_it_ends_is_said(page: Page, site: Site, fake: FakeApp) -> None:
    study = volume(fake, AXIAL)
    open_tool(page, site, study)
    to_slice(page, 18)
    page.get_by_label("How far to outline").select_option("Follow through the volume")
    draw(page, area_of(page))
    eventually(page, lambda: len(fake.jobs) == 1)
    (prompt,) = newest(fake).prompts
    assert prompt.through and (prompt.box[2], prompt.box[5]) == (17, 17)
    ended = {"code": "object_ended", "detail": "The object ended at slice 20."}
    outline(fake, newest(fake), AXIAL, (ended,))
    expect(page.locator("#outline-state")).to_have_text("Outlined: Object 1. The object ended at slice 20.")
    page.locator("canvas[data-mask=shown]").wait_for(timeout=30_000)
    frame = area_of(page)
    page.mouse.move(frame["x"], frame["y"])
    page.mouse.wheel(0, 100)
    expect(page.locator("#slice")).not_to_have_text(f"Slice 18 of {SIDES[2]}")
    expect(page.locator(".box:not(.draft)")).to_be_hidden()  # it was drawn on another slice
    assert serious(page) == []


def test_two_boxes_on_two_slices_hold_a_range(page: Page, site: Site, fake: FakeApp) -> None:
    open_tool(page, site, volume(fake, AXIAL))
    page.get_by_label("How far to outline").select_option("Between two slices")
    to_slice(page, 18)
    place = area_of(page)
    draw(page, place)
    expect(page.locator("#outline-state")).to_have_text("Now go to the other slice and draw the box there.")
    assert not fake.jobs
    to_slice(page, 12)
    draw(page, place | {"x": place["x"] + 60})
    eventually(page, lambda: len(fake.jobs) == 1)
    (prompt,) = newest(fake).prompts
    assert not prompt.through and (prompt.box[2], prompt.box[5]) == (11, 17)
    to_slice(page, 15)
    expect(page.get_by_role("button", name="slices 12 to 18")).to_be_visible()
    wide = page.locator(".box:not(.draft)").bounding_box()
    assert wide is not None and wide["width"] > place["width"] + 40  # it holds both
