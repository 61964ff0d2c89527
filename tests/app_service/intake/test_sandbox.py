"""What a parser that has been taken over or has gone wrong can do: end, and nothing else."""

import os
import signal
import socket
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from PIL import Image

from app_service.intake.examine import examine
from app_service.intake.limits import IntakeSettings, Limits
from portal_wire.errors import PortalError, StorageFull, Unavailable, Unprocessable

StartSandbox = Callable[..., tuple[Path, psutil.Popen]]
PNG = b"\x89PNG\r\n\x1a\n"


def refused(path: Path, limits: Limits, folder: Path) -> PortalError:
    upload = folder / "upload"
    upload.write_bytes(PNG)
    with pytest.raises(PortalError) as caught:
        examine(upload, folder / "image", IntakeSettings(path, limits))
    assert [path.name for path in folder.iterdir()] == ["upload"]
    return caught.value


@pytest.mark.parametrize(
    ("body", "limits", "code"),
    [
        ("os.abort()", Limits(), "corrupt"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", Limits(), "corrupt"),
        ("raise RuntimeError('Jane Doe')", Limits(), "corrupt"),
        ("while True: pass", Limits(cpu_s=2), "timeout_parse"),
        ("return bytearray(3 * 1024**3)", Limits(), "too_large_inflated"),
        ("return bytearray(300 * 1024**2)", Limits(memory_bytes=256 * 1024**2), "too_large_inflated"),
    ],
)
def test_a_child_that_dies_is_a_clean_refusal(
    tmp_path: Path, start_sandbox: StartSandbox, body: str, limits: Limits, code: str
) -> None:
    error = refused(start_sandbox(body)[0], limits, tmp_path)
    assert isinstance(error, Unprocessable)
    assert error.code == code
    assert "Jane" not in error.detail


def test_a_jpeg_that_memory_cannot_hold_is_too_large(tmp_path: Path, start_sandbox: StartSandbox) -> None:
    path, _ = start_sandbox("pass")
    upload = tmp_path / "upload"
    upload.write_bytes(b"\xff\xd8\xff\xe0")
    os.truncate(upload, 300 * 1024**2)
    with pytest.raises(Unprocessable) as caught:
        examine(upload, tmp_path / "image", IntakeSettings(path, Limits(memory_bytes=256 * 1024**2)))
    assert caught.value.code == "too_large_inflated"


def test_a_child_that_sleeps_is_killed_by_its_parent(
    tmp_path: Path, start_sandbox: StartSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIGHTBOX_INTAKE_WALL_S", "1")
    path, process = start_sandbox("signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64)); time.sleep(600)")
    assert refused(path, Limits(wall_s=1), tmp_path).code == "timeout_parse"
    deadline = time.monotonic() + 20
    while process.children():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    "body", ["[os.dup(0) for _ in range(100)]", "os.ftruncate(os.memfd_create('output'), 2 * 1024**3)"]
)
def test_descriptors_and_output_are_limited(tmp_path: Path, start_sandbox: StartSandbox, body: str) -> None:
    path, process = start_sandbox(body)
    assert refused(path, Limits(), tmp_path).code == "corrupt"
    process.terminate()
    assert b'"error": "OSError"' in process.stderr.read()


def test_no_network_or_a_word_about_it(tmp_path: Path, start_sandbox: StartSandbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        body = f"socket.create_connection(('127.0.0.1', {port}), 1); raise Unprocessable('reached', code='reached')"
        path, process = start_sandbox(body)
        code = refused(path, Limits(), tmp_path).code
    process.terminate()
    said = process.stderr.read()
    assert (code == "reached") == (b"intake keeps its network" in said)
    assert said.count(b"intake keeps its network") <= 1


def test_only_this_user_may_connect(start_sandbox: StartSandbox) -> None:
    path, _ = start_sandbox()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_sandbox_that_dies_under_a_file_blames_no_file(tmp_path: Path, start_sandbox: StartSandbox) -> None:
    path, process = start_sandbox("time.sleep(600)")
    threading.Timer(0.5, lambda: os.kill(process.pid, signal.SIGKILL)).start()
    assert isinstance(refused(path, Limits(), tmp_path), Unavailable)


def test_many_files_that_hang_hold_up_nobody_for_long(
    tmp_path: Path, start_sandbox: StartSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More of them than there are children, and one good JPEG behind them all."""
    monkeypatch.setenv("LIGHTBOX_INTAKE_WALL_S", "1")
    path, _ = start_sandbox("time.sleep(600)")
    settings = IntakeSettings(path, Limits(wall_s=1))
    (tmp_path / "hangs").write_bytes(PNG)
    Image.new("L", (64, 64)).save(tmp_path / "good.jpg")
    codes: list[str] = []

    def hang(number: int) -> None:
        with pytest.raises(PortalError) as caught:
            examine(tmp_path / "hangs", tmp_path / f"image-{number}", settings)
        codes.append(caught.value.code)

    threads = [threading.Thread(target=hang, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    began = time.monotonic()
    assert examine(tmp_path / "good.jpg", tmp_path / "image", settings).shape == (64, 64)
    assert time.monotonic() - began < 15
    for thread in threads:
        thread.join()
    assert codes == ["timeout_parse"] * 12


FULL_DISK = """full = os.open('/dev/full', os.O_WRONLY)
    output = [n for n in range(3, 30) if os.path.realpath(f'/proc/self/fd/{n}').endswith('/image')]
    os.dup2(full, output[0])
    return image.Picture('image/png', (1, 1), b'x', [])"""


def test_a_full_disk_blames_no_file(tmp_path: Path, start_sandbox: StartSandbox) -> None:
    assert isinstance(refused(start_sandbox(FULL_DISK)[0], Limits(), tmp_path), StorageFull)


def test_it_ends_on_request_though_a_child_hangs(tmp_path: Path, start_sandbox: StartSandbox) -> None:
    path, process = start_sandbox("time.sleep(600)")
    threading.Timer(0.5, process.terminate).start()
    assert isinstance(refused(path, Limits(), tmp_path), Unavailable)
    assert process.wait(5) == 0


def test_it_ends_on_request_and_takes_its_socket_along(start_sandbox: StartSandbox) -> None:
    path, process = start_sandbox()
    process.terminate()
    assert process.wait(5) == 0
    assert not path.exists()
