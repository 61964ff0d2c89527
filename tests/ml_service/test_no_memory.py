"""Without memory a request is answered rightly or not at all: never by another patient's pass of the network."""

import json
import signal
import subprocess
import sys
from typing import Any, ClassVar

import cv2
import numpy as np
import pytest
from PIL import Image

from launcher.settings import REPOSITORY
from ml_service import manifest as manifests
from ml_service.batcher import Batcher
from ml_service.engines import Outputs, openvino_pass
from ml_service.served import Served
from ml_service.settings import SHIPPED, Settings
from ml_service.tasks import decode
from portal_wire.errors import Unavailable

STARVED = 3  # processes that are starved: one without memory may die at any allocation
WITHOUT_MEMORY = (0, -signal.SIGABRT, -signal.SIGSEGV, -signal.SIGBUS, 1)  # how it may end; 1 is OpenBLAS's


def test_no_answer_is_another_film_s() -> None:
    command = [sys.executable, "-m", "tests.ml_service.starved_tier"]
    ends, survivors, fates = [], 0, set()
    for _ in range(STARVED):
        ended = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, timeout=90)
        ends.append(ended.returncode)
        found: dict[str, list[Any]] = {"quiet": [], "given": [], "after": []}
        for line in ended.stdout.splitlines():
            for name, said in json.loads(line).items():
                found[name] += said
        quiet, given = found["quiet"], found["given"]
        large = len(quiet)
        answered = [(number, answer) for number, answer in given if number < large and isinstance(answer, float)]
        assert [(number, answer) for number, answer in answered if abs(answer - quiet[number]) > 0.002] == []
        if ended.returncode == 0:
            survivors += 1
            fates |= {answer for _, answer in given}
            assert answered, "nothing was answered at all"
            assert found["after"] == pytest.approx(quiet, abs=0.002)  # and it is well again by itself
    assert set(ends) <= set(WITHOUT_MEMORY)
    assert survivors, f"no process lived to its end: {ends}"
    assert fates & {"MemoryError", "Unavailable"} or survivors < STARVED, "there was memory enough"


def test_a_pass_that_never_ends_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hangs:
        results: ClassVar = ["the answer of the pass before"]

        def start_async(self, inputs: object, share_inputs: bool) -> None: ...

        def wait_for(self, milliseconds: int) -> bool:
            return False

    monkeypatch.setattr(openvino_pass.os, "abort", lambda: (_ for _ in ()).throw(SystemExit("aborted")))
    with pytest.raises(SystemExit, match="aborted"):
        openvino_pass.run_pass(Hangs(), {})


@pytest.mark.parametrize("rows", [1, 3])
def test_a_pass_with_other_rows_than_asked_answers_nobody(rows: int) -> None:
    batcher = Batcher(lambda pixels: Outputs(*(np.zeros((rows, 1), np.float32),) * 3), batch_rows=4, queue_rows=8)
    with pytest.raises(Unavailable) as refused:
        batcher.submit(np.zeros((2, 8, 8, 1), np.float32), 5).result(10)
    assert "Expected 2 rows" in str(refused.value.__cause__)
    batcher.close()


def no_memory() -> cv2.error:
    """As OpenCV says it (core/src/alloc.cpp)."""
    error = cv2.error("Failed to allocate 400000000 bytes")
    error.code = cv2.Error.STS_NO_MEM
    return error


def test_a_film_that_finds_no_room_after_it_was_decoded_is_not_called_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = max((SHIPPED / "pneumonia").iterdir(), key=lambda folder: int(folder.name))
    served = Served(manifests.read(folder), folder, Settings(service_token=None))
    monkeypatch.setattr(served.task, "prepare", lambda *_: (_ for _ in ()).throw(no_memory()))
    with pytest.raises(MemoryError):
        served.see_study((folder / "golden" / "normal.jpg").read_bytes(), 60)
    served.close()


def test_a_sound_image_that_finds_no_room_is_not_called_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = cv2.imencode(".png", np.zeros((8, 8), np.uint8))[1].tobytes()
    monkeypatch.setattr(decode.cv2, "imdecode", lambda *_: None)  # as OpenCV does without memory
    with pytest.raises(MemoryError):
        decode.grey_plane(sound)
    with pytest.raises(ValueError, match="do not decode"):
        decode.grey_plane(sound[:40])
    with pytest.raises(MemoryError), decode.memory_errors():
        raise no_memory()
    with pytest.raises(cv2.error), decode.memory_errors():
        cv2.resize(np.zeros((0, 0), np.uint8), (8, 8))
    monkeypatch.setattr(Image.Image, "load", lambda self: (_ for _ in ()).throw(MemoryError()))
    with pytest.raises(MemoryError):
        decode.grey_plane(sound)
