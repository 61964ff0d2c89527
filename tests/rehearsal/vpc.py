"""Who stands where and who may talk to whom: read from Terraform's applied state, or from the matrix without Terraform.

A security group is two lists here, as in AWS: what its hosts may open, and what they take. A connection needs both.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

MATRIX = Path(__file__).resolve().parents[2] / "terraform" / "network_matrix.json"
HOSTS = ("edge", "ui", "app", "ml", "monitoring")
NETWORK = "10.0.0.0/16"  # the VPC's; the internet is every address but these
# Somebody outside, and the net that one is in. All addresses exist only inside the rehearsal's namespaces.
INTERNET, INTERNET_NETWORK = "203.0.113.10", "203.0.113.0/24"
PREFIX_LIST = "aws_ec2_managed_prefix_list"
SWITCHES_ON = ("ssh_bastion",)  # Ansible works over ssh here; with Session Manager this stays off


@dataclass(frozen=True)
class Opening:
    """One line of a security group: `place` may use TCP `port` with `far`, addresses or ranges."""

    place: str
    port: int
    far: tuple[str, ...]


@dataclass(frozen=True)
class Vpc:
    """`addresses` and `networks` (CIDR) by place; `takes` and `opens` are the security groups' two lists."""

    addresses: dict[str, str]
    networks: dict[str, str]
    takes: tuple[Opening, ...]
    opens: tuple[Opening, ...]


def of_state(state: dict[str, Any]) -> Vpc:
    """The VPC of `terraform show -json`."""
    found = list(_resources(state["values"]["root_module"]))
    subnets = {one["id"]: one["cidr_block"] for kind, one in found if kind == "aws_subnet"}
    cards = {one["tags"]["Tier"]: one for kind, one in found if kind == "aws_network_interface"}
    members: dict[str, list[str]] = {}
    for place, card in cards.items():
        for group in card["security_groups"]:
            members.setdefault(group, []).append(place)
    addresses = {place: card["private_ip"] for place, card in cards.items()}
    lists = {one["id"]: [entry["cidr"] for entry in one["entry"]] for kind, one in found if kind == PREFIX_LIST}

    def lines(of: str) -> tuple[Opening, ...]:
        made = []
        for kind, one in found:
            if kind == f"aws_vpc_security_group_{of}_rule":
                far = [addresses[place] for place in members.get(one["referenced_security_group_id"] or "", [])]
                far += [one["cidr_ipv4"]] if one["cidr_ipv4"] else lists.get(one["prefix_list_id"] or "", [])
                here = members.get(one["security_group_id"], []) if far else []
                made += [Opening(place, one["from_port"], tuple(far)) for place in here]
        return tuple(made)

    return Vpc(
        addresses={"internet": INTERNET} | addresses,
        networks={"internet": INTERNET_NETWORK} | {place: subnets[card["subnet_id"]] for place, card in cards.items()},
        takes=lines("ingress"),
        opens=lines("egress"),
    )


def of_matrix() -> Vpc:
    """The same without Terraform: the addresses of its examples/rehearsal.tfvars, and the matrix as it is written."""
    addresses = {"internet": INTERNET, "edge": "10.0.1.10", "bastion": "10.0.1.20"}
    addresses |= {"ui": "10.0.2.20", "app": "10.0.2.30", "ml": "10.0.2.40", "monitoring": "10.0.2.50"}
    outside = tuple(sorted(map(str, IPv4Network("0.0.0.0/0").address_exclude(IPv4Network(NETWORK)))))
    far = {place: outside if place == "internet" else (address,) for place, address in addresses.items()}
    return Vpc(
        addresses=addresses,
        networks={place: address.rpartition(".")[0] + ".0/24" for place, address in addresses.items()},
        takes=tuple(Opening(rule["to"], rule["port"], far[rule["from"]]) for rule in rules()),
        opens=tuple(Opening(rule["from"], rule["port"], far[rule["to"]]) for rule in rules()),
    )


def rules() -> list[dict[str, Any]]:
    """The matrix's rules between places that are rehearsed; what each cell is judged by."""
    places = {"internet", "bastion", *HOSTS}
    return [
        rule
        for rule in json.loads(MATRIX.read_text())["rules"]
        if rule["from"] in places and rule["to"] in places and rule.get("when") in (None, *SWITCHES_ON)
    ]


def _resources(module: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for resource in module.get("resources", []):
        yield resource["type"], resource["values"]
    for child in module.get("child_modules", []):
        yield from _resources(child)
