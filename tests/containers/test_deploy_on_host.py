"""The script that Session Manager runs, as a plain process; programs that it calls are stand-ins that take notes."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = (Path(__file__).parents[2] / "containers" / "deploy_on_host.sh").read_text(encoding="utf-8")


class Host:
    """/opt/lightbox in a folder of its own; version 2.0.0 is one that never becomes healthy."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.notes = folder, folder / "notes"
        self.stand_in(
            "docker",
            f'echo "$LIGHTBOX_VERSION $*" >>{self.notes}; case "$LIGHTBOX_VERSION $*" in 2.0.0*up*) exit 1;; esac',
        )
        self.stand_in("aws", "echo token")

    def stand_in(self, name: str, text: str) -> None:
        (self.folder / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        (self.folder / name).chmod(0o755)

    def deploy(self, tier: str, version: str) -> int:
        told = {
            "TIER": tier,
            "LIGHTBOX_VERSION": version,
            "LIGHTBOX_REGISTRY": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/lightbox",
            "PATH": f"{self.folder}:{os.environ['PATH']}",
        }
        script = SCRIPT.replace("/opt/lightbox", str(self.folder))
        return subprocess.run(["sh", "-c", script], env=told, capture_output=True, timeout=30, check=False).returncode

    def started(self) -> list[tuple[str, list[str]]]:
        """(version, services) of each start, in order."""
        lines = [line.split() for line in self.notes.read_text(encoding="utf-8").splitlines() if " up " in line]
        return [(words[0], words[words.index("300") + 1 :]) for words in lines]


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_a_healthy_version_stays(host: Host) -> None:
    assert host.deploy("app", "1.0.0") == 0
    assert host.started() == [("1.0.0", ["intake", "app", "worker"])]
    assert (host.folder / "version").read_text() == "1.0.0\n"


def test_one_that_is_not_gives_way_to_the_former_one(host: Host) -> None:
    assert host.deploy("ui", "1.0.0") == 0
    assert host.deploy("ui", "2.0.0") == 1
    assert [version for version, _ in host.started()] == ["1.0.0", "2.0.0", "1.0.0"]
    assert (host.folder / "version").read_text() == "1.0.0\n"


def test_the_first_one_that_is_not_healthy_is_a_failure(host: Host) -> None:
    assert host.deploy("ml", "2.0.0") == 1
    assert not (host.folder / "version").exists()
