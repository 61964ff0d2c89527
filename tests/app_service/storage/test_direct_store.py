"""Where a permit leads; what it binds is in tests/app_service/test_direct.py."""

import pytest

from app_service.storage.direct_store import DirectStore, open_direct
from portal_wire.errors import Unavailable
from tests.app_service.test_object_store import CREDENTIALS


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    "origin, url",
    [
        ("https://films.s3.eu-central-1.amazonaws.com", "https://films.s3.eu-central-1.amazonaws.com/"),
        ("https://s3.hospital.example", "https://s3.hospital.example/films"),
    ],
)
def test_the_bucket_stands_in_the_host_or_in_the_path(origin: str, url: str, credentials: None) -> None:
    store = DirectStore("s3://films/portal", origin)
    assert store.upload_form("uploads/1/original", 9, "image/png").url == url
    link = store.download_link("studies/1/original", "x")
    assert link.startswith(url.rstrip("/") + "/portal/studies/1/original?")


def test_without_credentials_the_store_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    with pytest.raises(Unavailable):
        DirectStore("s3://films", "https://s3.hospital.example").download_link("studies/1/original", "x")


@pytest.mark.parametrize(
    "store_url, origin, sealed",
    [("file:///srv/objects", "https://x", False), ("s3://films", "", False), ("s3://films", "https://x", True)],
)
def test_a_directory_a_closed_bucket_and_a_sealed_one_give_no_permits(
    store_url: str, origin: str, sealed: bool
) -> None:
    assert open_direct(store_url, origin, sealed=sealed) is None
