"""A whole portal, started as `make run` starts it, and ways to look at and hurt its processes."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import redis

from launcher import ports
from launcher.settings import REPOSITORY

DOCTOR_PASSWORD, ADMIN_PASSWORD = "doctor-of-the-tests", "admin-of-the-tests"
READY_WITHIN_S = 180  # TensorFlow's first import on a busy machine; the benchmark measures the usual


# A word of each tier's command line.
TIERS = {
    "nginx": "nginx",
    "ui": "ui_service",
    "app": "app_service/gunicorn",
    "intake": "app_service.intake",
    "worker": "app_service.worker",
    "ml": "ml_service",
    "redis": "-server 127.0.0.1",
}


@dataclass(frozen=True)
class Portal:
    """A running portal. `authority` is the PEM file that its clients trust."""

    process: "subprocess.Popen[bytes]"
    url: str
    data_dir: Path
    authority: Path
    doctor_password: str
    admin_password: str
    output: Path

    def processes(self) -> list[psutil.Process]:
        """The launcher and every process below it."""
        above = psutil.Process(self.process.pid)
        return [above, *above.children(recursive=True)]

    def tier(self, name: str) -> list[psutil.Process]:
        """The processes of a tier, one of TIERS, without the keeper."""
        lines = {each: _line(each) for each in self.processes()}
        return [each for each, line in lines.items() if TIERS[name] in line and "launcher.keeper" not in line]

    def send(self, number: signal.Signals, tier: str) -> None:
        """A signal to every process of a tier, one of TIERS."""
        found = self.tier(tier)
        assert found, f"no process of {tier}"
        for each in found:
            with suppress(psutil.NoSuchProcess):  # gone with the one before
                each.send_signal(number)

    @contextmanager
    def held(self, tier: str) -> Iterator[None]:
        """The tier hangs meanwhile: it takes connections and answers nothing."""
        self.send(signal.SIGSTOP, tier)
        try:
            yield
        finally:
            self.send(signal.SIGCONT, tier)

    def redis(self) -> "redis.Redis":
        """A client of the embedded Redis."""
        text = (self.data_dir / "redis" / "redis.conf").read_text()
        port, password = (re.search(rf"^{word} (\S+)$", text, re.MULTILINE) for word in ("port", "requirepass"))
        assert port and password
        return redis.Redis(port=int(port[1]), password=password[1])

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Returns the launcher's exit status."""
        self.process.send_signal(number)
        return self.process.wait(15)


def launch(data_dir: Path, code: Path = REPOSITORY, **settings: str) -> Portal:
    """Starts `python -m launcher` of the tree `code` on a port of its own; does not wait until it is ready."""
    port = ports.free(1)[0]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LIGHTBOX_")}
    own = {
        "LIGHTBOX_HTTPS_PORT": str(port),
        "LIGHTBOX_DATA_DIR": str(data_dir),
        "LIGHTBOX_DOCTOR_PASSWORD": DOCTOR_PASSWORD,
        "LIGHTBOX_ADMIN_PASSWORD": ADMIN_PASSWORD,
        "LIGHTBOX_START_TIMEOUT_S": str(READY_WITHIN_S),
    }
    output = data_dir.with_suffix(".out")
    with output.open("wb") as file:
        command = [sys.executable, "-m", "launcher"]
        environment = inherited | own | settings
        process = subprocess.Popen(command, cwd=code, env=environment, stdout=file, stderr=file)
    url = f"https://localhost:{port}"
    return Portal(
        process,
        url,
        data_dir,
        data_dir / "tls" / "ca.pem",
        DOCTOR_PASSWORD,
        environment["LIGHTBOX_ADMIN_PASSWORD"],
        output,
    )


def wait_for(portal: Portal, text: str) -> None:
    """Until the launcher has printed `text`; fails with everything that it said when it ends before that."""
    deadline = time.monotonic() + READY_WITHIN_S + 20
    while text not in portal.output.read_text():
        assert portal.process.poll() is None, portal.output.read_text()
        assert time.monotonic() < deadline, portal.output.read_text()
        time.sleep(0.1)


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that still run; one that waits to be reaped does not."""
    return [each for each in processes if each.is_running() and _status(each) != psutil.STATUS_ZOMBIE]


def _status(process: psutil.Process) -> str:
    try:
        return str(process.status())
    except psutil.NoSuchProcess:
        return str(psutil.STATUS_ZOMBIE)


def _line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
