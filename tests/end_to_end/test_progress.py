"""How far a long run is, from the model's own steps to the doctor's page; and what cancelling it frees."""

import gzip
import json
import time

import nibabel as nib
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from ml_service.training.rules import phantom
from tests.end_to_end.doctor import Doctor
from tests.end_to_end.portal import Portal
from tests.end_to_end.test_browser import context, page

__all__ = ["context", "page"]


@pytest.fixture(scope="module")
def body() -> bytes:
    """A trunk in 384 x 288 x 480 voxels, which `ct-tissue` needs some seconds for."""
    drawn = phantom.drawn(noise=0)
    values = drawn.values.repeat(4, axis=0).repeat(4, axis=1).repeat(12, axis=2)
    return gzip.compress(nib.Nifti1Image(values, np.diag([-0.75, 1, 0.5, 1])).to_bytes(), 1)


def test_a_long_run_shows_how_far_it_is_and_gives_the_model_back(
    page: Page, portal: Portal, doctor: Doctor, body: bytes
) -> None:
    study, job = doctor.upload(body, "trunk.nii.gz", "ct-tissue")
    page.goto(portal.url)
    row = page.locator(f"#row-{study['id']}")
    bar = row.get_by_role("progressbar", name="Progress of ct-tissue")
    expect(bar).to_be_visible(timeout=60_000)
    assert 0 < float(bar.get_attribute("value") or 0) < 1
    row.get_by_role("button", name="Cancel").click()
    expect(row.locator(".state")).to_contain_text("Stopped")
    assert doctor.job(job["id"])["progress"] is None
    deadline = time.monotonic() + 30  # at its next step, which is near but on a busy machine
    while not {("DELETE", 204), ("POST", 409)} <= told(portal):
        assert time.monotonic() < deadline, "the model was not stopped"
        time.sleep(0.05)


def told(portal: Portal) -> set[tuple[str, int]]:
    """How the ML tier answered inferences, and who asked about them or called them off."""
    lines = (portal.data_dir / "log" / "ml.log").read_text().splitlines()
    said = [json.loads(line) for line in lines if line.startswith("{")]
    routes = ("/v2/requests/<request_name>", "/v2/models/<name>/versions/<version>/infer")
    return {(each["method"], each["status"]) for each in said if each.get("route") in routes}
