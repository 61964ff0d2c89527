"""What can be said of the playbooks without a host."""

import os
import subprocess

import pytest

from tests.rehearsal.playbooks import ANSIBLE

PLAYBOOKS = sorted(file.name for file in ANSIBLE.glob("*.yml") if file.name != "requirements.yml")


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_ansible_can_read_it(playbook: str) -> None:
    of_a_site = ["-i", "inventory/example.yml", "-e", "lightbox_archive=x"]
    command = ["ansible-playbook", "--syntax-check", *of_a_site, playbook]
    done = subprocess.run(command, cwd=ANSIBLE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_ansible_lint_has_nothing_to_say_at_its_strictest() -> None:
    command = ["ansible-lint", "--offline", "--profile", "production", "--nocolor", "-q", "."]
    plain = os.environ | {"NO_COLOR": "1"}
    done = subprocess.run(command, cwd=ANSIBLE, capture_output=True, text=True, check=False, env=plain)
    assert done.returncode == 0, done.stdout
