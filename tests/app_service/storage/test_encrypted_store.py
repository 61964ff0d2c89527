"""Files sealed at rest: nothing of them in the clear, no change of them believed, another outer key in one step."""

import io
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from app_service.storage import sealed_file, store_keys
from app_service.storage.object_store import KEYS, ObjectStore, open_store
from app_service.storage.sealed_file import CHUNK, HEAD, IN_PLACE_BYTES, SealedFile, plain_size, seal
from app_service.storage.store_keys import KmsKey, TextKey
from portal_wire.env import SettingsError
from portal_wire.errors import Unavailable

FIRST, SECOND = TextKey("the first key of the tests"), TextKey("the second key of the tests")
KEY = bytes(range(32))
ID = bytes(16)
SECRET = b"Doe^John 1970-01-01 "
SIZES = (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 7)


def sealed(data: bytes, name: str = "studies/1/original") -> bytes:
    target = io.BytesIO()
    seal(io.BytesIO(data), target, len(data), name, ID, KEY)
    return target.getvalue()


def opened(data: bytes, name: str = "studies/1/original") -> io.BufferedReader:
    return io.BufferedReader(SealedFile(io.BytesIO(data), [name], lambda key_id: KEY))


@pytest.fixture
def url(tmp_path: Path) -> str:
    return (tmp_path / "objects").as_uri()


def put(store: ObjectStore, prefix: str, data: bytes) -> None:
    folder = store.temporary_folder / "upload"
    folder.mkdir()
    (folder / "original").write_bytes(data)
    (folder / "image").hardlink_to(folder / "original")
    store.put_folder(prefix, folder)


@pytest.mark.parametrize("size", SIZES)
def test_any_part_of_any_file_comes_back(size: int) -> None:
    data = random.Random(size).randbytes(size)
    kept = sealed(data)
    assert plain_size(len(kept)) == size
    with opened(kept) as file:
        assert file.read() == data and file.read() == b""
        for start in (0, 1, size // 2, CHUNK, size):
            file.seek(start)
            assert file.read() == data[start:]
        for start in (0, 1, size // 2, max(0, size - 1), size, size + 9):
            for length in (0, 1, 10, CHUNK + 1):
                file.seek(start)
                assert file.tell() == start and file.read(length) == data[start : start + length]
        assert file.seek(-min(5, size), os.SEEK_END) == size - min(5, size)


def test_nothing_lies_in_the_clear_and_one_picture_of_two_names_is_kept_once(tmp_path: Path, url: str) -> None:
    store = open_store(url, FIRST)
    put(store, "studies/1", SECRET * 50_000)
    store.put_bytes("jobs/1/1/mask", SECRET)
    files = [path for path in (tmp_path / "objects").rglob("*") if path.is_file()]
    assert len(files) == 4  # two of the study, one of the job, one key
    contents = [path.read_bytes() for path in files]
    assert not [one for one in contents if SECRET in one] and len({one[HEAD:] for one in contents}) == 3
    assert store.read("studies/1/original") == store.read("studies/1/image") == SECRET * 50_000
    original, image = (tmp_path / "objects" / "studies" / "1" / f"{name}.sealed" for name in ("original", "image"))
    assert original.samefile(image)
    assert store.size("studies/1/original") == len(SECRET) * 50_000
    assert sorted(store.names("studies/1")) == ["image", "original"]


@pytest.mark.parametrize("size", SIZES)
def test_a_file_is_sealed_in_its_own_place_and_another_folders_is_left_as_it_is(url: str, size: int) -> None:
    store, data = open_store(url, FIRST), random.Random(size).randbytes(size)
    beside = store.temporary_folder / "beside"
    beside.mkdir()
    (beside / "original").write_bytes(data)
    for number in (1, 2):  # two studies of one file, and one that has its file to itself
        folder = store.temporary_folder / f"upload {number}"
        folder.mkdir()
        (folder / "original").hardlink_to(beside / "original")
        (folder / "image").write_bytes(data)
        store.put_folder(f"studies/{number}", folder)
        assert (beside / "original").read_bytes() == data
    put(store, "studies/3", data)
    store.put_folder("studies/4", beside)
    assert [store.read(f"studies/{number}/original") for number in (1, 2, 3, 4)] == [data] * 4
    assert [store.read(f"studies/{number}/image") for number in (1, 2, 3)] == [data] * 3


def test_sealing_does_not_overtake_its_own_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to the bound, here with chunks so small that their tags of 16 bytes soon fill one."""
    assert (CHUNK - HEAD) // 16 * CHUNK == IN_PLACE_BYTES
    monkeypatch.setattr(sealed_file, "CHUNK", 256)
    bound, path = (256 - HEAD) // 16 * 256, tmp_path / "file"
    for size in (bound - 257, bound - 1, bound):
        data = random.Random(size).randbytes(size)
        path.write_bytes(data)
        with path.open("rb", buffering=0) as plain, path.open("r+b", buffering=0) as target:
            seal(plain, target, size, "name", ID, KEY)
        assert SealedFile(io.BytesIO(path.read_bytes()), ["name"], lambda key_id: KEY).readall() == data


@pytest.mark.parametrize("size", [1, CHUNK, 2 * CHUNK, 2 * CHUNK + 5])
def test_whatever_is_changed_does_not_open(size: int) -> None:
    kept = sealed(os.urandom(size))
    step = CHUNK + 16
    first, rest = kept[HEAD : HEAD + step], kept[HEAD + step :]
    harmed = {f"byte {at}": kept[:at] + bytes([kept[at] ^ 1]) + kept[at + 1 :] for at in range(0, len(kept), 40_961)}
    harmed |= {"the last byte": kept[:-1] + bytes([kept[-1] ^ 1]), "cut by one": kept[:-1], "one more": kept + b"x"}
    harmed |= {"no chunk": kept[:HEAD], "half a head": kept[: HEAD // 2], "nothing": b""}
    if rest:
        harmed |= {"cut between chunks": kept[: -(len(rest))], "swapped": kept[:HEAD] + rest + first}
        harmed |= {"doubled": kept + rest}
    for how, data in harmed.items():
        with pytest.raises(Unavailable, match="cannot be opened"), opened(data) as file:
            file.read()
            pytest.fail(how)
    with pytest.raises(Unavailable), opened(kept, "studies/2/original") as file:
        file.read()


def test_an_original_passes_for_no_image_and_both_may_differ(tmp_path: Path, url: str) -> None:
    store = open_store(url, FIRST)
    folder = store.temporary_folder / "upload"
    folder.mkdir()
    (folder / "original").write_bytes(SECRET * 50_000)
    (folder / "image").write_bytes(b"without the name")
    store.put_folder("studies/1", folder)
    assert store.read("studies/1/original") == SECRET * 50_000 and store.read("studies/1/image") == b"without the name"
    kept = tmp_path / "objects" / "studies" / "1"
    (kept / "original.sealed").replace(kept / "image.sealed")
    with pytest.raises(Unavailable, match="cannot be opened"):
        store.read("studies/1/image")


def test_what_lay_there_before_is_read_as_it_is(url: str) -> None:
    put(open_store(url), "studies/1", SECRET)
    store = open_store(url, FIRST)
    put(store, "studies/2", SECRET)
    assert store.read("studies/1/original") == store.read("studies/2/original") == SECRET
    assert store.size("studies/1/image") == len(SECRET)
    assert sorted(store.names("studies")) == ["1", "2"]
    store.delete_prefix("studies/2")
    assert store.names("studies") == ["1"]


def test_two_processes_read_what_the_other_sealed(url: str) -> None:
    one, two = open_store(url, FIRST), open_store(url, FIRST)
    one.put_bytes("jobs/1/1/a", b"from one")
    two.put_bytes("jobs/1/1/b", b"from two")
    assert two.read("jobs/1/1/a") == b"from one" and one.read("jobs/1/1/b") == b"from two"


def test_without_its_key_the_store_does_not_open(url: str) -> None:
    open_store(url, FIRST).put_bytes("jobs/1/1/a", SECRET)
    with pytest.raises(ValueError, match="LIGHTBOX_STORE_KEY"):
        open_store(url)
    wrong = open_store(url, SECOND)
    for attempt in (wrong.check, lambda: wrong.read("jobs/1/1/a"), lambda: wrong.put_bytes("jobs/1/1/b", SECRET)):
        with pytest.raises(Unavailable):
            attempt()


def test_another_key_takes_one_step_and_no_file_is_written_anew(tmp_path: Path, url: str) -> None:
    store = open_store(url, FIRST)
    put(store, "studies/1", SECRET * 50_000)
    files = {path: path.stat() for path in (tmp_path / "objects" / "studies").rglob("*") if path.is_file()}
    old, new = "the first key that a site has chosen", "the second key that a site has chosen"
    environment = os.environ | {"LIGHTBOX_STORE_URL": url}
    first = open_store(f"{url}-2", TextKey(old))
    first.put_bytes("jobs/1/1/a", SECRET)
    environment |= {"LIGHTBOX_STORE_URL": f"{url}-2", "LIGHTBOX_STORE_KEY": new, "LIGHTBOX_STORE_KEY_BEFORE": old}
    command = [sys.executable, "-m", "app_service.storage.rewrap"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "Store keys wrapped anew: 1.\n"
    again = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert again.returncode == 1 and "key" in again.stderr and "Traceback" not in again.stderr
    after = open_store(f"{url}-2", TextKey(new))
    assert after.read("jobs/1/1/a") == SECRET == first.read("jobs/1/1/a")  # what ran goes on
    after.put_bytes("jobs/1/1/b", SECRET)
    assert first.read("jobs/1/1/a") == SECRET and len(after.names(KEYS)) == 2
    with pytest.raises(Unavailable):
        open_store(f"{url}-2", TextKey(old)).check()
    assert {path: path.stat() for path in files} == files


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a key in a stand-in for AWS KMS."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", f"http://{host}:{port}")
    client = boto3.client("kms", endpoint_url=f"http://{host}:{port}", region_name="eu-central-1")
    yield str(client.create_key()["KeyMetadata"]["KeyId"])
    server.stop()


def test_a_key_service_wraps_the_store_keys(kms: str, url: str) -> None:
    open_store(url, KmsKey(kms)).put_bytes("jobs/1/1/a", SECRET)
    assert open_store(url, KmsKey(kms)).read("jobs/1/1/a") == SECRET
    with pytest.raises(Unavailable):
        open_store(url, KmsKey("01a1fd68-0152-729f-ac1c-e63c85352021")).read("jobs/1/1/a")


def test_the_settings_name_one_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("LIGHTBOX_STORE_KEY", "LIGHTBOX_STORE_KEY_FILE", "LIGHTBOX_STORE_KMS_KEY"):
        monkeypatch.delenv(name, raising=False)
    assert store_keys.outer_key() is None
    file = tmp_path / "key"
    file.write_text("k" * 44 + "\n")
    monkeypatch.setenv("LIGHTBOX_STORE_KEY_FILE", str(file))
    assert isinstance(store_keys.outer_key(), TextKey)
    monkeypatch.setenv("LIGHTBOX_STORE_KMS_KEY", "alias/x")
    with pytest.raises(SettingsError, match="both"):
        store_keys.outer_key()
    monkeypatch.delenv("LIGHTBOX_STORE_KMS_KEY")
    file.write_text("short")
    with pytest.raises(SettingsError, match="32 characters"):
        store_keys.outer_key()
