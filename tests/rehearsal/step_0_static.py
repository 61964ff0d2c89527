"""What can be said without a host: of the playbooks, of Terraform, of Prometheus' and NGINX's files."""

import os
import re
import subprocess
import sys
from pathlib import Path

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


def test_it_refuses_in_one_sentence_who_is_not_root(saw: Saw) -> None:
    code = "import os; from tests.rehearsal import capable; os.seteuid(os.geteuid() or 65534); print(capable.refusal())"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.stdout.strip().endswith("it needs root."), done.stderr
    saw(done.stdout.strip())


@pytest.mark.skipif(os.geteuid() != 0, reason="who is not root hears of that first")
def test_it_names_the_programs_that_are_missing(saw: Saw, tmp_path: Path) -> None:
    code = "from tests.rehearsal import capable; print(capable.refusal())"
    told = os.environ | {"PATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, env=told)
    assert done.stdout.startswith("The rehearsal needs more programs: apt install ") and "git" in done.stdout
    saw("without programs: " + done.stdout.strip())


@pytest.mark.parametrize("name", SUITES)
def test_files_are_sound(name: str, saw: Saw) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-rs", *(f"tests/{part}" for part in SUITES[name].split())]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, done.stdout[-5000:]
    skipped = re.findall(r"^SKIPPED .*?: (.*)$", done.stdout, re.MULTILINE)
    saw("; ".join([done.stdout.strip().splitlines()[-1], *skipped]))
