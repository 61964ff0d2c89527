"""The network matrix as data: what it may never open, whoever edits it."""

import json
from collections import Counter

from tests.terraform.conftest import ROOT

MATRIX = json.loads((ROOT / "terraform" / "network_matrix.json").read_text(encoding="utf-8"))
RULES, PLACES = MATRIX["rules"], MATRIX["places"]
SWITCHES = {None, "ssh_bastion", "alert_receivers", "directory", "provisioning", "releases"}


def test_every_rule_has_the_same_form() -> None:
    for rule in RULES:
        assert set(rule) - {"when"} == {"from", "to", "port", "protocol", "why"}, rule
        assert rule["from"] in PLACES and rule["to"] in PLACES and rule["from"] != rule["to"], rule
        assert rule["protocol"] == "tcp" and 0 < rule["port"] < 65536 and rule["why"], rule
        assert rule.get("when") in SWITCHES, rule


def test_no_rule_stands_twice() -> None:
    assert Counter((r["from"], r["to"], r["port"]) for r in RULES).most_common(1)[0][1] == 1


def test_the_internet_reaches_the_edge_alone() -> None:
    assert {(r["to"], r["port"]) for r in RULES if r["from"] == "internet"} == {("edge", 443), ("edge", 80)}


def test_ssh_is_open_only_with_a_bastion() -> None:
    assert {r.get("when") for r in RULES if r["port"] == 22} == {"ssh_bastion"}
    assert {r["from"] for r in RULES if r["port"] == 22} == {"operators", "bastion"}


def test_nothing_leaves_for_the_internet_but_packages_while_hosts_are_provisioned() -> None:
    assert {r.get("when") for r in RULES if r["to"] == "internet"} == {"provisioning"}


def test_ml_opens_connections_to_aws_alone() -> None:
    assert {r["to"] for r in RULES if r["from"] == "ml" and "when" not in r} == {"aws", "s3"}


def test_what_is_true_is_reached_by_app_alone() -> None:
    assert {r["from"] for r in RULES if r["to"] in ("database", "cache")} == {"app"}


def test_every_host_is_watched_and_only_the_edge_is_public() -> None:
    hosts = {name for name, place in PLACES.items() if place["kind"] == "host"}
    watched = {r["to"] for r in RULES if r["from"] == "monitoring" and r["port"] == 9100}
    assert watched == hosts - {"monitoring", "bastion"}
    assert {name for name in hosts if PLACES[name]["subnet"] == "public"} == {"edge", "bastion"}
