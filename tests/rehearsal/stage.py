"""The cloud, the network made of it, the hosts and the site: up while a block runs, removed at its end."""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.rehearsal import cache, vpc
from tests.rehearsal.cloud import Cloud
from tests.rehearsal.host import Host, clear_away
from tests.rehearsal.network import Network
from tests.rehearsal.playbooks import Site


@dataclass
class Rehearsal:
    """What Terraform applied (or why it did not), the VPC made of it, its hosts, and the site that is put on them."""

    cloud: Cloud | str
    network: Network
    hosts: dict[str, Host]
    site: Site


@contextmanager
def stage(applying: "Future[Cloud | str]") -> Iterator[Rehearsal]:
    """Boots everything once Terraform has applied; clears away what a killed rehearsal left first."""
    cache.CACHE.mkdir(parents=True, exist_ok=True)
    with (cache.CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # its namespaces have names: one rehearsal at a time
        for left in Path("/var/tmp").glob("lightbox-rehearsal-*"):
            clear_away(left)
        folder = Path(tempfile.mkdtemp(prefix="lightbox-rehearsal-", dir="/var/tmp"))
        hosts: dict[str, Host] = {}
        network = None
        try:
            cache.debs()
            cache.wheels()
            applied = applying.result()
            network = Network(vpc.of_matrix() if isinstance(applied, str) else applied.vpc)
            network.build()
            site = Site(folder, network.vpc)
            for name in vpc.HOSTS:
                hosts[name] = Host(name, folder, site.key.with_suffix(".pub").read_text())
            for host in hosts.values():
                host.wait_until_up()
            yield Rehearsal(applied, network, hosts, site)
        finally:
            for host in hosts.values():
                host.stop()
            if network:
                network.tear_down()
            shutil.rmtree(folder)
