"""Bare hosts, and the playbooks on them."""

from tests.rehearsal.stage import Rehearsal


def test_every_host_runs_a_system_of_its_own(rehearsal: Rehearsal) -> None:
    for name, host in rehearsal.hosts.items():
        assert host.run("hostname").strip() == name
        assert host.run("ps -o comm= -p 1").strip() == "systemd"


def test_the_playbooks_provision_them(rehearsal: Rehearsal) -> None:
    outcome = rehearsal.site.play("site.yml")
    assert all(outcome.changed.values())


def test_a_second_run_changes_nothing(rehearsal: Rehearsal) -> None:
    outcome = rehearsal.site.play("site.yml")
    assert outcome.changed == dict.fromkeys(rehearsal.hosts, 0)
