"""The portals that faults happen to: real ones, started as `make run` starts them.

`own` brings its own SQLite, Redis and folder. `servers` has PostgreSQL, Redis and S3 behind relays. `two hosts` is two
such portals with folders of their own, between which there is nothing but those servers; doctors use the first. In
`old and new` the second one is of older code, and was there first.
"""

import re
import shutil
import subprocess
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
from sqlalchemy import Engine

from app_service.storage.database import open_engine
from launcher.keeper import STEADY_S
from launcher.settings import REPOSITORY
from ml_service.settings import SHIPPED
from tests.chaos import servers
from tests.chaos.fault import MOUNTS, OLD_AND_NEW, OWN, PROMETHEUS, TWO_HOSTS
from tests.chaos.older import older_code
from tests.chaos.servers import Servers
from tests.end_to_end.portal import Portal, launch, wait_for

_INSIDE = REPOSITORY / "tests" / "chaos" / "inside"  # patches the worker from outside: see sitecustomize.py there


@dataclass
class Site:
    """`traps` is the folder of files that make the worker die at a certain place."""

    portal: Portal
    folder: Path
    settings: dict[str, str]
    servers: Servers | None = None
    second: Portal | None = None
    second_is_gone: bool = False

    @property
    def traps(self) -> Path:
        return self.folder / "traps"

    @property
    def shared(self) -> Servers:
        assert self.servers, "this site has no servers of its own"
        return self.servers

    def engine(self) -> Engine:
        """The portal's database, past all relays."""
        if self.servers:
            return open_engine(f"postgresql://app@127.0.0.1:{self.servers.postgres.port}/lightbox")
        return open_engine(f"sqlite:///{self.portal.data_dir}/lightbox.db")

    @property
    def volume(self) -> Path:
        """The small volume that the store of an `own` site lies on, where mounts are this run's own."""
        return self.folder / "volume"

    @property
    def models(self) -> Path:
        """The model folder of an `own` site: a copy, which may be damaged."""
        return self.folder / "models"

    @property
    def redis_volume(self) -> Path:
        """Another small volume, for the files of that site's Redis."""
        return self.folder / "first" / "redis"

    def port_of(self, what: str) -> int:
        """Where the portal reaches the servers and the ML tier."""
        if what == "ml":
            told = (self.portal.data_dir / "run" / "app.env").read_text()
            return int(re.findall(r"LIGHTBOX_ML_URL=http://127.0.0.1:(\d+)", told)[0])
        return {"redis": self.shared.to_redis, "postgres": self.shared.to_postgres}[what].port

    def keeper_of(self, tier: str) -> psutil.Process:
        """The process that starts the tier again when it ends."""
        (one,) = self.portal.tier(tier)[:1]
        while "launcher.keeper" not in " ".join(one.cmdline()):
            one = one.parent()
        return one

    def start_again(self) -> None:
        """The portal, on the same data, after its end; does not wait until it is ready."""
        url = self.portal.url
        started = launch(self.portal.data_dir, **self.settings, LIGHTBOX_HTTPS_PORT=url.rsplit(":", 1)[-1])
        self.portal = replace(started, url=url)

    def heal(self) -> None:
        """What a run has left broken. Then nobody's last death counts any more: who dies again and again within
        STEADY_S of its start waits longer each time (launcher/keeper.py), and each run is to be of one death."""
        if self.second_is_gone and self.second:
            self.second = _ready(launch(self.second.data_dir, **self.settings))
            self.second_is_gone = False
        newest = max(map(_kept_since, self.portal.processes()))
        time.sleep(max(0.0, newest + STEADY_S - time.time()))

    def end(self) -> None:
        for portal in (self.portal, self.second):
            if portal:
                portal.stop()
        if self.servers:
            self.servers.end()
        for volume in (self.volume, self.redis_volume):
            if volume.is_mount():
                subprocess.run(["umount", "-l", str(volume)], check=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def build(place: str, folder: Path, can: Collection[str] = ()) -> Site:
    """A running site of this kind in `folder`, which is made. `can` is what this run has of what faults may need."""
    (folder / "traps").mkdir(parents=True)
    shared = None if place == OWN else servers.start(folder)
    settings = {
        "LIGHTBOX_DEFAULT_MODELS": "pneumonia",
        "LIGHTBOX_ML_TIMEOUT_S": "15",
        "LIGHTBOX_CHAOS_TRAPS": str(folder / "traps"),
        "PYTHONPATH": f"{_INSIDE}:{REPOSITORY}",
    } | (shared.settings if shared else {})
    if place == OWN:
        shutil.copytree(SHIPPED, folder / "models")
        settings |= {"LIGHTBOX_MODEL_DIR": str(folder / "models"), "LIGHTBOX_PROMETHEUS": str(int(PROMETHEUS in can))}
    if place == OWN and MOUNTS in can:
        for volume in (folder / "volume", folder / "first" / "redis"):
            volume.mkdir(parents=True)
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=700", "tmpfs", str(volume)], check=True)
        settings["LIGHTBOX_STORE_URL"] = f"file://{folder}/volume/objects"
    older = None
    if place == OLD_AND_NEW:
        code = older_code(folder / "code")
        older = _ready(launch(folder / "second", code, **(settings | {"PYTHONPATH": str(code)})))
    portal = _ready(launch(folder / "first", **settings))
    second = _ready(launch(folder / "second", **settings)) if place == TWO_HOSTS else older
    return Site(portal, folder, settings, shared, second)


def _kept_since(process: psutil.Process) -> float:
    """When a keeper started it; 0 for a process that is none of theirs, or gone."""
    with suppress(psutil.Error):
        above = process.parent()
        if above and "launcher.keeper" in above.cmdline():
            return float(process.create_time())
    return 0.0


def _ready(portal: Portal) -> Portal:
    try:
        wait_for(portal, "Ready after")
    except BaseException:
        portal.process.terminate()
        raise
    return portal
