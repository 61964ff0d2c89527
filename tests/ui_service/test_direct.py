"""Large files go straight to the store, from a real browser under the page's own policy to moto's server over HTTP."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from moto.server import ThreadedMotoServer
from playwright.sync_api import Page, expect

from tests.ui_service.browsing import files
from tests.ui_service.conftest import Site, Visitor
from tests.ui_service.fake_answers import grey_png
from tests.ui_service.fake_app import FakeApp
from tests.ui_service.fake_direct import Bucket
from ui_service.settings import Settings

LARGE = len(grey_png())


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def changed(store: str) -> dict[str, Any]:
    return {"store_origin": store, "direct_upload_bytes": LARGE}


def test_a_large_file_never_passes_the_portal(page: Page, site: Site, store: str) -> None:
    site.fake.bucket = Bucket(store)
    page.get_by_label("Add images").set_input_files(files("large.png"))
    expect(page.locator("#rows tr")).to_have_count(1)
    expect(page.locator("#uploads li")).to_have_count(0)
    (study,), (wanted,) = site.fake.studies.values(), site.fake.bucket.began.values()
    assert wanted == {"filename": "large.png", "size_bytes": LARGE, "media_type": "image/png"}
    assert site.fake.images[study.id] == grey_png() and site.fake.uploads == []


def test_where_it_cannot_be_it_goes_by_the_portal(page: Page, site: Site, store: str, complaints: list[str]) -> None:
    small = {"name": "small.png", "mimeType": "image/png", "buffer": grey_png()[: LARGE - 1]}
    page.get_by_label("Add images").set_input_files([small, *files("no_permit.png")])
    expect(page.locator("#rows tr")).to_have_count(2)
    assert site.fake.calls.count("POST /v1/uploads") == 1
    site.fake.bucket = Bucket(store)
    site.fake.bucket.client.delete_bucket(Bucket=site.fake.bucket.name)  # the store refuses what it permitted
    page.get_by_label("Add images").set_input_files(files("refused.png"))
    expect(page.locator("#rows tr")).to_have_count(3)
    assert len(site.fake.uploads) == 3
    expected = ("409", "CORS", "net::ERR_FAILED")  # what the browser itself notes of what is refused
    complaints[:] = [text for text in complaints if not any(part in text for part in expected)]


def test_scripts_may_speak_to_the_store_and_to_nobody_else(doctor: Visitor, store: str) -> None:
    policy = doctor.get("/").headers["Content-Security-Policy"]
    assert f"connect-src 'self' {store}" in policy and policy.count("http") == 1


def test_a_small_original_and_one_without_a_link_come_by_the_portal(doctor: Visitor, fake: FakeApp, store: str) -> None:
    small, large = fake.add_study(size_bytes=LARGE - 1), fake.add_study(size_bytes=LARGE)
    assert doctor.get(f"/studies/{small.id}/original").status_code == 200
    assert doctor.get(f"/studies/{large.id}/original").status_code == 200
    fake.bucket = Bucket(store)
    away = doctor.get(f"/studies/{large.id}/original")
    assert away.status_code == 303
    assert requests.get(away.headers["Location"], timeout=10).content == fake.images[large.id]
    assert away.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("value", ["ftp://store", "https://store; script-src *", "https://a,https://b"])
def test_an_origin_that_is_none_stops_the_start(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    told = {"APP_URL": "http://a", "APP_SERVICE_TOKEN": "t", "SECRET_KEY": "k" * 40, "PUBLIC_ORIGIN": "https://p"}
    for name, text in (told | {"STORE_ORIGIN": value}).items():
        monkeypatch.setenv(f"LIGHTBOX_{name}", text)
    with pytest.raises(ValueError, match="LIGHTBOX_STORE_ORIGIN"):
        Settings.from_environment()
