"""The way in for every file: its bytes are recognised here, and parsed in the sandbox's throw-away child.

Protocol, on one Unix socket connection a file: the sandbox sends `+` when a child has the file's turn; the question is
one JSON message with the open input and output as descriptors; the answer is JSON up to the end of the connection.
"""

import json
import os
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

from app_service.intake.limits import IntakeSettings
from app_service.intake.notices import notice
from app_service.intake.refusals import corrupt, timeout
from app_service.intake.sniff import HEAD_BYTES, sniff
from app_service.storage.file_errors import portal_errors
from portal_wire.contract import Notice, Prompt
from portal_wire.errors import Unavailable, from_status

TURN_WAIT_S = 60  # for a turn behind other files
RESTART_S = 5.0  # for a sandbox that is started again: a new release, or the end of one that was killed
NEARLY = 0.5  # our clock starts later than the child's, by much on a busy machine
READING = "reading"
UNKNOWN_MODALITY = "OT"  # DICOM's "other": a PNG or JPEG does not say what took it


@dataclass(frozen=True)
class CanonicalStudy:
    """The only form that models and viewers ever see. `shape` is rows, columns[, channels]; `prompts` are boxes that
    came in the file itself. Hash and size are those of the original where it is a part of the file that came."""

    kind: Literal["image", "volume"]
    modality: str
    shape: tuple[int, ...]
    spacing_mm: tuple[float, ...] | None
    media_type: str
    warnings: list[Notice]
    prompts: Sequence[Prompt] = ()
    sha256: str | None = None
    size_bytes: int | None = None


def examine(path: Path, target: Path, settings: IntakeSettings) -> CanonicalStudy:
    """The canonical study of the file at `path`, as the new file `target` on the same file system.

    A file that has nothing to leave behind is its own canonical study, and gets a second name. Of a large grey one
    stands READING beside it: what a model would decode of it, so that no model need do so again.

    Raises BadRequest `empty_file`; Unprocessable `type_not_allowed`, `type_mismatch`, `corrupt`, `too_many_pixels`,
    `too_small`, `multiframe_not_allowed`, `timeout_parse` or `too_large_inflated`; StorageFull; and Unavailable
    without a sandbox. There is no `target` then.
    """
    with path.open("rb") as source:
        kind = sniff(source.read(HEAD_BYTES))
        with portal_errors():
            output = target.open("xb")
        question = {"media_type": kind.media_type, "limits": asdict(settings.limits)}
        try:
            with output:
                answer = _answer(settings, question, source, output)
            if answer["unchanged"]:
                with portal_errors():
                    if answer["reading"]:
                        target.replace(target.with_name(READING))
                    else:
                        target.unlink()
                    target.hardlink_to(path)
        except BaseException:
            target.unlink(missing_ok=True)
            raise
    return CanonicalStudy(
        kind="image",
        modality=UNKNOWN_MODALITY,
        shape=tuple(answer["shape"]),
        spacing_mm=None,
        media_type=answer["media_type"],
        warnings=[notice(code) for code in answer["warnings"]],
    )


def in_sandbox(settings: IntakeSettings, media_type: str, source: BinaryIO, output: BinaryIO) -> None:
    """Has a child read `source` as a file of `media_type` and write what it makes of it to `output`.

    Raises what the file is refused for, and Unavailable without a sandbox."""
    _answer(settings, {"media_type": media_type, "limits": asdict(settings.limits)}, source, output)


def _answer(settings: IntakeSettings, question: dict[str, Any], source: BinaryIO, output: BinaryIO) -> dict[str, Any]:
    """The child's answer. A child that dies is asked for once more: the sandbox may have been restarted under it."""
    for _ in range(2):
        answer = _asked(settings, question, source, output)
        if answer is None:
            continue
        if "refused" in answer:
            raise from_status(**answer["refused"])
        return answer
    raise corrupt("Reading it failed.")


def _asked(
    settings: IntakeSettings, question: dict[str, Any], source: BinaryIO, output: BinaryIO
) -> dict[str, Any] | None:
    """None when the child died; Unprocessable `timeout_parse` when it did so at one of its time limits."""
    with _turn(settings.socket) as connection:
        began = time.monotonic()
        os.lseek(source.fileno(), 0, os.SEEK_SET)
        os.ftruncate(output.fileno(), 0)
        os.lseek(output.fileno(), 0, os.SEEK_SET)
        connection.settimeout(settings.limits.wall_s)
        received = b""
        with suppress(ConnectionError, TimeoutError):
            socket.send_fds(connection, [json.dumps(question).encode()], [source.fileno(), output.fileno()])
            while part := connection.recv(65536):
                received += part
    if received.endswith(b"}"):
        parsed: dict[str, Any] = json.loads(received)
        return parsed
    if time.monotonic() - began >= NEARLY * min(settings.limits.cpu_s, settings.limits.wall_s):
        raise timeout()
    return None


@contextmanager
def _turn(path: Path) -> Iterator[socket.socket]:
    """A connection whose child waits for the question. Raises Unavailable."""
    away = Unavailable("Files cannot be examined at the moment. Upload again shortly.", retry_after_s=2)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(TURN_WAIT_S)
        try:
            _connect(connection, path)
            started = connection.recv(1)
        except OSError as error:
            raise away from error
        if not started:
            raise away
        yield connection


def _connect(connection: socket.socket, path: Path) -> None:
    """Raises OSError once nobody has listened for RESTART_S seconds."""
    ends = time.monotonic() + RESTART_S
    while True:
        try:
            connection.connect(str(path))
            return
        except (FileNotFoundError, ConnectionRefusedError):
            if time.monotonic() > ends:
                raise
        time.sleep(0.1)
