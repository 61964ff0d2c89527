"""The inventory that is made of Terraform's outputs."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
HOSTS = {
    "app": {"id": "i-0a", "private_ip": "10.0.2.30", "data_volume": "vol-1"},
    "bastion": {"id": "i-0b", "private_ip": "10.0.1.20", "data_volume": None},
}


def made(*options: str) -> dict[str, Any]:
    command = [sys.executable, str(ROOT / "ansible" / "inventory_from_terraform.py"), *options]
    told = json.dumps({"hosts": {"value": HOSTS}})
    done = subprocess.run(command, input=told, capture_output=True, text=True, check=True)
    inventory: dict[str, Any] = json.loads(done.stdout)["all"]
    return inventory


def test_tiers_are_groups_with_their_address_and_disk() -> None:
    disk = "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol1"
    assert made()["children"] == {"app": {"hosts": {"app-1": {"ansible_host": "10.0.2.30", "disk_device": disk}}}}
    assert "ansible_ssh_common_args" not in made()["vars"]


def test_session_manager_needs_the_instance_and_the_readme_shows_the_same_line() -> None:
    inventory = made("--session-manager")
    assert inventory["children"]["app"]["hosts"]["app-1"]["instance_id"] == "i-0a"
    line = inventory["vars"]["ansible_ssh_common_args"]
    assert re.search(r"--target \{\{ instance_id \}\} ", line)
    assert line in (ROOT / "ansible" / "README.md").read_text(encoding="utf-8")
