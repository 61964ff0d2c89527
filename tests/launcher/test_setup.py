"""`make setup`: one line that names what is missing, and nothing to do when it is there."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from launcher.settings import REPOSITORY


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    for name in ("Makefile", "requirements.lock", "requirements-dev.lock", "launcher/setup.sh"):
        target = tmp_path / "clone" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, target)
    return tmp_path / "clone"


def setup(clone: Path, python: str) -> tuple[int, str]:
    """The exit status and what stands on stderr before make's own line."""
    done = subprocess.run(
        ["make", "setup", f"PYTHON={python}"],
        cwd=clone,
        env=os.environ | {"MAKEFLAGS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, "\n".join(line for line in done.stderr.splitlines() if not line.startswith("make"))


def fake_python(clone: Path, script: str) -> str:
    path = clone / "fake-python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_no_python(clone: Path) -> None:
    assert setup(clone, "python-that-is-not-here")[1].startswith("lightbox: python-that-is-not-here is missing")


def test_a_python_of_another_age(clone: Path) -> None:
    python = fake_python(clone, 'case "$*" in *version_info*) exit 1;; --version) echo Python 3.9.2;; esac')
    status, said = setup(clone, python)
    assert status != 0
    assert said.startswith("lightbox: Python 3.9.2 does not fit")
    assert len(said.splitlines()) == 1


def test_debian_without_its_venv_package(clone: Path) -> None:
    python = fake_python(clone, 'case "$*" in *ensurepip*) exit 1;; esac')
    assert setup(clone, python)[1] == "lightbox: Python's venv is missing: apt install python3-venv."


def test_every_locked_package_has_a_hash_and_none_an_index() -> None:
    for lock in ("requirements.lock", "requirements-dev.lock"):
        text = (REPOSITORY / lock).read_text()
        assert "index-url" not in text
        assert "://" not in text
        names = [line for line in text.splitlines() if line and line[0].isalnum()]
        assert all(line.endswith("\\") for line in names)


def test_help_lists_every_verb() -> None:
    listed = subprocess.run(["make", "help"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    for verb in ("setup", "run", "test", "lint", "types", "train", "bench", "lock", "clean"):
        assert f"make {verb} " in listed
