"""One suite for both stores; S3 is moto's server on the loopback interface."""

import base64
import errno
import hashlib
import os
import threading
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from app_service.storage import directory_store
from app_service.storage.object_store import ObjectStore, open_store
from app_service.storage.store_keys import TextKey
from portal_wire.errors import NotFound, StorageFull, Unavailable

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "eu-central-1"}


@pytest.fixture(scope="module")
def s3_endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3_url(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LIGHTBOX_S3_ENDPOINT", s3_endpoint)
    client = boto3.client("s3", endpoint_url=s3_endpoint, region_name="eu-central-1")
    bucket = f"films-{uuid.uuid4()}"
    client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    return f"s3://{bucket}/portal"


@pytest.fixture(params=["directory", "s3", "sealed directory", "sealed s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    directory = request.param.endswith("directory")
    key = TextKey("a key of the tests") if request.param.startswith("sealed") else None
    return open_store((tmp_path / "objects").as_uri() if directory else request.getfixturevalue("s3_url"), key)


def test_bytes_come_back(store: ObjectStore) -> None:
    store.put_bytes("studies/1/original", b"film")
    assert store.read("studies/1/original") == b"film"
    assert store.size("studies/1/original") == 4
    with store.open("studies/1/original") as file:
        assert file.read(2) == b"fi"
        assert file.seek(0) == 0
        assert file.read() == b"film"


def test_a_folder_is_consumed(store: ObjectStore) -> None:
    folder = store.temporary_folder / "upload"
    folder.mkdir()
    (folder / "original").write_bytes(b"x" * 3_000_000)
    (folder / "image").hardlink_to(folder / "original")
    store.put_folder("studies/1", folder)
    assert store.size("studies/1/original") == store.size("studies/1/image") == 3_000_000
    assert not folder.exists()


def test_the_last_put_of_a_key_counts(store: ObjectStore) -> None:
    store.put_bytes("jobs/1/result.json", b"first attempt")
    store.put_bytes("jobs/1/result.json", b"second")
    assert store.read("jobs/1/result.json") == b"second"


@pytest.mark.parametrize("method", ["read", "open", "size"])
@pytest.mark.parametrize("key", ["studies/1/original", "studies/1/original/deeper", "studies"])
def test_missing_is_not_found(store: ObjectStore, method: str, key: str) -> None:
    if key != "studies/1/original":
        store.put_bytes("studies/1/original", b"film")
    with pytest.raises(NotFound) as caught:
        getattr(store, method)(key)
    assert key not in caught.value.detail


def test_a_prefix_is_whole_names(store: ObjectStore) -> None:
    for key in ("studies/1/original", "studies/1/parts/a", "studies/12/original"):
        store.put_bytes(key, b"film")
    store.delete_prefix("studies/1")
    store.delete_prefix("studies/1")
    assert store.read("studies/12/original") == b"film"
    for key in ("studies/1/original", "studies/1/parts/a"):
        with pytest.raises(NotFound):
            store.read(key)


def test_names_are_what_stands_directly_below(store: ObjectStore) -> None:
    assert store.names("studies") == []
    for key in ("studies/1/original", "studies/1/parts/a", "studies/12/original", "studies/film", "jobs/3/a"):
        store.put_bytes(key, b"film")
    assert sorted(store.names("studies")) == ["1", "12", "film"]


@pytest.mark.parametrize("key", ["", "/etc/passwd", "a/../b", "..", "a//b", "a/", ".incoming/x", "a\0", "a b", "a\n"])
def test_other_keys_are_refused(store: ObjectStore, key: str) -> None:
    with pytest.raises(ValueError, match="key"):
        store.put_bytes(key, b"film")
    with pytest.raises(ValueError, match="key"):
        store.delete_prefix(key)


def test_check_passes(store: ObjectStore) -> None:
    store.check()


@pytest.mark.parametrize("url", ["file://host/folder", "file:relative", "http://bucket", "s3://", "/folder"])
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="file:///folder"):
        open_store(url)


def test_an_unreachable_s3_is_unavailable(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIGHTBOX_S3_ENDPOINT", "http://127.0.0.1:9")
    away = open_store(s3_url)
    for call in (away.check, lambda: away.read("a"), lambda: away.put_bytes("a", b"b")):
        with pytest.raises(Unavailable) as caught:
            call()
        assert "127.0.0.1" not in caught.value.detail


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    store = open_store(tmp_path.as_uri())

    def full(_: int) -> None:
        raise OSError(number, os.strerror(number), str(tmp_path))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageFull) as caught:
        store.put_bytes("studies/1/original", b"film")
    assert str(tmp_path) not in caught.value.detail
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_any_other_error_is_unavailable(tmp_path: Path) -> None:
    store = open_store(tmp_path.as_uri())
    (tmp_path / "studies").write_bytes(b"a file where a folder should be")
    with pytest.raises(Unavailable):
        store.put_bytes("studies/1/original", b"film")


@pytest.fixture
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What a directory store in `tmp_path` does for durability, in order."""
    steps: list[tuple[str, str]] = []
    real_fsync, real_replace = os.fsync, Path.replace

    def fsync(number: int) -> None:
        steps.append(("fsync", os.readlink(f"/proc/self/fd/{number}").removeprefix(str(tmp_path)).lstrip("/")))
        real_fsync(number)

    def replace(source: Path, target: Any) -> Path:
        steps.append(("name", str(target.relative_to(tmp_path))))
        return real_replace(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    return steps


def test_content_is_durable_before_its_name_and_every_new_folder_is_too(
    tmp_path: Path, steps: list[tuple[str, str]]
) -> None:
    store = open_store(tmp_path.as_uri())
    store.put_bytes("jobs/1/1/heatmap.png", b"map")
    assert steps[0][1].startswith(directory_store.INCOMING)
    assert steps[1:] == [
        ("name", "jobs/1/1/heatmap.png"),
        ("fsync", "jobs/1/1"),
        ("fsync", "jobs/1"),
        ("fsync", "jobs"),
        ("fsync", ""),
    ]


def test_a_folder_is_durable_with_all_its_files_before_it_has_its_name(
    tmp_path: Path, steps: list[tuple[str, str]]
) -> None:
    store = open_store(tmp_path.as_uri())
    folder = store.temporary_folder / "upload"
    folder.mkdir()
    for name in ("original", "image"):
        (folder / name).write_bytes(b"film")
    store.put_folder("studies/1", folder)
    incoming = f"{directory_store.INCOMING}/upload"
    assert set(steps[:2]) == {("fsync", f"{incoming}/original"), ("fsync", f"{incoming}/image")}
    assert steps[2:] == [("fsync", incoming), ("name", "studies/1"), ("fsync", "studies"), ("fsync", "")]


def test_a_bucket_that_keeps_versions_keeps_none_of_what_is_deleted(
    s3_url: str, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = s3_url.split("/")[2]
    client = boto3.client("s3", endpoint_url=s3_endpoint, region_name="eu-central-1")
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    monkeypatch.setenv("LIGHTBOX_S3_VERSIONED", "1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    store = open_store(s3_url)
    for key in ("jobs/1/1/mask", "jobs/1/1/mask", "jobs/11/1/mask"):
        store.put_bytes(key, b"film")
    store.delete_prefix("jobs/1")
    left = client.list_object_versions(Bucket=bucket)
    assert [one["Key"] for one in left["Versions"]] == ["portal/jobs/11/1/mask"] and "DeleteMarkers" not in left


KMS_KEY = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"


@pytest.fixture
def checksums_and_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIGHTBOX_S3_CHECKSUMS", "1")
    monkeypatch.setenv("LIGHTBOX_S3_KMS_KEY", KMS_KEY)


def test_a_large_file_goes_in_parts_under_the_key(s3_url: str, s3_endpoint: str, checksums_and_key: None) -> None:
    store, film = open_store(s3_url), os.urandom(12 * 2**20)
    folder = store.temporary_folder / "upload"
    folder.mkdir()
    (folder / "original").write_bytes(film)
    store.put_folder("studies/1", folder)
    assert store.read("studies/1/original") == film
    client = boto3.client("s3", endpoint_url=s3_endpoint, region_name="eu-central-1")
    kept = client.head_object(Bucket=s3_url.split("/")[2], Key="portal/studies/1/original")
    assert int(kept["ETag"].strip('"').rpartition("-")[2]) > 1, "expected several parts"
    assert (kept["ServerSideEncryption"], kept["SSEKMSKeyId"]) == ("aws:kms", KMS_KEY)


def test_each_put_carries_its_checksum_and_the_key(monkeypatch: pytest.MonkeyPatch, checksums_and_key: None) -> None:
    """What is on the wire: moto keeps a checksum only where the caller is an SDK of Amazon's."""
    sent: list[dict[str, str]] = []

    class Bucket(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            sent.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(200)
            self.send_header("ETag", '"1"')
            self.send_header("Content-Length", "0")
            self.end_headers()

    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with HTTPServer(("127.0.0.1", 0), Bucket) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        monkeypatch.setenv("LIGHTBOX_S3_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        open_store("s3://films").put_bytes("studies/1/original", b"film")
    (headers,) = sent
    assert headers["x-amz-checksum-sha256"] == base64.b64encode(hashlib.sha256(b"film").digest()).decode()
    assert headers["x-amz-server-side-encryption"] == "aws:kms"
    assert headers["x-amz-server-side-encryption-aws-kms-key-id"] == KMS_KEY
