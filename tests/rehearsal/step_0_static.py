"""What can be said without a host: of the playbooks, of Terraform, of Prometheus' and NGINX's files."""

import os
import re
import subprocess
import sys

import pytest

from tests.rehearsal.cache import REPOSITORY
from tests.rehearsal.conftest import Saw
from tests.rehearsal.playbooks import ANSIBLE

PLAYBOOKS = sorted(file.name for file in ANSIBLE.glob("*.yml") if file.name != "requirements.yml")
# Of `make test`, what the rehearsal stands on. They say themselves what they skip, and why.
SUITES = {
    "terraform fmt, validate, test; checkov; matrix": "terraform/test_static.py terraform/test_network_matrix.py",
    "promtool check and test rules, amtool, dashboards": (
        "monitoring/test_rules.py monitoring/test_alertmanager.py monitoring/test_dashboards.py"
    ),
    "variables of playbooks; nginx -t": "ansible nginx/test_configuration.py",
}


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_ansible_can_read_it(playbook: str) -> None:
    of_a_site = ["-i", "inventory/example.yml", "-e", "lightbox_archive=x"]
    command = ["ansible-playbook", "--syntax-check", *of_a_site, playbook]
    done = subprocess.run(command, cwd=ANSIBLE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_ansible_lint_has_nothing_to_say_at_its_strictest(saw: Saw) -> None:
    command = ["ansible-lint", "--offline", "--profile", "production", "--nocolor", "-q", "."]
    plain = os.environ | {"NO_COLOR": "1"}
    done = subprocess.run(command, cwd=ANSIBLE, capture_output=True, text=True, check=False, env=plain)
    assert done.returncode == 0, done.stdout
    saw("ansible-lint, profile production: nothing")


@pytest.mark.parametrize("name", SUITES)
def test_files_are_sound(name: str, saw: Saw) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-rs", *(f"tests/{part}" for part in SUITES[name].split())]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, done.stdout[-5000:]
    skipped = re.findall(r"^SKIPPED .*?: (.*)$", done.stdout, re.MULTILINE)
    saw("; ".join([done.stdout.strip().splitlines()[-1], *skipped]))
