"""The hosts and the site, once for all steps; removed at the end, also after a failure."""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.rehearsal import cache, capable, network
from tests.rehearsal.host import Host, clear_away
from tests.rehearsal.playbooks import Site


@dataclass
class Rehearsal:
    """The emulated VPC with its hosts, and the site whose playbooks provision them."""

    hosts: dict[str, Host]
    site: Site


@pytest.fixture(scope="session")
def rehearsal() -> Iterator[Rehearsal]:
    if refusal := capable.refusal():
        pytest.exit(refusal, returncode=2)
    cache.CACHE.mkdir(parents=True, exist_ok=True)
    with (cache.CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # its namespaces have names: one rehearsal at a time
        for left in Path("/var/tmp").glob("lightbox-rehearsal-*"):
            clear_away(left)
        folder = Path(tempfile.mkdtemp(prefix="lightbox-rehearsal-", dir="/var/tmp"))
        hosts: dict[str, Host] = {}
        try:
            network.build()
            site = Site(folder)
            for name in network.HOSTS:
                hosts[name] = Host(name, folder, site.key.with_suffix(".pub").read_text())
            for host in hosts.values():
                host.wait_until_up()
            yield Rehearsal(hosts, site)
        finally:
            for host in hosts.values():
                host.stop()
            network.tear_down()
            shutil.rmtree(folder)
