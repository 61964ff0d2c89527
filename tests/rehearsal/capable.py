"""Can this machine rehearse? If not, one sentence says what is missing.

`python -m tests.rehearsal.capable` asks whether it can at once, with nothing to fetch.
"""

import os
import shutil
import sys
from pathlib import Path

from tests.rehearsal import cache

PROGRAMS = {
    "ip": "iproute2",
    "nft": "nftables",
    "debootstrap": "debootstrap",
    "systemd-nspawn": "systemd-container",
    "apt-ftparchive": "apt-utils",
    "ssh": "openssh-client",
    "mkfs.ext4": "e2fsprogs",
    "git": "git",
    "promtool": "prometheus",
    "chromium": "chromium",
}
HIERARCHIES = ("systemd", "unified", "memory")  # where each host gets a control group of its own
CGROUPS = Path("/sys/fs/cgroup")


def refusal() -> str | None:
    """Why the rehearsal cannot run here, as one sentence; None when it can."""
    if os.geteuid() != 0:
        return "The rehearsal makes network namespaces and boots hosts in them: it needs root."
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    if missing := [package for program, package in PROGRAMS.items() if not shutil.which(program)]:
        return f"The rehearsal needs more programs: apt install {' '.join(missing)}."
    if not shutil.which("ansible-playbook"):
        return "The rehearsal needs Ansible: start it by `make rehearse`, which brings it."
    if "overlay" not in Path("/proc/filesystems").read_text():
        return "The rehearsal needs a kernel with overlayfs (modprobe overlay)."
    if absent := [name for name in HIERARCHIES if not (CGROUPS / name).is_dir()]:
        return f"The rehearsal needs the control group hierarchies {', '.join(absent)} below {CGROUPS}."
    if not os.access(CGROUPS / "memory", os.W_OK):
        return f"The rehearsal needs to write below {CGROUPS}: a container without that right cannot boot hosts."
    return None


if __name__ == "__main__":
    cold = None if cache.warm() else "What hosts are made of is not here yet: `make rehearse` fetches it once."
    if why := refusal() or cold:
        sys.exit(why)
