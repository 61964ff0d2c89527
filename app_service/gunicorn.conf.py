"""How gunicorn runs the App api; the bind address comes on the command line."""

import gc
import os
import signal
from types import FrameType
from typing import Any

# Loading makes hundreds of thousands of objects that stay: to look through them again and again takes a tenth of the
# start, in which no doctor is served. `post_worker_init` sets them aside for good.
gc.disable()

wsgi_app = "app_service.web:create_app()"
workers = int(os.environ.get("LIGHTBOX_APP_PROCESSES", "1"))
worker_class = "gthread"
# Each open event stream holds a thread (40 at most), the rest answer requests.
threads = int(os.environ.get("LIGHTBOX_APP_THREADS", "72"))
timeout = 60
graceful_timeout = 4
keepalive = 75  # longer than the callers keep theirs, so that none writes into a closing connection
accesslog = None  # portal_wire logs each request, without query strings
control_socket_disable = True  # it would lie in the home folder, shared by all portals of one account
limit_request_line = 8190


def post_worker_init(worker: Any) -> None:
    """Collect what comes from here on; into the audit that it began; and let open event streams end as soon as the
    process is told to."""
    from app_service.running.life import note_start  # not in the process that only watches over these

    gc.freeze()
    gc.enable()
    parts = worker.wsgi.extensions["lightbox"]
    note_start(parts, "app")
    stopping, end = parts.stopping, worker.handle_exit

    def handle_exit(number: int, frame: FrameType | None) -> None:
        stopping.set()
        end(number, frame)

    signal.signal(signal.SIGTERM, handle_exit)


def worker_exit(server: Any, worker: Any) -> None:
    """Into the audit that it ended. gunicorn asks for one whose application could not be built, too."""
    parts = getattr(getattr(worker, "wsgi", None), "extensions", {}).get("lightbox")
    if parts is not None:
        from app_service.running.life import note_stop

        note_stop(parts, "app")


def child_exit(server: Any, worker: Any) -> None:
    """A process that ended no longer counts in the gauges."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
