"""Folders dropped on the page in a real browser: what lies in them and below is uploaded."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.ui_service.conftest import Site
from tests.ui_service.fake_answers import grey_png

Drop = Callable[..., None]
SLICE = bytes(128) + b"DICM"
# As the browser answers about a file that was deleted, or closed to this person, after it was chosen.
MOVED = """() => {
  const slice = File.prototype.slice;
  File.prototype.slice = function (...span) {
    if (this.name !== "moved.png") return slice.apply(this, span);
    return { text: () => Promise.reject(new DOMException("gone", "NotFoundError")) };
  };
}"""
MANY = 120  # the browser gives the entries of a folder by the hundred


@pytest.fixture
def drop(page: Page) -> Drop:
    """Drags files and folders of this disk onto the page, as a hand does from a file manager: unlike an event that a
    script makes, it comes with the browser's own entries."""
    line = page.context.new_cdp_session(page)

    def drop(*paths: Path) -> None:
        data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
        for step in ("dragEnter", "dragOver", "drop"):
            line.send("Input.dispatchDragEvent", {"type": step, "x": 300, "y": 300, "data": data})

    return drop


def test_the_pictures_of_a_folder_and_beside_it_are_uploaded(
    page: Page, site: Site, tmp_path: Path, drop: Drop
) -> None:
    (tmp_path / "ward" / "monday" / "late").mkdir(parents=True)
    for name in ("a.png", "monday/b.png", "monday/late/c.png"):
        (tmp_path / "ward" / name).write_bytes(grey_png())
    (tmp_path / "beside.png").write_bytes(grey_png())
    drop(tmp_path / "ward", tmp_path / "beside.png")
    expect(page.locator("#rows tr")).to_have_count(4)
    expect(page.locator("#uploads li")).to_have_count(0)
    expect(page.locator("body.dragging")).to_have_count(0)
    assert {study.filename for study in site.fake.studies.values()} == {"a.png", "b.png", "c.png", "beside.png"}


def test_a_dropped_series_goes_in_one_request_however_many_its_slices(
    page: Page, site: Site, tmp_path: Path, drop: Drop
) -> None:
    """Trap: no more than the first hundred, which would be a volume that ends too soon."""
    (tmp_path / "series").mkdir()
    for number in range(MANY):
        (tmp_path / "series" / f"{number}.dcm").write_bytes(SLICE)
    drop(tmp_path / "series")
    expect(page.locator("#uploads")).to_contain_text("neither")
    (body,) = site.fake.uploads
    assert {f'filename="{number}.dcm"'.encode() in body for number in range(MANY)} == {True}
    assert body.count(SLICE) == MANY


def test_a_file_that_cannot_be_read_says_so_and_keeps_none_back(
    page: Page, site: Site, tmp_path: Path, drop: Drop
) -> None:
    for name in ("moved.png", "sound.png"):
        (tmp_path / name).write_bytes(grey_png())
    page.evaluate(MOVED)
    drop(tmp_path / "moved.png", tmp_path / "sound.png")
    expect(page.locator("#rows tr")).to_have_count(1)
    refused = page.locator("#uploads li")
    expect(refused).to_have_count(1)
    expect(refused).to_contain_text("moved.png")
    expect(refused).to_contain_text("does not let this file be read")
