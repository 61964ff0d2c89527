"""The VPC as network namespaces: one router that filters, one cable from it to each host, no bridge.

The router answers for every address (proxy ARP), so that packets between hosts of one subnet cross its filter too,
as they meet security groups in AWS. What it lets through is `terraform/network_matrix.json`, and nothing else.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from tests.rehearsal.shell import run

MATRIX = Path(__file__).resolve().parents[2] / "terraform" / "network_matrix.json"
ROUTER = "lbr-router"
# The addresses of the VPC; `internet` stands for everything outside. They exist only inside these namespaces.
ADDRESSES = {
    "internet": "203.0.113.10",
    "bastion": "10.0.1.20",
    "edge": "10.0.1.10",
    "ui": "10.0.2.10",
    "app": "10.0.2.20",
    "ml": "10.0.2.30",
    "monitoring": "10.0.2.40",
}
HOSTS = ("edge", "ui", "app", "ml", "monitoring")
SWITCHES_ON = ("ssh_bastion",)  # Ansible works over ssh here; with Session Manager this stays off


@dataclass(frozen=True)
class Rule:
    """One line of the matrix: `source` may open connections to `target`'s TCP port."""

    source: str
    target: str
    port: int


def rules() -> list[Rule]:
    """The matrix's rules between places that are rehearsed."""
    return [
        Rule(rule["from"], rule["to"], rule["port"])
        for rule in json.loads(MATRIX.read_text())["rules"]
        if rule["from"] in ADDRESSES and rule["to"] in ADDRESSES and rule.get("when") in (None, *SWITCHES_ON)
    ]


def namespace(place: str) -> str:
    return f"lbr-{place}"


def build() -> None:
    """Makes the router, a namespace for each place, and the filter. Removes what an earlier run may have left."""
    tear_down()
    _namespace(ROUTER)
    for key in ("ip_forward", "conf.all.rp_filter", "conf.default.rp_filter"):
        _inside(ROUTER, "sysctl", "-qw", f"net.ipv4.{key}={int(key == 'ip_forward')}")
    for place, address in ADDRESSES.items():
        _namespace(namespace(place))
        _cable(place, address)
    _inside(ROUTER, "nft", "-f", "-", input=_filter())


def tear_down() -> None:
    """Removes the namespaces; cables and filter go with them."""
    existing = {line.split()[0] for line in run("ip", "netns", "list").splitlines() if line}
    for name in (ROUTER, *map(namespace, ADDRESSES)):
        if name in existing:
            run("ip", "netns", "delete", name)


def cut(place: str) -> None:
    """Pulls the place's cable."""
    _inside(ROUTER, "ip", "link", "set", f"to-{place}", "down")


def mend(place: str) -> None:
    """Plugs it in again; the routes that went with it come back."""
    _inside(ROUTER, "ip", "link", "set", f"to-{place}", "up")
    _routes(place, ADDRESSES[place])


def _namespace(name: str) -> None:
    run("ip", "netns", "add", name)
    run("ip", "-n", name, "link", "set", "lo", "up")


def _inside(name: str, *command: str, **options: str) -> str:
    return run("ip", "netns", "exec", name, *command, **options)


def _cable(place: str, address: str) -> None:
    """host0 in the place's namespace, to-<place> in the router's, which is the gateway x.x.x.1."""
    inner, outer, gateway = namespace(place), f"to-{place}", _gateway(address)
    run("ip", "-n", ROUTER, "link", "add", outer, "type", "veth", "peer", "name", "host0", "netns", inner)
    run("ip", "-n", inner, "address", "add", f"{address}/24", "dev", "host0")
    run("ip", "-n", inner, "link", "set", "host0", "up")
    run("ip", "-n", inner, "route", "add", "default", "via", gateway)
    run("ip", "-n", ROUTER, "address", "add", f"{gateway}/32", "dev", outer)
    run("ip", "-n", ROUTER, "link", "set", outer, "up")
    _inside(ROUTER, "sysctl", "-qw", f"net.ipv4.conf.{outer}.proxy_arp=1")
    _routes(place, address)


def _routes(place: str, address: str) -> None:
    run("ip", "-n", ROUTER, "route", "replace", f"{address}/32", "dev", f"to-{place}")


def _gateway(address: str) -> str:
    return f"{address.rpartition('.')[0]}.1"


def _filter() -> str:
    """One chain a host, as one security group a host; the router itself takes nothing but ARP and ping."""
    chains = []
    for place in ADDRESSES:
        lines = [f"{_from(rule.source)} tcp dport {rule.port} accept" for rule in rules() if rule.target == place]
        chains.append(f"chain sg_{place} {{\n" + "\n".join(lines) + "\n}\n")
    jumps = ", ".join(f'"to-{place}" : jump sg_{place}' for place in ADDRESSES)
    return f"""
table inet vpc {{
{"".join(chains)}
chain forward {{
  type filter hook forward priority 0; policy drop;
  ct state established,related accept
  oifname vmap {{ {jumps} }}
}}
chain input {{
  type filter hook input priority 0; policy drop;
  icmp type echo-request accept
}}
}}
"""


def _from(place: str) -> str:
    """The world is what lies outside the VPC: inside, a host needs a rule of its own."""
    return "ip saddr != 10.0.0.0/16" if place == "internet" else f"ip saddr {ADDRESSES[place]}"
