"""What hosts are made of, kept between rehearsals: a bare Debian, .deb files and wheels. A warm start needs no network.

Each part is rebuilt when what it is made from changes: the list of packages, or a tier's lock.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from packaging.markers import Marker

from tests.rehearsal.shell import run

REPOSITORY = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("LIGHTBOX_REHEARSAL_CACHE", "/var/cache/lightbox-rehearsal"))
BARE = "systemd,systemd-sysv,dbus,openssh-server,python3,iproute2,ca-certificates,python3-apt,sudo,procps"
# What the playbooks ask apt for. Their dependencies come along; a package that is missing fails the playbook.
PACKAGES = (
    "acl chrony nftables nginx-light postgresql prometheus prometheus-alertmanager "
    "prometheus-blackbox-exporter prometheus-nginx-exporter prometheus-node-exporter prometheus-postgres-exporter "
    "prometheus-redis-exporter python3-cryptography python3-psycopg2 python3-venv redis-server unattended-upgrades"
).split()
SOURCES = Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list")


def warm() -> bool:
    """Whether all of it is here, so that nothing has to be fetched."""
    return _base().exists() and _debs().exists() and all(done.exists() for _, done in _locks())


def base() -> Path:
    """The root folder that every host has below its own overlay (68 s the first time)."""
    folder = _base()
    if not folder.exists():
        fresh = _empty(CACHE / "base.part")
        run("debootstrap", "--variant=minbase", f"--include={BARE}", "bookworm", fresh, mirror(), timeout_s=900)
        (fresh / "etc/apt/sources.list").write_text("deb [trusted=yes] file:/srv/debs ./\n")
        shutil.rmtree(fresh / "var/lib/apt/lists")
        (fresh / "var/lib/apt/lists/partial").mkdir(parents=True)
        os.utime(fresh / "var/lib/apt/lists", (0, 0))  # so old that a playbook fetches them
        run("chroot", fresh, "useradd", "--create-home", "--shell", "/bin/bash", "deploy")
        (fresh / "etc/sudoers.d/deploy").write_text("deploy ALL=(ALL) NOPASSWD: ALL\n")
        for key in (fresh / "etc/ssh").glob("ssh_host_*"):
            key.unlink()
        run("ssh-keygen", "-A", "-f", fresh)
        fresh.rename(folder)
    return folder


def debs() -> Path:
    """A folder of .deb files with an index that apt reads as `deb [trusted=yes] file:/srv/debs ./`."""
    folder = _debs()
    if not folder.exists():
        fresh, root = _empty(CACHE / "debs.part"), CACHE / "debs.root"
        shutil.rmtree(root, ignore_errors=True)
        run("cp", "-a", base(), root)
        sources = f"deb {mirror()} bookworm main\ndeb {mirror()}-security bookworm-security main\n"
        (root / "etc/apt/sources.list").write_text(sources)
        shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
        apt = ("chroot", root, "apt-get", "-qq")
        run(*apt, "update", timeout_s=300)
        run(*apt, "install", "--download-only", "--no-install-recommends", "-y", *PACKAGES, timeout_s=600)
        for deb in (root / "var/cache/apt/archives").glob("*.deb"):
            shutil.move(deb, fresh)
        index = subprocess.run(["apt-ftparchive", "packages", "."], cwd=fresh, capture_output=True, check=True)
        (fresh / "Packages").write_bytes(index.stdout)
        shutil.rmtree(root)
        fresh.rename(folder)
    return folder


def wheels() -> Path:
    """A folder with every wheel of the tiers' and the images' locks."""
    folder = CACHE / "wheels"
    folder.mkdir(parents=True, exist_ok=True)
    for lock, done in _locks():
        if not done.exists():
            wanted = CACHE / "wanted.lock"
            wanted.write_text(_for_debian(lock.read_text()))
            pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes")
            run(*pip, "--python-version", "3.11", "--only-binary", ":all:", "-r", wanted, "-d", folder, timeout_s=900)
            done.touch()
    return folder


def mirror() -> str:
    """The Debian mirror that this machine's own apt uses."""
    for file in SOURCES:
        if file.exists() and (found := re.search(r"https?://\S+/debian(?=/?\s)", file.read_text())):
            return found.group()
    return "http://deb.debian.org/debian"


def _base() -> Path:
    return CACHE / f"base-{_mark(BARE)}"


def _debs() -> Path:
    return CACHE / f"debs-{_mark(BARE, *PACKAGES)}"


def _locks() -> list[tuple[Path, Path]]:
    """The locks of tiers and of images, and for each the file that says that its wheels are here."""
    names = *(f"requirements-{tier}.lock" for tier in ("ui", "app", "ml")), "requirements.lock", "containers/edge.lock"
    locks = [REPOSITORY / name for name in names]
    return [(lock, CACHE / "wheels" / f".{lock.stem}-{_mark('3.11.2', lock.read_text())}") for lock in locks]


def _for_debian(lock: str) -> str:
    """The lock's requirements that count for the hosts' Python, without the conditions: pip would judge them here."""
    hosts = {"python_full_version": "3.11.2", "python_version": "3.11", "sys_platform": "linux"}
    blocks = re.findall(r"^\S+==[^\n]*\n(?:[ ]+--hash[^\n]*\n?)*", lock, re.MULTILINE)
    conditions = [re.match(r"(\S+) ?(?:; ([^\\\n]*))?", block) for block in blocks]
    return "".join(
        found.group(1) + " \\\n" + block.split("\n", 1)[1]
        for block, found in zip(blocks, conditions, strict=True)
        if found and (not found.group(2) or Marker(found.group(2)).evaluate(hosts))
    )


def _mark(*of: str) -> str:
    return hashlib.sha256("\n".join(of).encode()).hexdigest()[:12]


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
