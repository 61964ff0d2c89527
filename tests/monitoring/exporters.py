"""The exporters of this machine, each on a port of its own and put among Prometheus' targets."""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from launcher import ports
from tests.monitoring.watch import Watch

MONITORING = Path(__file__).parents[2] / "monitoring"
NAMES = ("node", "nginx", "redis", "postgres", "blackbox", "alertmanager")
_STATUS = "server {{ listen 127.0.0.1:{port}; location = /stub_status {{ stub_status; }} }}\n"


def program(name: str, package: str) -> str:
    """Where a program is; skips the test, and says what to install, where there is none."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed: apt install {package}")
    return found


class Exporters:
    """Those that run."""

    def __init__(self, log: Path) -> None:
        self._log = log.open("wb")
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, *command: object, **environment: str) -> None:
        told = os.environ | environment
        words = [str(word) for word in command]
        self._running.append(subprocess.Popen(words, env=told, stdout=self._log, stderr=self._log))

    def stop(self) -> None:
        for process in self._running:
            process.terminate()
        for process in self._running:
            process.wait(10)


def start_exporters(watch: Watch, postgres: str | None, folder: Path) -> Exporters:
    """Starts all of them; `postgres` is the address of a server, or None where this machine has none."""
    binaries = {
        name: program(f"prometheus-{name}{_ending(name)}", f"prometheus-{name}{_ending(name)}") for name in NAMES
    }
    port = dict(zip((*NAMES, "status"), ports.free(len(NAMES) + 1), strict=True))
    at = {name: f"127.0.0.1:{number}" for name, number in port.items()}
    running = Exporters(folder / "exporters.log")
    running.start(binaries["node"], f"--web.listen-address={at['node']}")
    _show_status(watch, port["status"])
    scrape = f"-nginx.scrape-uri=http://{at['status']}/stub_status"
    running.start(binaries["nginx"], scrape, "-nginx.retries=10", f"-web.listen-address={at['nginx']}")
    redis_port, password = _redis(watch)
    redis = [
        "-include-system-metrics",
        f"-redis.addr=redis://127.0.0.1:{redis_port}",
        f"-web.listen-address={at['redis']}",
    ]
    running.start(binaries["redis"], *redis, REDIS_PASSWORD=password)
    blackbox = [f"--config.file={MONITORING}/blackbox.yml", f"--web.listen-address={at['blackbox']}"]
    running.start(binaries["blackbox"], *blackbox, SSL_CERT_FILE=str(watch.portal.authority))
    alertmanager = [f"--config.file={MONITORING}/alertmanager.yml", f"--storage.path={folder}/alertmanager"]
    alertmanager += [f"--web.listen-address={at['alertmanager']}", "--cluster.listen-address="]
    running.start(binaries["alertmanager"], *alertmanager)
    scraped = ["node", "nginx", "redis", "alertmanager"]
    if postgres:
        address = [f"--web.listen-address={at['postgres']}"]
        running.start(binaries["postgres"], *address, DATA_SOURCE_NAME=f"{postgres}/postgres?sslmode=disable")
        scraped.append("postgres")
    watch.target("exporters", [{"targets": [at[name]], "labels": {"exporter": name}} for name in scraped])
    watch.target("alertmanagers", [{"targets": [at["alertmanager"]]}])
    asked = {"ready": [f"{tier}/readyz" for tier in watch.tiers().values()], "edge": [f"{watch.portal.url}/healthz"]}
    probes = [
        {"targets": targets, "labels": {"probe": probe, "__tmp_prober": at["blackbox"]}}
        for probe, targets in asked.items()
    ]
    watch.target("probes", probes)
    return running


def _ending(name: str) -> str:
    return "" if name == "alertmanager" else "-exporter"


def _show_status(watch: Watch, port: int) -> None:
    """The portal's own NGINX tells its numbers, as the one of a host does."""
    site = watch.portal.data_dir / "nginx" / "sites" / "status.conf"
    site.write_text(_STATUS.format(port=port))
    pid = int((watch.portal.data_dir / "nginx" / "nginx.pid").read_text())
    os.kill(pid, signal.SIGHUP)


def _redis(watch: Watch) -> tuple[str, str]:
    text = (watch.portal.data_dir / "redis" / "redis.conf").read_text()
    port, password = (re.search(rf"^{word} (\S+)$", text, re.MULTILINE) for word in ("port", "requirepass"))
    assert port and password
    return port[1], password[1]
