"""A tier that remembers what reached it and answers with it: what NGINX let through, as the tier behind saw it."""

import json
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Seen:
    """One request as it arrived; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    size_bytes: int


class StubTier:
    """Listens on a loopback `port` of its own until `close`."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        tier = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                seen = Seen(self.command, self.path, headers, len(body))
                tier.seen.append(seen)
                if self.path.endswith(("/live", "/events")):
                    self.stream()
                elif self.path.endswith("/busy"):
                    self.send(503, b'{"code":"queue_full"}', "application/problem+json")
                else:
                    self.send(200, json.dumps(seen.__dict__).encode(), "application/json")

            def send(self, status: int, body: bytes, media_type: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", media_type)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("X-Content-Type-Options", "nosniff")
                self.end_headers()
                self.wfile.write(body)

            def stream(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Connection", "close")
                self.end_headers()
                for _ in range(2):
                    self.wfile.write(f"data: {time.time()}\n\n".encode())
                    self.wfile.flush()
                    time.sleep(1)

            def log_message(self, format: str, *args: object) -> None:
                pass

            do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
