"""Locked packages: each with its hashes, from no named place, and in a version that pyproject.toml asks for."""

import re
import tomllib
from pathlib import Path

from packaging.markers import Marker, default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from verify.gate import ROOT, refuse

# Each lock and the extras that it is made of (`make lock`).
RUNNING = ["ui", "app", "ml", "tensorflow", "launcher", "servers"]
LOCKS = {
    "requirements.lock": RUNNING,
    "requirements-dev.lock": [*RUNNING, "train", "test"],
    "requirements-ui.lock": ["ui"],
    "requirements-app.lock": ["app"],
    "requirements-ml.lock": ["ml"],
    "requirements-ansible.lock": ["ansible"],
    "requirements-verify.lock": ["verify"],
    "requirements-checks.lock": ["checks"],
}
# These hold the same versions as requirements.lock. The others are for environments of their own.
ONE_SET = ["requirements-dev.lock", "requirements-ui.lock", "requirements-app.lock", "requirements-ml.lock"]
_PIN = re.compile(r"^(?P<name>[A-Za-z0-9][\w.-]*)==(?P<version>[\w.+!-]+)(?: ; (?P<marker>[^\\]+))? \\$")
_HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}(?P<more> \\)?$")
# What the locks are made for: Linux on the usual machine, CPython 3.11.
_HERE: dict[str, str] = {key: str(value) for key, value in default_environment().items()} | {
    "python_version": "3.11",
    "python_full_version": "3.11.0",
    "sys_platform": "linux",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
}


def pins(path: Path) -> dict[str, set[str]]:
    """Package to its versions: several where Pythons differ.

    Raises Refused for a line that is neither a pin nor a hash, and for a pin without hashes.
    """
    found: dict[str, set[str]] = {}
    faults, open_pin = [], False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        where = f"{path.name}:{number}"
        if pin := _PIN.match(line):
            if open_pin:
                faults.append(f"{where}: no hash before this line.")
            found.setdefault(str(canonicalize_name(pin["name"])), set()).add(pin["version"])
            open_pin = True
        elif hashed := _HASH.match(line):
            open_pin = bool(hashed["more"])
        elif line and not line.startswith("#"):
            faults.append(f"{where}: neither `name==version` nor a SHA-256: {line[:60]}")
    if open_pin:
        faults.append(f"{path.name}: its last line lacks a hash.")
    refuse(faults)
    return found


def here(path: Path) -> set[str]:
    """The packages that this Python on this machine installs of a lock."""
    lines = path.read_text(encoding="utf-8").splitlines()
    found = [pin for pin in map(_PIN.match, lines) if pin and (not pin["marker"] or Marker(pin["marker"]).evaluate())]
    return {str(canonicalize_name(pin["name"])) for pin in found}


def wanted(project: dict[str, object], extras: list[str]) -> list[Requirement]:
    """What pyproject.toml asks for, for the base and some extras, on the machine of `_HERE`."""
    table = project["project"]
    assert isinstance(table, dict)
    groups = [table["dependencies"], *(table["optional-dependencies"][extra] for extra in extras)]
    asked = [Requirement(text) for group in groups for text in group]
    return [one for one in asked if one.marker is None or one.marker.evaluate(_HERE)]


def disagreements(name: str, found: dict[str, set[str]], asked: list[Requirement]) -> list[str]:
    faults = []
    for requirement in asked:
        versions = found.get(canonicalize_name(requirement.name), set())
        if not versions:
            faults.append(f"{name} lacks {requirement.name}, which pyproject.toml asks for: make lock.")
        for version in versions:
            if not requirement.specifier.contains(version, prereleases=True):
                faults.append(f"{name} has {requirement.name} {version}, pyproject.toml wants {requirement.specifier}.")
    return faults


def check() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    missing = [f"{name} is missing: make lock." for name in LOCKS if not (ROOT / name).exists()]
    unknown = [f"{path.name} is no lock that is known here." for path in ROOT.glob("*.lock") if path.name not in LOCKS]
    refuse(missing + unknown)
    locked = {name: pins(ROOT / name) for name in LOCKS}
    faults = []
    for name, extras in LOCKS.items():
        faults += disagreements(name, locked[name], wanted(project, extras))
    whole = locked["requirements.lock"]
    for name in ONE_SET:
        others = {package for package, versions in locked[name].items() if versions != whole.get(package, versions)}
        faults += [f"{name} has other versions of {package} than requirements.lock." for package in sorted(others)]
    refuse(faults)
    return f"{len(locked)} locks, {sum(map(len, locked.values()))} pins, each with SHA-256"
