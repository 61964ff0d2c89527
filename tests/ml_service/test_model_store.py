"""Models that lie in S3 (moto's server on the loopback interface) come whole or not at all."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from ml_service import model_store
from ml_service.model_store import ModelStore
from ml_service.registry import Registry
from ml_service.settings import Settings
from portal_wire.env import SettingsError
from portal_wire.errors import NotFound
from tests.ml_service.server import copy_version

REGION = "eu-central-1"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


class Bucket:
    """A bucket with a folder of models."""

    def __init__(self, endpoint: str) -> None:
        self.name = f"models-{uuid.uuid4()}"
        self.client: Any = boto3.client("s3", endpoint_url=endpoint, region_name=REGION)
        self.client.create_bucket(Bucket=self.name, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.url = f"s3://{self.name}/released"

    def put(self, folder: Path, version: str, leave_out: str = "") -> None:
        for path in folder.rglob("*"):
            file = path.relative_to(folder)
            if path.is_file() and str(file) != leave_out:
                self.client.upload_file(str(path), self.name, f"released/pneumonia/{version}/{file}")

    def put_bytes(self, key: str) -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=b"x")


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    for name, value in {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": REGION}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LIGHTBOX_S3_ENDPOINT", endpoint)
    return Bucket(endpoint)


def test_versions_come_and_answer(bucket: Bucket, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    bucket.put(copy_version(there, "1"), "1")
    store = ModelStore(bucket.url, here)
    assert store.fetch() == [("pneumonia", "1")]
    registry = Registry(Settings(service_token=None, model_dir=here))
    registry.load_all()
    assert registry.readiness() == {"pneumonia/1": None}
    bucket.put(copy_version(there, "2"), "2")
    assert store.fetch() == [("pneumonia", "2")]
    assert store.fetch() == []
    assert registry.in_memory() == [("pneumonia", "1")]  # a new version waits until somebody asks for it
    registry.load("pneumonia", "2")
    assert registry.state("pneumonia", "2") is None


def test_a_version_that_was_just_released_answers_whoever_asks_for_it(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Activated on one host, it is asked for on another, which looks for new versions once a minute."""
    monkeypatch.setattr(model_store, "AT_MOST_EVERY_S", 3600.0)
    here, there = tmp_path / "here", tmp_path / "there"
    bucket.put(copy_version(there, "1"), "1")
    store = ModelStore(bucket.url, here)
    store.fetch()
    registry = Registry(Settings(service_token=None, model_dir=here), store.look)
    bucket.put(copy_version(there, "2"), "2")
    with registry.use("pneumonia", "2"):
        assert registry.in_memory() == [("pneumonia", "2")]
    bucket.put(copy_version(there, "3"), "3")
    with pytest.raises(NotFound), registry.use("pneumonia", "3"):
        pass  # the store is not asked for each request of what is nowhere


def test_a_version_without_its_manifest_is_still_being_uploaded(bucket: Bucket, tmp_path: Path) -> None:
    folder = copy_version(tmp_path / "there", "1")
    bucket.put(folder, "1", leave_out="model.json")
    store = ModelStore(bucket.url, tmp_path / "here")
    assert store.fetch() == []
    bucket.put(folder, "1")
    assert store.fetch() == [("pneumonia", "1")]


def test_nothing_leaves_the_folder_or_hides_in_it(bucket: Bucket, tmp_path: Path) -> None:
    for key in ("pneumonia/1/../../../evil", "pneumonia/.hidden/model.json", "loose.txt", "pneumonia/1/.git/config"):
        bucket.put_bytes(f"released/{key}")
    assert ModelStore(bucket.url, tmp_path / "here").fetch() == []
    assert not list(tmp_path.rglob("*"))


def test_a_copy_that_breaks_off_leaves_nothing(bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket.put(copy_version(tmp_path / "there", "1"), "1")

    def full(self: Path, mode: str = "r") -> None:
        raise OSError(28, "No space left on device")

    store = ModelStore(bucket.url, tmp_path / "here")
    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", full)
        assert store.fetch() == []
    assert list((tmp_path / "here").iterdir()) == []
    assert store.fetch() == [("pneumonia", "1")]


def test_while_s3_is_away_what_is_here_serves_on(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIGHTBOX_S3_ENDPOINT", "http://127.0.0.1:9")
    copy_version(tmp_path, "1")
    assert ModelStore(bucket.url, tmp_path).fetch() == []
    assert Registry(Settings(service_token=None, model_dir=tmp_path)).versions("pneumonia") == ["1"]


def test_a_store_needs_a_folder_for_its_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIGHTBOX_ML_SERVICE_TOKEN", "x")
    monkeypatch.setenv("LIGHTBOX_MODEL_STORE_URL", "s3://bucket/models")
    monkeypatch.delenv("LIGHTBOX_MODEL_DIR", raising=False)
    with pytest.raises(SettingsError, match="LIGHTBOX_MODEL_DIR"):
        Settings.from_environment()
    monkeypatch.setenv("LIGHTBOX_MODEL_DIR", "/srv/models")
    assert Settings.from_environment().model_store_url == "s3://bucket/models"
    monkeypatch.setenv("LIGHTBOX_MODEL_STORE_URL", "http://bucket/models")
    with pytest.raises(SettingsError, match="LIGHTBOX_MODEL_STORE_URL"):
        Settings.from_environment()
