"""The worker: `python -m app_service.worker` runs jobs until SIGTERM, then finishes what it can and ends."""

import logging
import os
import signal
import threading
from functools import partial

from dramatiq import Worker
from flask import Flask
from werkzeug.serving import BaseWSGIServer, make_server

from app_service.parts import Parts, open_parts
from app_service.readiness import dependencies
from app_service.running.leases import Leases
from app_service.running.life import note_start, note_stop
from app_service.running.progress import keep_looking
from app_service.running.reconcile import keep_reconciling
from app_service.running.run_job import run_job
from app_service.settings import Settings
from portal_wire.http_server import equip

_FINISH_MS = 4000  # jobs that take longer are run again elsewhere when their lease ends


def main() -> None:
    """Returns after SIGTERM or SIGINT."""
    parts = open_parts(Settings.from_environment())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: parts.stopping.set())
    work(parts)


def work(parts: Parts) -> None:
    """Run jobs until `parts.stopping` is set."""
    leases = Leases(parts.engine)
    parts.queue.serve(partial(run_job, parts, leases))
    worker = Worker(parts.queue.broker, worker_threads=parts.settings.worker_threads)
    server = _probes(parts)
    for target in (
        server.serve_forever,
        partial(keep_reconciling, parts, parts.stopping),
        partial(leases.keep, parts.stopping),
        partial(keep_looking, parts, parts.stopping),
    ):
        threading.Thread(target=target, daemon=True).start()
    note_start(parts, "worker")
    worker.start()
    parts.stopping.wait()
    parts.shadows.stop()
    worker.stop(timeout=_FINISH_MS)
    server.shutdown()
    note_stop(parts, "worker")


def _probes(parts: Parts) -> BaseWSGIServer:
    """/healthz, /readyz and /metrics; for this host only, unless LIGHTBOX_WORKER_BIND says otherwise."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # portal_wire logs requests
    app = Flask(__name__)
    equip(app, "worker", ready=lambda: dependencies(parts), service_token=None)
    return make_server(parts.settings.worker_bind, parts.settings.worker_port, app, threaded=True)


if __name__ == "__main__":
    os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)  # this process tells its own numbers
    main()
