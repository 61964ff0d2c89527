"""One connection, one file, one throw-away child, forked from a process with the parsers already loaded.

That takes about 2 ms a file where a fresh interpreter takes 200. The caller sends the limits and two open
descriptors, the file and its output: the child needs no path. The caller's side and the protocol are in `examine.py`.
"""

import errno
import gc
import json
import logging
import os
import signal
import socket
import sys
import time
from mmap import ACCESS_READ, mmap
from socketserver import BaseRequestHandler, UnixStreamServer
from typing import Any

import cv2
import numpy as np

from app_service.intake import confinement
from app_service.intake.image import PARSERS, READING_SIDE
from app_service.intake.limits import Limits
from app_service.intake.pixels import write_pgm
from app_service.intake.refusals import too_large_inflated
from app_service.storage.file_errors import portal_errors
from portal_wire.errors import PortalError

STARTED = b"+"
JPEG = "image/jpeg"
AT_ONCE = 8
WAIT_S = 0.2
GRACE_S = 2
QUESTION_BYTES = 4096
log = logging.getLogger("lightbox.intake")


class ForkServer(UnixStreamServer):
    """At most AT_ONCE children together; one whose caller stopped waiting, after `wall_s`, is killed."""

    request_queue_size = 128

    def __init__(self, path: str, wall_s: float) -> None:
        self._wall_s = wall_s
        self._deadlines: dict[int, float] = {}
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})  # process_request waits for this signal
        cv2.setNumThreads(0)
        mask = os.umask(0o177)
        try:
            super().__init__(path, OneFile)
        finally:
            os.umask(mask)
        _warm_up()
        self.baseline_bytes = confinement.address_space_bytes()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Forks, as soon as there are fewer than AT_ONCE children."""
        self.service_actions()
        while len(self._deadlines) >= AT_ONCE:
            signal.sigtimedwait({signal.SIGCHLD}, WAIT_S)
            self.service_actions()
        if child := confinement.fork():
            self._deadlines[child] = time.monotonic() + self._wall_s + GRACE_S
            self.close_request(request)
            return
        try:
            self.finish_request(request, client_address)
        except Exception:
            self.handle_error(request, client_address)
        finally:
            os._exit(0)

    def service_actions(self) -> None:
        """Collects the children that ended and kills those that are overdue; the loop calls it twice a second."""
        now = time.monotonic()
        for child, deadline in list(self._deadlines.items()):
            if os.waitpid(child, os.WNOHANG)[0]:
                del self._deadlines[child]
            elif now > deadline:
                os.kill(child, signal.SIGKILL)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """One line without the exception's text, which may quote the file."""
        error = getattr(sys.exc_info()[0], "__name__", None)
        log.warning("intake child failed", extra={"facts": {"error": error}})


class OneFile(BaseRequestHandler):
    """The child's whole life. When it ends without an answer, the caller draws its conclusion from that."""

    request: socket.socket
    server: ForkServer

    def handle(self) -> None:
        os.close(self.server.fileno())  # nobody but the parent may take connections
        self.request.sendall(STARTED)
        question, descriptors, _, _ = socket.recv_fds(self.request, QUESTION_BYTES, 2)
        if len(descriptors) != 2:
            return  # the caller went away
        asked = json.loads(question)
        limits = Limits(**asked["limits"])
        confinement.confine_child(limits, self.server.baseline_bytes)
        self.request.sendall(json.dumps(_answer(asked["media_type"], limits, *descriptors)).encode())


def _warm_up() -> None:
    """Do once, on a picture of our own, what each child would otherwise do anew in memory that it shares no longer."""
    large = (2 * READING_SIDE, 2 * READING_SIDE)
    for pixels in (np.zeros(large, np.uint8), np.eye(64, dtype=np.uint8)[..., None].repeat(3, axis=2)):
        picture = cv2.imencode(".jpg", pixels)[1].tobytes()
        for _ in range(20):  # the interpreter specialises what has run a few times
            source, target = os.memfd_create("source"), os.memfd_create("target")
            os.write(source, picture)
            os.lseek(source, 0, os.SEEK_SET)
            json.dumps(_answer(JPEG, Limits(), source, target))
    gc.collect()
    gc.freeze()  # a collection in a child would write to all that it shares


def _answer(media_type: str, limits: Limits, source: int, target: int) -> dict[str, Any]:
    try:
        with open(source, "rb") as file:
            # Most files are JPEGs, and one whose own bytes are kept need not be copied to be looked at.
            data = mmap(file.fileno(), 0, access=ACCESS_READ) if media_type == JPEG else file.read()
        picture = PARSERS[media_type](data, limits)
        unchanged = picture.body == data
        reading = picture.reading if unchanged else None
        if reading is not None or not unchanged:
            with portal_errors(), open(target, "wb") as file:
                write_pgm(reading, file) if reading is not None else file.write(picture.body)
    except PortalError as error:
        return _refused(error)
    except MemoryError:
        return _refused(too_large_inflated())
    except OSError as error:  # of mapping the file
        if error.errno != errno.ENOMEM:
            raise
        return _refused(too_large_inflated())
    found = {"media_type": picture.media_type, "shape": picture.shape, "warnings": picture.warnings}
    return found | {"unchanged": unchanged, "reading": reading is not None}


def _refused(error: PortalError) -> dict[str, Any]:
    return {"refused": {"status": error.status, "detail": error.detail, "code": error.code}}
