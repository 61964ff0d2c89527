"""The VPC as network namespaces: one router that filters, one cable from it to each host, no bridge.

The router answers for every address (proxy ARP), so that packets between hosts of one subnet cross its filter too,
as they meet security groups in AWS. What it lets through are the VPC's security groups, and nothing else.
"""

from ipaddress import ip_network

from tests.rehearsal.shell import run
from tests.rehearsal.vpc import Opening, Vpc

ROUTER = "lbr-router"
OUTSIDE = "internet"  # no security group holds it


def namespace(place: str) -> str:
    return f"lbr-{place}"


class Network:
    """The namespaces of one VPC. `build` removes what an earlier run may have left."""

    def __init__(self, vpc: Vpc) -> None:
        self.vpc = vpc

    def build(self) -> None:
        """Makes the router, a namespace for each place, and the filter."""
        self.tear_down()
        _namespace(ROUTER)
        for key in ("ip_forward", "conf.all.rp_filter", "conf.default.rp_filter"):
            _inside(ROUTER, "sysctl", "-qw", f"net.ipv4.{key}={int(key == 'ip_forward')}")
        for place in self.vpc.addresses:
            _namespace(namespace(place))
            self._cable(place)
        _inside(ROUTER, "nft", "-f", "-", input=_filter(self.vpc))

    def tear_down(self) -> None:
        """Removes the namespaces; cables and filter go with them."""
        existing = {line.split()[0] for line in run("ip", "netns", "list").splitlines() if line}
        for name in (ROUTER, *map(namespace, self.vpc.addresses)):
            if name in existing:
                run("ip", "netns", "delete", name)

    def cut(self, place: str) -> None:
        """Pulls the place's cable."""
        _inside(ROUTER, "ip", "link", "set", f"to-{place}", "down")

    def mend(self, place: str) -> None:
        """Plugs it in again; the routes that went with it come back."""
        _inside(ROUTER, "ip", "link", "set", f"to-{place}", "up")
        self._route(place)

    def _cable(self, place: str) -> None:
        """host0 in the place's namespace, to-<place> in the router's, which is the subnet's first address."""
        inner, outer, subnet = namespace(place), f"to-{place}", ip_network(self.vpc.networks[place])
        gateway = str(subnet[1])
        run("ip", "-n", ROUTER, "link", "add", outer, "type", "veth", "peer", "name", "host0", "netns", inner)
        run("ip", "-n", inner, "address", "add", f"{self.vpc.addresses[place]}/{subnet.prefixlen}", "dev", "host0")
        run("ip", "-n", inner, "link", "set", "host0", "up")
        run("ip", "-n", inner, "route", "add", "default", "via", gateway)
        run("ip", "-n", ROUTER, "address", "add", f"{gateway}/32", "dev", outer)
        run("ip", "-n", ROUTER, "link", "set", outer, "up")
        _inside(ROUTER, "sysctl", "-qw", f"net.ipv4.conf.{outer}.proxy_arp=1")
        self._route(place)

    def _route(self, place: str) -> None:
        run("ip", "-n", ROUTER, "route", "replace", f"{self.vpc.addresses[place]}/32", "dev", f"to-{place}")


def _namespace(name: str) -> None:
    run("ip", "netns", "add", name)
    run("ip", "-n", name, "link", "set", "lo", "up")


def _inside(name: str, *command: str, input: str | None = None) -> str:
    return run("ip", "netns", "exec", name, *command, input=input)


def _filter(vpc: Vpc) -> str:
    """Two chains a host, as its security group has: what it may open, then what the other end takes.

    The router itself takes nothing but ARP and ping.
    """
    held = [place for place in vpc.addresses if place != OUTSIDE]
    chains = [_chain(f"opens_{place}", "daddr", "return", vpc.opens, place) for place in held]
    chains += [_chain(f"takes_{place}", "saddr", "accept", vpc.takes, place) for place in held]
    leaving = ", ".join(f'"to-{place}" : jump opens_{place}' for place in held)
    arriving = ", ".join(f'"to-{place}" : jump takes_{place}' for place in held)
    return f"""
table inet vpc {{
{"".join(chains)}
chain forward {{
  type filter hook forward priority 0; policy drop;
  ct state established,related accept
  iifname vmap {{ {leaving} }}
  oifname vmap {{ {arriving}, "to-{OUTSIDE}" : accept }}
}}
chain input {{
  type filter hook input priority 0; policy drop;
  icmp type echo-request accept
}}
}}
"""


def _chain(name: str, end: str, verdict: str, openings: tuple[Opening, ...], place: str) -> str:
    lines = [
        f"  ip {end} {{ {', '.join(one.far)} }} tcp dport {one.port} {verdict}\n"
        for one in openings
        if one.place == place
    ]
    return f"chain {name} {{\n{''.join(lines)}  drop\n}}\n"
