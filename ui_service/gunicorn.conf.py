"""How gunicorn runs this tier; the bind address comes on the command line.

Threads, because every open page holds one for its live stream: keep `threads` above LIGHTBOX_UI_STREAMS.
"""

import os
from typing import Any

from prometheus_client import multiprocess

wsgi_app = "ui_service.web:create_app()"
worker_class = "gthread"
workers = int(os.environ.get("LIGHTBOX_UI_WORKERS", "1"))
threads = int(os.environ.get("LIGHTBOX_UI_STREAMS", "40")) + 16
timeout = 60
graceful_timeout = 3
keepalive = 75  # longer than nginx keeps its side open, so that nginx never writes into a closing connection
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108  # nosec B108
accesslog = None  # portal_wire.http_server writes one line a request, without query strings
loglevel = "warning"
control_socket_disable = True  # it would lie in the home folder, shared by all portals of one account


def child_exit(server: Any, worker: Any) -> None:
    """Drop the metrics files of a process that has gone."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
