"""What a run folder says of the machine and the code that it comes from."""

import json
import os
import shutil
import subprocess
from datetime import datetime
from pathlib import Path

import pytest

from ml_service.training.run_record import commit, record

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(folder: Path, *words: str) -> str:
    person = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *person, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with one commit of one file."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "code.py").write_text("1\n")
    for words in (("init", "-q"), ("add", "."), ("commit", "-q", "-m", "first")):
        git(folder, *words)
    return folder


def test_the_environment_names_what_could_change_a_result(tmp_path: Path) -> None:
    record(tmp_path, {"seed": 1})
    found = json.loads((tmp_path / "environment.json").read_text())
    assert list(found) == [
        *("started_at", "commit", "python", "tensorflow", "keras", "numpy", "opencv", "machine", "cores"),
    ]
    assert datetime.fromisoformat(found["started_at"]).tzinfo is not None
    assert found["cores"] == len(os.sched_getaffinity(0))
    assert all(found[name][0].isdigit() for name in ("python", "tensorflow", "keras", "numpy", "opencv"))
    assert "/" not in json.dumps(found)  # no path


@needs_git
def test_the_commit_is_named_and_whether_anything_was_changed_since(checkout: Path) -> None:
    assert commit(checkout) == git(checkout, "rev-parse", "HEAD")
    git(checkout, "tag", "-a", "v1", "-m", "a release")
    assert commit(checkout) == git(checkout, "rev-parse", "HEAD")  # not by a tag, which may be moved
    (checkout / "code.py").write_text("2\n")
    assert commit(checkout) == git(checkout, "rev-parse", "HEAD") + "-dirty"


@needs_git
def test_a_repository_that_the_code_merely_lies_in_is_not_named(checkout: Path) -> None:
    unpacked = checkout / "unpacked"
    unpacked.mkdir()
    assert commit(unpacked) == "unknown"


def test_without_git_the_commit_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert commit(tmp_path) == "unknown"
    monkeypatch.setenv("PATH", "")
    assert commit(Path(__file__).parents[3]) == "unknown"
