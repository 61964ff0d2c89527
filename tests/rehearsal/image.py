"""A Dockerfile's steps as plain scripts, in a root of their own on the bare Debian that hosts are made of.

No container engine is at hand: Debian with its Python stands for the base image, both stages share one root, and wheels
come from the rehearsal's cache. Every RUN sees no network.
"""

import json
import shlex
import shutil
import subprocess
import time
from pathlib import Path

from tests.rehearsal import cache
from tests.rehearsal.shell import run

_AWAY = "unshare --net bash -c 'ip link set lo up && exec \"$@\"' -"
_FROM_CACHE = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/srv/wheels", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


class Image:
    """What a Dockerfile makes, in an empty folder; `clear_away` removes it, whole or half made."""

    def __init__(self, dockerfile: Path, folder: Path) -> None:
        self.root, self._folder = folder / "root", folder
        self._at, self._user = Path("/"), "0"
        self._environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/tmp"}
        self.health: list[str] = []
        self.command: list[str] = []
        self._data: list[str] = []
        self._log = folder / "log"
        self._mount()
        self.go_on(dockerfile)

    def go_on(self, dockerfile: Path) -> None:
        """Follows a Dockerfile that is built on what is here."""
        for word, rest in _instructions(dockerfile.read_text()):
            self._follow(word, rest)

    def run(self, *command: str, timeout_s: float = 600, **environment: str) -> str:
        """As the image's user, in its folder and environment. Raises AssertionError with what it said."""
        return run(*self._inside(command, environment), timeout_s=timeout_s)

    def start(self, **environment: str) -> "subprocess.Popen[bytes]":
        """Its CMD, on a root that nobody can write to, save /tmp and its VOLUMEs, and without shared memory, of which
        engines give some and AWS Lambda none."""
        shutil.rmtree(self.root / "dev/shm")
        run("mount", "-o", "remount,ro", self.root)
        run("mount", "-t", "tmpfs", "tmpfs", self.root / "tmp")
        for folder in self._data:
            run("mount", "-t", "tmpfs", "-o", f"uid={self._user},mode=755", "tmpfs", self.root / folder.lstrip("/"))
        with self._log.open("w") as log:
            return subprocess.Popen(self._inside(self.command, environment), stdout=log, stderr=subprocess.STDOUT)

    def wait_until_healthy(self, process: "subprocess.Popen[bytes]", within_s: float) -> float:
        """Seconds until its HEALTHCHECK passes, asked from beside the process. Raises AssertionError."""
        began = time.monotonic()
        beside = ("nsenter", "-t", str(process.pid), "--net", "--", *self._chroot(self.health, {}))
        while time.monotonic() - began < within_s:
            assert process.poll() is None, f"it ended with {process.returncode}: {self.said()[-2000:]}"
            if subprocess.run(beside, capture_output=True, check=False).returncode == 0:
                return time.monotonic() - began
            time.sleep(0.5)
        raise AssertionError(f"not healthy within {within_s:.0f} s: {self.said()[-2000:]}")

    def said(self) -> str:
        """What the started process wrote."""
        return self._log.read_text()

    def _mount(self) -> None:
        for part in ("upper", "work", "root"):
            (self._folder / part).mkdir(parents=True)
        layers = f"lowerdir={cache.base()},upperdir={self._folder}/upper,workdir={self._folder}/work"
        run("mount", "-t", "overlay", "overlay", "-o", layers, self.root)
        run("mount", "-t", "proc", "proc", self.root / "proc")
        for name, folder in (("debs", cache.debs()), ("wheels", cache.wheels())):
            (self.root / "srv" / name).mkdir()
            run("mount", "--bind", folder, self.root / "srv" / name)
        (self.root / "etc/hosts").write_text("127.0.0.1 localhost\n")
        self.run("apt-get", "-qq", "update")
        self.run("apt-get", "-qq", "install", "-y", "--no-install-recommends", "python3-venv")
        self.run("ln", "-s", "python3", "/usr/bin/python")

    def _follow(self, word: str, rest: str) -> None:
        if word == "RUN":
            self.run("sh", "-c", rest, **_FROM_CACHE)
        elif word == "COPY" and not rest.startswith("--from="):
            *sources, target = rest.split()
            inside = self.root / (self._at / target).relative_to("/")
            (inside if target.endswith("/") else inside.parent).mkdir(parents=True, exist_ok=True)
            for source in sources:
                run("cp", "-a", "--no-preserve=ownership", cache.REPOSITORY / source, inside)
        elif word == "ENV":
            for pair in shlex.split(rest):
                name, _, value = pair.partition("=")
                self._environment[name] = value.replace("$PATH", self._environment["PATH"])
        elif word == "WORKDIR":
            self._at = Path(rest)
            (self.root / self._at.relative_to("/")).mkdir(parents=True, exist_ok=True)
        elif word == "USER":
            self._user = rest
        else:
            self._note(word, rest)

    def _note(self, word: str, rest: str) -> None:
        """What counts when it is started."""
        if word == "VOLUME":
            self._data += _list(rest)
        elif word == "HEALTHCHECK" and rest != "NONE":
            self.health = _list(rest.partition("CMD ")[2])
        elif word == "CMD":
            self.command = _list(rest)

    def _inside(self, command: "list[str] | tuple[str, ...]", environment: dict[str, str]) -> list[str]:
        return [*shlex.split(_AWAY), *self._chroot(command, environment)]

    def _chroot(self, command: "list[str] | tuple[str, ...]", environment: dict[str, str]) -> list[str]:
        told = [f"{name}={value}" for name, value in (self._environment | environment).items()]
        there = ["sh", "-c", 'cd "$0" && exec "$@"', str(self._at)]
        return ["chroot", f"--userspec={self._user}:{self._user}", str(self.root), "env", "-i", *told, *there, *command]


def clear_away(folder: Path) -> None:
    """Takes away an image's mounts, then its folder. Raises OSError where one stays: the cache is mounted below it."""
    run("umount", "--lazy", folder / "root", check=False)  # and all that is mounted on it, umount(2), MNT_DETACH
    if (folder / "root").is_mount():
        raise OSError(f"{folder}/root is still mounted")
    shutil.rmtree(folder)


def _instructions(text: str) -> list[tuple[str, str]]:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ").splitlines()
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in joined)]


def _list(text: str) -> list[str]:
    found: list[str] = json.loads(text)
    return found
