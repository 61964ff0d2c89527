"""The processes of a portal: what each one is told, what it waits for, and where it says that it is ready."""

import os
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

from portal_wire import env

GUNICORN = [sys.executable, "-m", "gunicorn", "--no-control-socket", "--config"]


_OF_APP_ALONE = {
    "LIGHTBOX_DATABASE_URL",
    "LIGHTBOX_REDIS_URL",
    "LIGHTBOX_ACCOUNT_KEY",
    "LIGHTBOX_OIDC_CLIENT_SECRET",
    "LIGHTBOX_STORE_KEY",
    "LIGHTBOX_DOCTOR_PASSWORD",
    "LIGHTBOX_ADMIN_PASSWORD",
}
# The sandbox forks once a file. Memory in pages of 2 MB makes that, and the child's end, a third cheaper
# (https://www.gnu.org/software/libc/manual/html_node/Memory-Allocation-Tunables.html); other C libraries ignore it.
_FORKS_OFTEN = {
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=8388608",
    "PYTHONMALLOC": "malloc",
}
# Many threads in turn, of which one computes at a time. Each would get a heap of its own and a cache of freed blocks
# (230 KB), and large files would leave holes: with two heaps, no caches, and a megabyte or more taken from the system
# and given back, App is as large after half an hour as after minutes (same manual).
_MANY_THREADS = {
    "GLIBC_TUNABLES": "glibc.malloc.arena_max=2:glibc.malloc.tcache_count=0:glibc.malloc.mmap_threshold=1048576"
}
_PROCESS_COUNTS = {"app": "LIGHTBOX_APP_PROCESSES", "ui": "LIGHTBOX_UI_WORKERS"}


@dataclass(frozen=True)
class Process:
    """One kept process. `needs` is a host:port that must answer first; `ready_url` answers 200 once it serves."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    needs: str | None = None
    ready_url: str | None = None


def tiers(port: dict[str, int], redis_address: str, app_side: dict[str, str]) -> list[Process]:
    """The Python tiers. `port` has those of "ui", "app", "worker" and "ml".

    What is in `app_side`, the addresses of Redis and the database among it, reaches App and its worker only.
    """
    ui_side = {"LIGHTBOX_APP_URL": f"http://127.0.0.1:{port['app']}"} | _MANY_THREADS
    intake = [sys.executable, "-m", "app_service.intake.sandbox", app_side["LIGHTBOX_INTAKE_SOCKET"]]
    worker = [sys.executable, "-m", "app_service.worker"]
    return [
        Process("ml", _served("ml", port), ready_url=_ready(port["ml"])),
        Process("intake", intake, _FORKS_OFTEN),
        Process("app", _served("app", port), app_side | _MANY_THREADS, redis_address, _ready(port["app"])),
        Process("worker", worker, app_side | _MANY_THREADS, redis_address, _ready(port["worker"])),
        Process("ui", _served("ui", port), ui_side, ready_url=_ready(port["ui"])),
    ]


def environment(process: Process, metrics_folder: Path) -> dict[str, str]:
    """What the process is told: what this launcher was told, without the secrets of others, then its own.

    A tier of several processes sums its metrics through files in a folder of its own, empty at the start.
    """
    inherited = {name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in _OF_APP_ALONE}
    told = inherited | {"PYTHONUNBUFFERED": "1"} | process.environment
    count = _PROCESS_COUNTS.get(process.name)
    if count and env.integer(count, 1) > 1:
        folder = metrics_folder / process.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700, parents=True)
        told["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    return told


def _served(tier: str, port: dict[str, int]) -> list[str]:
    return [*GUNICORN, f"{tier}_service/gunicorn.conf.py", "--bind", f"127.0.0.1:{port[tier]}"]


def _ready(port: int) -> str:
    return f"http://127.0.0.1:{port}/readyz"
