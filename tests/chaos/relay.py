"""A line between two parts that can be slow, hang, be cut, tear an answer, or answer an error in the server's place."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


def _error(status: str, code: bytes) -> bytes:
    """As S3 tells it (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html)."""
    body = b"<Error><Code>%b</Code></Error>\n" % code
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
    return head.encode() + b"\r\n" + body


_TOLD = {"busy": _error("503 Slow Down", b"SlowDown"), "denied": _error("403 Forbidden", b"AccessDenied")}
_TORN_AFTER = 300  # bytes of an answer: its head, and a little of the body
_BLOCK = 65536


class Relay:
    """Listens on 127.0.0.1:`port` and passes on to `target`. `manner` is pass, cut, hang, torn, busy or denied."""

    def __init__(self, target: int) -> None:
        self.manner, self.delay_s = "pass", 0.0
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = int(self._listener.getsockname()[1])
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._serve, daemon=True).start()

    @contextmanager
    def being(self, manner: str, delay_s: float = 0.0) -> Iterator[None]:
        """Meanwhile; what was connected before is cut at both changes, save for mere slowness."""
        self.manner, self.delay_s = manner, delay_s
        if manner != "pass":
            self._cut()
        try:
            yield
        finally:
            self.manner, self.delay_s = "pass", 0.0
            if manner != "pass":
                self._cut()

    def _cut(self) -> None:
        for each in list(self._open):
            self._close(each)

    def _close(self, each: socket.socket) -> None:
        self._open.discard(each)
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()

    def _serve(self) -> None:
        while True:
            caller, _ = self._listener.accept()
            self._open.add(caller)
            threading.Thread(target=self._answer, args=(caller,), daemon=True).start()

    def _answer(self, caller: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self.manner == "hang":
                return  # taken, and never answered: `_cut` closes it
            if self.manner in _TOLD:
                caller.recv(_BLOCK)
                caller.sendall(_TOLD[self.manner])
            if self.manner in ("cut", *_TOLD):
                self._close(caller)
                return
            server = socket.create_connection(("127.0.0.1", self._target), 5)
            server.settimeout(None)
            self._open.add(server)
            threading.Thread(target=self._pass_on, args=(caller, server, None), daemon=True).start()
            self._pass_on(server, caller, _TORN_AFTER if self.manner == "torn" else None)
            return
        self._close(caller)

    def _pass_on(self, source: socket.socket, sink: socket.socket, most: int | None) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while block := source.recv(_BLOCK):
                if self.delay_s:
                    time.sleep(self.delay_s)
                if most is not None:
                    block = block[: most - passed]
                sink.sendall(block)
                passed += len(block)
                if passed == most:
                    break
        self._close(source)
        self._close(sink)
