"""The process in which foreign bytes are parsed: `python -m app_service.intake.sandbox <socket path>`.

It leaves the network before the parsers are loaded, says once when the system refuses that, and serves until SIGTERM.
"""

import logging
import os
import signal
import sys
from pathlib import Path

from app_service.intake import confinement
from app_service.intake.limits import Limits
from portal_wire.logs import log_as_json

log = logging.getLogger("lightbox.intake")


def main(path: Path) -> None:
    """Serves on the Unix socket `path`, which only this user may open. Raises SettingsError or OSError at the start."""
    log_as_json()
    limits = Limits.from_environment()
    if refusal := confinement.leave_network():
        log.warning("intake keeps its network: the system refuses namespaces", extra={"facts": {"reason": refusal}})
    confinement.forbid_new_privileges()
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # a process that forks should have one thread
    from app_service.intake.fork_server import ForkServer  # loads the parsers, which may start threads

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    path.unlink(missing_ok=True)  # left by a sandbox that was killed
    try:
        with ForkServer(str(path), limits.wall_s) as server:
            server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m app_service.intake.sandbox <socket path>")
    main(Path(sys.argv[1]))
