"""What playbooks tell services, NGINX and each other exists at both ends."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ANSIBLE = ROOT / "ansible"
ROLES = sorted((ANSIBLE / "roles").iterdir())
FILES = [file for file in ANSIBLE.rglob("*") if file.is_file() and file.parent.name != "inventory"]


def specified(role: Path) -> dict[str, dict[str, object]]:
    specs = yaml.safe_load((role / "meta" / "argument_specs.yml").read_text())
    return {name: option for entry in specs["argument_specs"].values() for name, option in entry["options"].items()}


def mentioned(pattern: str) -> set[str]:
    return {name for file in FILES for name in re.findall(pattern, file.read_text())}


def test_every_setting_of_a_service_is_one_that_lightbox_reads() -> None:
    documented = set(re.findall(r"^# (LIGHTBOX_[A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert mentioned(r"\b(LIGHTBOX_[A-Z0-9_]+)\b") <= documented


def test_every_secret_is_in_the_example_of_a_vault() -> None:
    example = yaml.safe_load((ANSIBLE / "inventory" / "vault.example.yml").read_text())
    assert mentioned(r"\b(vault_[a-z_]+)\b") == set(example)


def test_every_gap_in_nginxs_files_is_filled() -> None:
    files = [ROOT / "nginx" / "nginx.conf"]  # and the folders that the role takes
    files += [file for folder in ("http", "server", "sites") for file in (ROOT / "nginx" / folder).glob("*.conf")]
    gaps = {name for file in files for name in re.findall(r"%{(\w+)}", file.read_text())}
    tasks = yaml.safe_load((ANSIBLE / "roles" / "nginx" / "tasks" / "main.yml").read_text())
    (values,) = [task["text_files"]["gaps"] for task in tasks if task["name"] == "The configuration"]
    assert set(values) == gaps


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_every_variable_of_a_role_is_typed_and_has_its_default(role: Path) -> None:
    options, defaults = specified(role), role / "defaults" / "main.yml"
    given = yaml.safe_load(defaults.read_text()) if defaults.exists() else {}
    assert {name: option["default"] for name, option in options.items() if "default" in option} == given
    assert all("type" in option and option["description"] for option in options.values())
    files = [
        file for folder in ("tasks", "templates", "handlers") for file in (role / folder).rglob("*") if file.is_file()
    ]
    if role.name == "lightbox":  # what a site may set, which is used outside the role
        files = [file for file in FILES if "lightbox/" not in str(file.relative_to(ANSIBLE))]
    text = "\n".join(file.read_text() for file in files)
    assert [name for name in options if name not in text and name not in _vars_of(role)] == []


def test_a_tiers_packages_have_the_versions_that_are_tested() -> None:
    pin = re.compile(r"^([a-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)
    tested = set(pin.findall((ROOT / "requirements.lock").read_text()))
    for tier in ("ui", "app", "ml"):
        assert set(pin.findall((ROOT / f"requirements-{tier}.lock").read_text())) <= tested


def _vars_of(role: Path) -> str:
    file = role / "vars" / "main.yml"
    return file.read_text() if file.exists() else ""


def test_a_sites_inventory_wins_over_every_default() -> None:
    """Ansible takes what lies beside a playbook over an inventory: only a role's defaults are below both."""
    settable = set(specified(ANSIBLE / "roles" / "lightbox"))
    for file in (ANSIBLE / "group_vars").glob("*.yml"):
        assert not settable & set(yaml.safe_load(file.read_text())), file
