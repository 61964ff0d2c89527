"""Locks as they are pass; each kind of fault is named."""

from pathlib import Path

import pytest
from packaging.requirements import Requirement

from verify import locks
from verify.gate import Refused

HASH = "    --hash=sha256:" + "0" * 64


def written(folder: Path, *lines: str) -> Path:
    path = folder / "requirements.lock"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_locks_of_this_repository_pass() -> None:
    assert "each with SHA-256" in locks.check()


def test_versions_for_other_pythons_stand_side_by_side(tmp_path: Path) -> None:
    lines = ["# made by uv", "A_b==1.0 ; python_version < '3.12' \\", HASH + " \\", HASH, "a-b==2.0 \\", HASH]
    assert locks.pins(written(tmp_path, *lines)) == {"a-b": {"1.0", "2.0"}}


@pytest.mark.parametrize(
    "lines",
    [
        ["flask==3.1.3"],
        ["flask==3.1.3 \\", "jinja2==3.1.6 \\", HASH],
        ["flask==3.1.3 \\", "    --hash=md5:" + "0" * 32],
        ["--index-url https://packages.example/simple", "flask==3.1.3 \\", HASH],
        ["flask @ https://packages.example/flask.whl \\", HASH],
        ["flask>=3.1.3 \\", HASH],
        ["-r other.lock"],
    ],
)
def test_what_is_no_pin_with_hashes_is_refused(tmp_path: Path, lines: list[str]) -> None:
    with pytest.raises(Refused, match=r"requirements\.lock"):
        locks.pins(written(tmp_path, *lines))


def test_a_lock_that_pyproject_has_left_behind_is_named() -> None:
    asked = [Requirement("flask>=3.1.3"), Requirement("redis[hiredis]>=8")]
    (old, lacking) = locks.disagreements("some.lock", {"flask": {"3.0.0"}}, asked)
    assert "flask 3.0.0" in old and "lacks redis" in lacking


def test_what_another_machine_needs_is_not_asked_for() -> None:
    project = {"project": {"dependencies": ["a", "b; platform_machine == 'aarch64'"], "optional-dependencies": {}}}
    assert [one.name for one in locks.wanted(project, [])] == ["a"]
