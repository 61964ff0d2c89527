"""Terraform's state, bare hosts in the network made of it, and the playbooks on them."""

import pytest

from tests.rehearsal.conftest import Saw
from tests.rehearsal.stage import Rehearsal


def test_terraform_is_applied(rehearsal: Rehearsal, saw: Saw) -> None:
    if isinstance(rehearsal.cloud, str):
        pytest.skip(f"NOT APPLIED: {rehearsal.cloud}. The network was made of the matrix.")
    assert rehearsal.cloud.changes == []
    hosts = rehearsal.cloud.outputs["hosts"]
    assert {tier: hosts[tier]["private_ip"] for tier in rehearsal.hosts} == {
        tier: rehearsal.network.vpc.addresses[tier] for tier in rehearsal.hosts
    }
    saw(f"{rehearsal.cloud.resources} resources; a second plan changes nothing")


def test_every_host_runs_a_system_of_its_own(rehearsal: Rehearsal, saw: Saw) -> None:
    for name, host in rehearsal.hosts.items():
        assert host.run("hostname").strip() == name
        assert host.run("ps -o comm= -p 1").strip() == "systemd"
    saw(f"{len(rehearsal.hosts)} hosts, each with systemd as its first process")


def test_the_playbooks_provision_them(rehearsal: Rehearsal, saw: Saw) -> None:
    outcome = rehearsal.site.play("site.yml")
    assert all(outcome.changed.values())
    saw(f"{sum(outcome.changed.values())} changes")


def test_a_blank_disk_is_formatted_and_mounted(rehearsal: Rehearsal, saw: Saw) -> None:
    monitoring = rehearsal.hosts["monitoring"]
    kind, options = monitoring.run("findmnt --noheadings --output FSTYPE,OPTIONS /var/lib/prometheus").split()
    assert kind == "ext4" and "noatime" in options.split(",")
    assert "LABEL=lightbox-data /var/lib/prometheus" in monitoring.run("cat /etc/fstab")
    assert "wal" in monitoring.run("ls /var/lib/prometheus/metrics2")
    saw("Prometheus keeps its figures on it")


def test_a_second_run_changes_nothing(rehearsal: Rehearsal, saw: Saw) -> None:
    outcome = rehearsal.site.play("site.yml")
    assert outcome.changed == dict.fromkeys(rehearsal.hosts, 0), outcome.changes()
    saw("changed=0 on every host")
