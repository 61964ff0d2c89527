"""A host: real systemd in a namespace of its own, started from the bare Debian below an overlay."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from tests.rehearsal import cache
from tests.rehearsal.capable import CGROUPS, HIERARCHIES
from tests.rehearsal.network import namespace
from tests.rehearsal.shell import run

DISKS = {"app": ("3G", "/var/lib/lightbox-app")}  # a disk of its own that a step can fill, and where it is mounted
# A blank disk for the playbooks, by the names that udev would give it, the second once it has the label.
VOLUMES = {"monitoring": "vol-0rehearsal"}
BLANK = ("/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0rehearsal", "/dev/disk/by-label/lightbox-data")
REBOOTS = 133  # what systemd-nspawn ends with when the host inside wants to start again


class Host:
    """Boots at once; `folder` takes its overlay, and its data disk of `DISKS`. It lives until `stop`."""

    def __init__(self, name: str, folder: Path, public_key: str) -> None:
        self.name = name
        self._folder = folder / name
        self._root = self._folder / "root"
        self._groups = [CGROUPS / hierarchy / f"lbr-{name}" for hierarchy in HIERARCHIES]
        self._mount()
        (self._root / "etc/hostname").write_text(f"{name}\n")
        (self._root / "etc/hosts").write_text(f"127.0.0.1 localhost {name}\n")
        (self._root / "etc/resolv.conf").write_text("nameserver 127.0.0.1\n")  # nobody answers, and says so at once
        # No host here outlives its files: dpkg need not wait for the disk.
        (self._root / "etc/dpkg/dpkg.cfg.d/unsafe-io").write_text("force-unsafe-io\n")
        ssh = self._root / "home/deploy/.ssh"
        ssh.mkdir(mode=0o700)
        (ssh / "authorized_keys").write_text(public_key)
        run("chown", "-R", "--reference", self._root / "home/deploy", ssh)
        self._log = (self._folder / "console.log").open("w")
        self._launcher = self._start()

    def run(self, command: str, check: bool = True, timeout_s: float = 120) -> str:
        """Runs a shell command on the host as root; returns what it wrote."""
        return run("nsenter", "-t", str(self._leader()), "-a", "bash", "-c", command, check=check, timeout_s=timeout_s)

    def wait_until_up(self, within_s: float = 60) -> None:
        """Returns once systemd has started everything. Raises AssertionError with what failed."""
        deadline = time.monotonic() + within_s
        state = ""
        while time.monotonic() < deadline:
            if self._leader():
                state = self.run("systemctl is-system-running", check=False).strip()
                if state in ("running", "degraded"):
                    return
            time.sleep(0.2)
        raise AssertionError(f"{self.name} did not start within {within_s} s: {state or 'no systemd'}")

    def memory(self) -> int:
        """Bytes that everything on the host takes now, files in memory among it."""
        return int((CGROUPS / "memory" / f"lbr-{self.name}" / "memory.usage_in_bytes").read_text())

    def files_in_memory(self) -> int:
        """Bytes of them that the kernel keeps of files, and gives away before it ends anything."""
        told = (CGROUPS / "memory" / f"lbr-{self.name}" / "memory.stat").read_text().split()
        return int(told[told.index("total_cache") + 1])

    def limit_memory(self, size_bytes: int) -> None:
        """Everything on the host together may take this much; -1 for no limit."""
        memory = CGROUPS / "memory" / f"lbr-{self.name}"
        (memory / "memory.limit_in_bytes").write_text(str(size_bytes))

    def reboot(self) -> None:
        """As `reboot` typed on the host; returns when it is up again."""
        before = self._leader()
        self.run("systemctl --no-block reboot")
        deadline = time.monotonic() + 60
        while self._leader() in (0, before):
            if self._launcher.poll() == REBOOTS:
                self._launcher = self._start()
            assert time.monotonic() < deadline, f"{self.name} did not reboot"
            time.sleep(0.1)
        self.wait_until_up()

    def stop(self) -> None:
        """Pulls the plug: with the host's first process all of them end. Removes its files."""
        if leader := self._leader():
            os.kill(leader, signal.SIGKILL)
        try:
            self._launcher.wait(5)
        except subprocess.TimeoutExpired:
            self._launcher.kill()
        self._launcher.wait()
        self._log.close()
        for mounted in (self._root, self._folder / "disk"):
            run("umount", "--lazy", mounted, check=False)
        _detach(self._folder)
        shutil.rmtree(self._folder, ignore_errors=True)
        for group in self._groups:
            for inner in sorted((path for path in group.rglob("*") if path.is_dir()), reverse=True):
                _remove(inner)
            _remove(group)

    def _mount(self) -> None:
        for part in ("upper", "work", "root"):
            (self._folder / part).mkdir(parents=True)
        layers = f"lowerdir={cache.base()},upperdir={self._folder}/upper,workdir={self._folder}/work"
        run("mount", "-t", "overlay", "overlay", "-o", layers, self._root)
        if self.name in DISKS:
            image, disk = self._folder / "disk.img", self._folder / "disk"
            disk.mkdir()
            run("truncate", "-s", DISKS[self.name][0], image)
            run("mkfs.ext4", "-q", "-m", "0", "-E", "lazy_itable_init=1,nodiscard", image)
            run("mount", "-o", "loop", image, disk)
        if self.name in VOLUMES:
            run("truncate", "-s", "1G", self._folder / "blank.img")
            self._blank = run("losetup", "--find", "--show", self._folder / "blank.img").strip()

    def _start(self) -> subprocess.Popen[bytes]:
        network = Path("/run/netns") / namespace(self.name)
        assert network.exists(), "a host without its namespace would take this machine's own ports"
        for group in self._groups:
            group.mkdir(exist_ok=True)
        enter = "".join(f"echo $$ > {group}/cgroup.procs; " for group in self._groups)
        seeds = f"--bind-ro={cache.debs()}:/srv/debs --bind-ro={cache.wheels()}:/srv/wheels"
        if self.name in DISKS:
            seeds += f" --bind={self._folder}/disk:{DISKS[self.name][1]}"
        if self.name in VOLUMES:
            seeds += "".join(f" --bind={self._blank}:{name}" for name in BLANK)
        boot = f"systemd-nspawn -q -D {self._root} --boot --register=no --keep-unit --machine=lbr-{self.name}"
        plain = "--resolv-conf=off --timezone=off --console=pipe"
        command = f"{enter} exec {boot} --network-namespace-path={network} {plain} {seeds}"
        return subprocess.Popen(["bash", "-c", command], stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)

    def _leader(self) -> int:
        """The process id of the host's systemd as this machine sees it; 0 when there is none."""
        children = Path(f"/proc/{self._launcher.pid}/task/{self._launcher.pid}/children")
        try:
            return int((children.read_text().split() or ["0"])[0])
        except FileNotFoundError:
            return 0


def clear_away(folder: Path) -> None:
    """Ends and removes what a killed run left in `folder`: its hosts first, then their files."""
    for launcher in run("pgrep", "-f", f"systemd-nspawn .*-D {folder}/", check=False).split():
        for child in Path(f"/proc/{launcher}/task/{launcher}/children").read_text().split():
            os.kill(int(child), signal.SIGKILL)
    for mounted in (*folder.glob("*/root"), *folder.glob("*/disk")):
        run("umount", "--lazy", mounted, check=False)
    for host in folder.glob("*/"):
        _detach(host)
    shutil.rmtree(folder, ignore_errors=True)


def _detach(folder: Path) -> None:
    for line in run("losetup", "-j", folder / "blank.img", check=False).splitlines():
        run("losetup", "--detach", line.partition(":")[0])


def _remove(group: Path) -> None:
    for _ in range(50):
        try:
            group.rmdir()
            return
        except FileNotFoundError:
            return
        except OSError:  # its last process is still going
            time.sleep(0.1)
