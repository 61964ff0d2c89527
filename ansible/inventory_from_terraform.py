"""An inventory of what Terraform made: terraform output -json | python3 inventory_from_terraform.py >inventory/mine.yml

Every tier that is one host becomes a group with that host, by its private address: run Ansible where that is reached
(the bastion, or a machine in the hospital's network). Hosts of an auto-scaling group are not in it: they run images.
"""

import json
import sys
from typing import Any

TIERS = ("edge", "ui", "app", "ml", "monitoring")
DISK = "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_"


def inventory(outputs: dict[str, Any]) -> dict[str, Any]:
    """`outputs` as `terraform output -json` prints them. Raises KeyError without the output `hosts`."""
    hosts = outputs["hosts"]["value"]
    children = {tier: {"hosts": {f"{tier}-1": _host(hosts[tier])}} for tier in TIERS if tier in hosts}
    return {"all": {"vars": {"ansible_user": "admin", "lightbox_domain": "lightbox.internal"}, "children": children}}


def _host(made: dict[str, Any]) -> dict[str, str]:
    """Its address, and its data disk by the name that stays with the volume whatever the kernel calls it."""
    volume = made.get("data_volume")
    disk = {"disk_device": DISK + volume.replace("-", "")} if volume else {}
    return {"ansible_host": made["private_ip"], **disk}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(inventory(json.load(sys.stdin)), indent=2) + "\n")  # YAML takes JSON
