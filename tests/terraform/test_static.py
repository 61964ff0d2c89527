"""What can be said of the configuration without any AWS."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.terraform.conftest import ROOT, Workplace

FOLDER = ROOT / "terraform"


def test_it_is_formatted(workplace: Workplace) -> None:
    done = workplace.run("fmt", "-check", "-recursive")
    assert done.returncode == 0, done.stdout


def test_it_is_valid(workplace: Workplace) -> None:
    done = workplace.run("validate", "-no-color")
    assert done.returncode == 0, done.stderr


def test_its_own_tests_pass(workplace: Workplace) -> None:
    """terraform/tests/*.tftest.hcl, against a mocked AWS."""
    done = workplace.run("test", "-no-color", timeout_s=250)
    assert done.returncode == 0, done.stdout + done.stderr


def test_checkov_finds_nothing() -> None:
    program = shutil.which("checkov")
    if program is None:
        pytest.skip("checkov is not installed (make .venv/checks/complete): its rules for AWS are not checked")
    command = [program, "-d", str(FOLDER), "--framework", "terraform", "--skip-download", "--output", "json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    found = json.loads(done.stdout)["results"]
    assert [(check["check_id"], check["resource"]) for check in found["failed_checks"]] == []
    assert found["parsing_errors"] == []


@pytest.mark.parametrize("file", sorted(FOLDER.rglob("*.tf")), ids=lambda file: str(file.relative_to(FOLDER)))
def test_every_variable_has_a_type_and_a_description(file: Path) -> None:
    for block in file.read_text(encoding="utf-8").split("\nvariable ")[1:]:
        body = block.split("\n}")[0]
        assert "\n  type " in body or "\n  type=" in body, block.split()[0]
        assert "\n  description " in body, block.split()[0]


def test_every_skip_of_checkov_has_a_reason() -> None:
    for file in FOLDER.rglob("*.tf"):
        for line in file.read_text(encoding="utf-8").splitlines():
            if "checkov:skip=" in line:
                reason = line.split("checkov:skip=")[1].split(":", 1)[1:]
                assert reason and len(reason[0].split()) >= 5, (file, line)
