"""An inventory of what Terraform made: terraform output -json | python3 inventory_from_terraform.py >inventory/mine.yml

Every tier that is one host becomes a group with that host, by its private address: run Ansible where that is reached
(the bastion, or a machine in the hospital's network), or with --session-manager anywhere: ssh then goes through Session
Manager, and needs no open port. Hosts of an auto-scaling group are not in it: they run images.
"""

import json
import sys
from typing import Any

TIERS = ("edge", "ui", "app", "ml", "monitoring")
# https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-getting-started-enable-ssh-connections.html
SESSION = (
    '-o ProxyCommand="aws ssm start-session --target {{ instance_id }} --document-name AWS-StartSSHSession '
    '--parameters portNumber=%p"'
)
DISK = "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_"


def inventory(outputs: dict[str, Any], session_manager: bool = False) -> dict[str, Any]:
    """`outputs` as `terraform output -json` prints them. Raises KeyError without the output `hosts`."""
    hosts = outputs["hosts"]["value"]
    children = {tier: {"hosts": {f"{tier}-1": _host(hosts[tier])}} for tier in TIERS if tier in hosts}
    common = {"ansible_user": "admin", "lightbox_domain": "lightbox.internal"}
    if session_manager:
        common["ansible_ssh_common_args"] = SESSION
        for tier, group in children.items():
            group["hosts"][f"{tier}-1"]["instance_id"] = hosts[tier]["id"]
    return {"all": {"vars": common, "children": children}}


def _host(made: dict[str, Any]) -> dict[str, str]:
    """Its address, and its data disk by the name that stays with the volume whatever the kernel calls it."""
    volume = made.get("data_volume")
    disk = {"disk_device": DISK + volume.replace("-", "")} if volume else {}
    return {"ansible_host": made["private_ip"], **disk}


if __name__ == "__main__":
    made = inventory(json.load(sys.stdin), session_manager="--session-manager" in sys.argv)
    sys.stdout.write(json.dumps(made, indent=2) + "\n")  # YAML takes JSON
