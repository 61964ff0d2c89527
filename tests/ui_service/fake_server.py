"""How the stand-in for App is served and writes its answers."""

import threading
from typing import Any

from flask import Flask, Response
from werkzeug.serving import WSGIRequestHandler, make_server

from portal_wire.errors import NotFound


def known(shelf: dict[str, Any], key: str) -> Any:
    if key not in shelf:
        raise NotFound("There is no such thing.")
    return shelf[key]


def wire(shape: Any) -> Response:
    return Response(shape.model_dump_json(), mimetype="application/json")


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:
        return


def serve(app: Flask, **options: Any) -> tuple[str, Any]:
    """Serve `app` on a free port in a thread; gives its address and a function that stops it."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet, **options)
    server.daemon_threads = True  # type: ignore[attr-defined]
    server.block_on_close = False  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}", server.shutdown
