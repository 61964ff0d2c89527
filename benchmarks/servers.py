"""The three things that are measured, each in processes of its own."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import requests

from launcher import ports
from launcher.settings import REPOSITORY

PASSWORD = "benchmark-password"
# A word of each tier's command line.
TIERS = {
    "nginx": "nginx",
    "intake": "app_service.intake",
    "worker": "app_service.worker",
    "App": "app_service/gunicorn",
    "ML": "ml_service",
    "Redis": "-server 127.0.0.1",
    "UI": "ui_service",
}


@dataclass(frozen=True)
class RunningPortal:
    """A portal in a data folder of its own. `ready_s` is the time from the command to "Ready"."""

    url: str
    authority: str
    data_dir: Path
    ready_s: float
    launcher: psutil.Process

    def port_of(self, tier: str) -> int:
        """The loopback port of a tier that gunicorn serves."""
        for process in self.launcher.children(recursive=True):
            with suppress(psutil.Error):
                found = re.search(rf"gunicorn.*{tier}_service.*--bind 127\.0\.0\.1:(\d+)", " ".join(process.cmdline()))
                if found:
                    return int(found[1])
        raise LookupError(tier)

    def cpu_s(self) -> dict[str, float]:
        """Seconds of processor that each tier has used so far, its ended children included."""
        used = dict.fromkeys(TIERS, 0.0)
        for process in self.launcher.children(recursive=True):
            with suppress(psutil.Error):
                line, times = " ".join(process.cmdline()), process.cpu_times()
                tier = next((name for name, word in TIERS.items() if word in line), None)
                if tier and "launcher.keeper" not in line:
                    used[tier] += times.user + times.system + times.children_user + times.children_system
        return used

    def memory(self) -> dict[str, float]:
        """Megabytes of all its processes: "rss" counts shared pages in each, "pss" once."""
        rss = pss = 0
        for process in [self.launcher, *self.launcher.children(recursive=True)]:
            with suppress(psutil.Error):
                used = process.memory_full_info()
                rss, pss = rss + used.rss, pss + used.pss
        return {"rss": rss / 1e6, "pss": pss / 1e6}


@contextmanager
def portal(data_dir: Path, **settings: str) -> Iterator[RunningPortal]:
    """`make run`, as a person would have it but for these LIGHTBOX_ settings, until the block ends."""
    port = ports.free(1)[0]
    own = {
        "LIGHTBOX_HTTPS_PORT": str(port),
        "LIGHTBOX_DATA_DIR": str(data_dir),
        "LIGHTBOX_DOCTOR_PASSWORD": PASSWORD,
        "LIGHTBOX_ADMIN_PASSWORD": PASSWORD,
    }
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "launcher"],
        cwd=REPOSITORY,
        env=os.environ | own | settings,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )
    try:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if line.startswith("Ready after"):
                break
        else:
            raise RuntimeError("".join(said))
        ready_s = time.perf_counter() - began
        authority = str(data_dir / "tls" / "ca.pem")
        yield RunningPortal(f"https://localhost:{port}", authority, data_dir, ready_s, psutil.Process(process.pid))
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)


@contextmanager
def naive() -> Iterator[str]:
    """The address of the naive design."""
    port = ports.free(1)[0]
    with _module("benchmarks.naive", str(port)):
        url = f"http://127.0.0.1:{port}"
        for _ in range(600):
            with suppress(requests.ConnectionError):
                requests.get(url, timeout=5)
                break
            time.sleep(0.2)
        yield url


@contextmanager
def engine() -> Iterator["subprocess.Popen[str]"]:
    """The bare network, films read alone, both: write "network", "decode" or "in turn" and seconds, read images per
    second."""
    with _module("benchmarks.engine") as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process


@contextmanager
def _module(name: str, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    with tempfile.TemporaryFile() as silent:
        process = subprocess.Popen(
            [sys.executable, "-m", name, *arguments],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=silent,
            text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()
