"""Models that outline, with the real networks: a film and a volume from upload to the mask in a real browser."""

import gzip
import json
import zipfile
from pathlib import Path

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page, expect

from tests.end_to_end.doctor import ILL
from tests.end_to_end.portal import Portal
from tests.end_to_end.test_browser import context, page

__all__ = ["context", "page"]
AFFINE = np.array([[-0.9, 0, 0, 60], [0, 0.9, 0, -40], [0, 0, 2.5, 10], [0, 0, 0, 1.0]])


def phantom() -> NDArray[np.int16]:
    """A body of soft tissue in fat in air, with a lung on the patient's left side only and a spine behind."""
    i, j, _ = np.ogrid[:140, :100, :24]
    rng = np.random.default_rng(2)
    values = np.where(((i - 70) / 60) ** 2 + ((j - 50) / 44) ** 2 < 1, -100.0, -1000.0) * np.ones((1, 1, 24))
    values[np.broadcast_to(((i - 70) / 52) ** 2 + ((j - 50) / 36) ** 2 < 1, values.shape)] = 40
    values[np.broadcast_to(((i - 98) / 14) ** 2 + ((j - 55) / 18) ** 2 < 1, values.shape)] = -850
    values[np.broadcast_to(((i - 70) / 8) ** 2 + ((j - 22) / 8) ** 2 < 1, values.shape)] = 500
    return np.asarray(values + rng.normal(0, 8, values.shape), np.int16)


def open_newest(page: Page, portal: Portal, name: str) -> None:
    page.goto(portal.url)
    page.locator("table.worklist tbody tr", has_text=name).first.locator(".reference a").click()


def everything(page: Page) -> dict[str, bytes]:
    with page.expect_download() as download:
        page.get_by_role("link", name="Everything (zip)").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_film_is_outlined_when_it_is_asked_for(page: Page, portal: Portal, tmp_path: Path) -> None:
    film = tmp_path / "lungs.jpg"
    film.write_bytes(ILL.read_bytes())
    page.locator("#files").set_input_files(film)
    expect(page.locator("table.worklist tbody tr", has_text="lungs.jpg").locator(".state.succeeded")).to_be_visible(
        timeout=30_000
    )
    open_newest(page, portal, "lungs.jpg")
    page.get_by_label("Model", exact=True).select_option("lung-field")
    page.get_by_role("button", name="Run again").click()
    expect(page.locator("#said")).to_contain_text("Right lung and left lung outlined", timeout=60_000)
    toggle = page.get_by_role("button", name="Mask")
    expect(toggle).to_have_attribute("aria-pressed", "true")
    files = everything(page)
    assert {"mask.png", "overlay.png", "statistics.json", "measurements.csv", "result.json"} <= files.keys()


def test_a_volume_of_ct_is_measured_by_itself(page: Page, portal: Portal, tmp_path: Path) -> None:
    values = phantom()
    study = tmp_path / "phantom.nii.gz"
    study.write_bytes(gzip.compress(nib.Nifti1Image(values, AFFINE).to_bytes()))
    page.locator("#files").set_input_files(study)
    row = page.locator("table.worklist tbody tr", has_text="phantom.nii.gz")
    expect(row.locator(".state.succeeded")).to_be_visible(timeout=60_000)
    open_newest(page, portal, "phantom.nii.gz")
    page.locator("canvas[data-mask=shown]").wait_for(timeout=60_000)
    files = everything(page)
    combined = nib.Nifti1Image.from_bytes(gzip.decompress(files["combined_labels.nii.gz"]))
    np.testing.assert_allclose(combined.affine, AFFINE, atol=1e-4)
    labels: dict[str, str] = json.loads(files["statistics.json"])["labels"]
    mask = np.asarray(combined.dataobj)
    assert mask.shape == values.shape
    assert labels[str(mask[98, 55, 12])] == "lung" and labels[str(mask[42, 55, 12])] != "lung"  # left and right
