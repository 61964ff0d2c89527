"""The production playbooks, unmodified, over ssh from the bastion's namespace."""

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path

from tests.rehearsal.cache import REPOSITORY
from tests.rehearsal.host import VOLUMES
from tests.rehearsal.network import namespace
from tests.rehearsal.shell import run
from tests.rehearsal.vpc import HOSTS, Vpc

ANSIBLE = REPOSITORY / "ansible"
ORIGIN = "https://lightbox.example"
SECRETS = (
    "app_service_token ml_service_token secret_key account_key redis_password redis_exporter_password "
    "grafana_password authority_passphrase store_key"
).split()
RELEASED = ("portal_wire", "ui_service", "app_service", "ml_service", "command_line", "nginx")


class Site:
    """One installation: its inventory, its vault and its releases, in `folder`. Deploying runs ansible-playbook."""

    def __init__(self, folder: Path, vpc: Vpc) -> None:
        self.folder, self.vpc = folder, vpc
        self.key = folder / "ssh_key"
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key)
        self.passwords = {"doctor": secrets.token_urlsafe(12), "admin": secrets.token_urlsafe(12)}
        (folder / "vault-password").write_text(secrets.token_urlsafe(24))
        self.release = self.archive("first")
        self.authority = folder / "authority" / "authority.pem"
        self.watching: tuple[str, ...] = ()  # options that switch the watcher of incoming images on
        self._write_inventory()

    def archive(self, name: str, changes: dict[str, str] | None = None) -> Path:
        """A release of the newest commit, with files replaced by `changes`."""
        tree = self.folder / f"tree-{name}"
        run("mkdir", tree)
        locks = [lock.name for lock in REPOSITORY.glob("requirements-*.lock")]
        fresh = self.folder / "commit.tar"
        run("git", "-C", REPOSITORY, "archive", "-o", fresh, "HEAD", *RELEASED, *locks)
        with tarfile.open(fresh) as commit:
            commit.extractall(tree, filter="data")
        fresh.unlink()
        for file, text in (changes or {}).items():
            (tree / file).write_text(text)
        archive = self.folder / f"lightbox-{name}.tar"
        with tarfile.open(archive, "w") as packed:
            packed.add(tree, arcname=".")
        shutil.rmtree(tree)
        return archive

    def watch(self, folder: str, token: str) -> None:
        """From the next playbook on, images that arrive below `folder` on the app host become studies."""
        told = self.folder / "watching.json"
        told.write_text(json.dumps({"lightbox_incoming": folder, "vault_incoming_token": token}))
        self.watching = ("-e", f"@{told}")

    def play(self, playbook: str, *options: str, fails: bool = False) -> "Outcome":
        """Runs a playbook. Raises AssertionError with its output when it ends otherwise than `fails` says."""
        began = time.monotonic()
        program = shutil.which("ansible-playbook", path=f"{REPOSITORY}/.venv/bin:{os.environ['PATH']}")
        assert program, "ansible-playbook is missing: make .venv/ansible/complete"
        command = ["ip", "netns", "exec", namespace("bastion"), program, "-i", str(self.folder / "inventory.yml")]
        command += ["--vault-password-file", str(self.folder / "vault-password")]
        command += ["-e", f"lightbox_archive={self.release}", *self.watching, *options, str(ANSIBLE / playbook)]
        log = self.folder / f"{Path(playbook).stem}.log"
        with log.open("w") as out:
            done = subprocess.run(command, cwd=ANSIBLE, stdout=out, stderr=out, check=False, timeout=1800)
        output = log.read_text()
        assert (done.returncode != 0) == fails, f"{playbook} ended with {done.returncode}:\n{output[-6000:]}"
        return Outcome(output, time.monotonic() - began)

    def _write_inventory(self) -> None:
        ssh = f"-o UserKnownHostsFile={self.folder}/known_hosts -o StrictHostKeyChecking=accept-new"
        common = {
            "ansible_user": "deploy",  # the bare hosts' account; Debian's image for AWS has admin
            "ansible_ssh_private_key_file": str(self.key),
            "ansible_ssh_common_args": ssh,
            "lightbox_public_origin": ORIGIN,
            "python_service_wheels": "/srv/wheels",
            "lightbox_grafana": False,  # its package is not Debian's; a stand-in listens where it would
            "lightbox_grafana_server": "monitoring-1.lightbox.internal:3000",
        }
        made_of = {tier: {"private_ip": self.vpc.addresses[tier], "data_volume": VOLUMES.get(tier)} for tier in HOSTS}
        told = {"hosts": {"value": made_of}}
        made = run(sys.executable, ANSIBLE / "inventory_from_terraform.py", input=json.dumps(told))
        inventory = json.loads(made)
        inventory["all"]["vars"] |= common
        (self.folder / "inventory.yml").write_text(json.dumps(inventory))
        vault = {f"vault_{name}": secrets.token_urlsafe(32) for name in SECRETS}
        vault |= {f"vault_{name}_password": password for name, password in self.passwords.items()}
        variables = self.folder / "group_vars" / "all"
        variables.mkdir(parents=True)
        (variables / "vault.yml").write_text(json.dumps(vault))
        program = shutil.which("ansible-vault", path=f"{REPOSITORY}/.venv/bin:{os.environ['PATH']}")
        assert program
        run(program, "encrypt", "--vault-password-file", self.folder / "vault-password", variables / "vault.yml")


class Outcome:
    """What a playbook did: `changed` counts changes by host."""

    def __init__(self, output: str, took_s: float) -> None:
        self.output, self.took_s = output, took_s
        self.changed = {
            host: int(changed)
            for host, changed in re.findall(r"^(\w+)-1\s+: ok=\d+\s+changed=(\d+)", output, re.MULTILINE)
        }

    def changes(self) -> str:
        """The tasks that changed something, for a failure's words."""
        return "\n".join(
            match[0] for match in re.findall(r"^(TASK \[(?:(?!^TASK)[\s\S])*?^changed: .*)$", self.output, re.MULTILINE)
        )
