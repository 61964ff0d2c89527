"""From a file to its canonical study, through a real sandbox process."""

import io
import os
import struct
import threading
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import piexif
import psutil
import pytest
from PIL import Image

from app_service.intake import examine as way_in
from app_service.intake.examine import examine
from app_service.intake.limits import IntakeSettings, Limits
from portal_wire.env import SettingsError
from portal_wire.errors import BadRequest, PortalError, Unavailable, Unprocessable

# `sandbox` and `start_sandbox` are in conftest.py.
StartSandbox = Callable[..., tuple[Path, psutil.Popen]]

NOISE = np.random.default_rng(7).integers(0, 256, (80, 100), dtype=np.uint8)


def saved(pixels: Any, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def chunk(name: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def flat_png(columns: int, rows: int) -> bytes:
    """A whole and valid PNG of zeros, packed as tightly as a bomb is."""
    packer = zlib.compressobj(9)
    row = bytes(columns + 1)
    packed = b"".join(packer.compress(row) for _ in range(rows)) + packer.flush()
    header = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND")


def text_bomb() -> bytes:
    whole = saved(NOISE)
    bomb = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(1024**2), 9))
    return whole[:33] + bomb * 64 + whole[33:]


def animation() -> bytes:
    file = io.BytesIO()
    frames = [Image.fromarray(np.roll(NOISE, shift)) for shift in range(3)]
    frames[0].save(file, "PNG", save_all=True, append_images=frames[1:])
    return file.getvalue()


def huge_jpeg() -> bytes:
    data = bytearray(saved(NOISE, "JPEG"))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", 65_500, 65_500)
    return bytes(data)


def with_flipped_bit(data: bytes) -> bytes:
    middle = data.index(b"IDAT") + 100
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def leftovers(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name.startswith("image")]


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "image"


@pytest.fixture
def upload(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(data: bytes) -> Path:
        path = tmp_path / "../scan.png.exe"
        path.write_bytes(data)
        return path

    return write


def test_a_film_becomes_a_study(target: Path, upload: Callable[[bytes], Path], sandbox: IntakeSettings) -> None:
    path = upload(saved(NOISE))
    study = examine(path, target, sandbox)
    assert (study.kind, study.modality, study.shape, study.spacing_mm) == ("image", "OT", (80, 100), None)
    assert study.media_type == "image/png"
    assert study.warnings == []
    assert not target.samefile(path)  # it was written anew
    np.testing.assert_array_equal(np.asarray(Image.open(target)), NOISE)


def test_a_file_with_nothing_to_leave_behind_is_stored_once(
    target: Path, upload: Callable[[bytes], Path], sandbox: IntakeSettings
) -> None:
    path = upload(saved(NOISE, "JPEG"))
    assert examine(path, target, sandbox).media_type == "image/jpeg"
    assert target.samefile(path)


def test_notices_arrive_in_words(target: Path, upload: Callable[[bytes], Path], sandbox: IntakeSettings) -> None:
    exif = piexif.dump({"0th": {piexif.ImageIFD.Orientation: 6}})
    study = examine(upload(saved(np.zeros((50, 60), np.uint8), "JPEG", exif=exif)), target, sandbox)
    assert study.shape == (60, 50)
    assert [notice.code for notice in study.warnings] == ["turned_upright", "low_quality"]
    assert all(notice.detail.endswith(".") for notice in study.warnings)


@pytest.mark.parametrize(
    ("data", "hidden"),
    [
        (saved(NOISE) + b"<script>alert(1)</script>", b"<script>"),
        (saved(NOISE, "JPEG") + b"PK\x03\x04 a whole archive", b"PK\x03\x04"),
        (text_bomb(), b"zTXt"),
    ],
    ids=["PNG and HTML", "JPEG and ZIP", "text bomb"],
)
def test_foreign_bytes_are_left_behind(
    target: Path, upload: Callable[[bytes], Path], sandbox: IntakeSettings, data: bytes, hidden: bytes
) -> None:
    assert hidden in data
    examine(upload(data), target, sandbox)
    assert hidden not in target.read_bytes()


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 400, "empty_file"),
        (b"MZ" + bytes(2000), 422, "type_mismatch"),
        (b"<html><script></script>", 422, "type_mismatch"),
        (b"\xaa" + os.urandom(1024**2), 422, "type_mismatch"),
        (b"<svg><script/></svg>", 422, "type_not_allowed"),
        (bytes(128) + b"DICM" + bytes(500), 422, "transfer_syntax_not_allowed"),
        (saved(NOISE, "GIF"), 422, "type_not_allowed"),
        (saved(NOISE)[:-2000], 422, "corrupt"),
        (saved(NOISE, "JPEG")[:-2000], 422, "corrupt"),
        (with_flipped_bit(saved(NOISE)), 422, "corrupt"),
        (b"\x89PNG\r\n\x1a\n" + os.urandom(2000), 422, "corrupt"),
        (b"\xff\xd8\xff\xe0" + os.urandom(2000), 422, "corrupt"),
        (flat_png(13_000, 13_000), 422, "too_many_pixels"),
        (huge_jpeg(), 422, "too_many_pixels"),
        (saved(NOISE[:1, :1]), 422, "too_small"),
        (saved(np.zeros((1, 20_000), np.uint8)), 422, "too_small"),
        (animation(), 422, "multiframe_not_allowed"),
    ],
    ids=[
        *("empty", "program", "web page", "noise", "drawing", "DICOM", "GIF", "cut PNG", "cut JPEG", "bad CRC"),
        *("PNG noise", "JPEG noise", "169 MP", "4290 MP", "1 pixel", "1 row", "animation"),
    ],
)
def test_refusals(
    tmp_path: Path, upload: Callable[[bytes], Path], sandbox: IntakeSettings, data: bytes, status: int, code: str
) -> None:
    path = upload(data)
    began = time.monotonic()
    with pytest.raises(BadRequest if status == 400 else Unprocessable) as caught:
        examine(path, tmp_path / "image", sandbox)
    assert time.monotonic() - began < 1
    assert (caught.value.status, caught.value.code) == (status, code)
    assert "scan" not in caught.value.detail
    assert str(tmp_path) not in caught.value.detail
    assert leftovers(tmp_path) == []


def test_the_largest_allowed_picture_fits(
    target: Path, upload: Callable[[bytes], Path], sandbox: IntakeSettings
) -> None:
    assert examine(upload(flat_png(8_000, 5_000)), target, sandbox).shape == (5_000, 8_000)


def test_no_sandbox_is_unavailable(
    tmp_path: Path, upload: Callable[[bytes], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(way_in, "RESTART_S", 0.2)
    with pytest.raises(Unavailable):
        examine(upload(saved(NOISE)), tmp_path / "image", IntakeSettings(tmp_path / "nobody"))
    assert leftovers(tmp_path) == []


def test_a_sandbox_that_is_being_started_is_waited_for(
    tmp_path: Path, upload: Callable[[bytes], Path], sandbox: IntakeSettings
) -> None:
    late = tmp_path / "late"
    threading.Timer(0.3, late.symlink_to, [sandbox.socket]).start()
    assert examine(upload(saved(NOISE)), tmp_path / "image", IntakeSettings(late)).shape


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIGHTBOX_INTAKE_SOCKET", raising=False)
    with pytest.raises(SettingsError, match="LIGHTBOX_INTAKE_SOCKET"):
        IntakeSettings.from_environment()
    monkeypatch.setenv("LIGHTBOX_INTAKE_SOCKET", "/run/intake.sock")
    monkeypatch.setenv("LIGHTBOX_MAX_PIXELS", "5000")
    assert IntakeSettings.from_environment() == IntakeSettings(Path("/run/intake.sock"), Limits(max_pixels=5000))


def test_a_thousand_files_leave_nothing_behind(tmp_path: Path, start_sandbox: StartSandbox) -> None:
    """No descriptor, no child, no zombie; good and bad files mixed, by eight threads."""
    socket, process = start_sandbox()
    settings = IntakeSettings(socket)
    files = [tmp_path / name for name in ("good", "cut")]
    for path, data in zip(files, (saved(NOISE, "JPEG"), saved(NOISE)[:-2000]), strict=True):
        path.write_bytes(data)

    def one(number: int) -> str:
        target = tmp_path / f"image-{number}"
        try:
            examine(files[number % 2], target, settings)
            target.unlink()
            return "kept"
        except PortalError as error:
            return error.code

    one(0)
    ours, theirs = psutil.Process().num_fds(), process.num_fds()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(one, range(1000)))
    assert answers == ["kept", "corrupt"] * 500
    _until(lambda: process.children() == [])
    # Not more than before; one less when something of an earlier test was let go meanwhile.
    assert psutil.Process().num_fds() <= ours
    assert process.num_fds() == theirs
    assert leftovers(tmp_path) == []


def _until(holds: Callable[[], bool], seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
