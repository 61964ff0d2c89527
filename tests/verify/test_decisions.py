"""What the gates make of what their tools print. The tools themselves run in `make verify`."""

import re
from pathlib import Path

import pytest

from verify import advisories, bill, gate, licences, scanners
from verify.gate import CODE, ROOT, Refused

RULES = ROOT / "verify" / "rules"


@pytest.mark.parametrize(
    "licence",
    ["MIT", "Apache-2.0 OR GPL-3.0-only", "MIT License; BSD License", "LGPL-3.0-only", "(MIT) AND PSF-2.0"],
)
def test_licences_that_fit(licence: str) -> None:
    assert licences.fits(licence)


@pytest.mark.parametrize(
    "licence", ["GPL-3.0-only", "AGPL-3.0-or-later", "UNKNOWN", "", "MIT AND GPL-2.0-only", "Other/Proprietary License"]
)
def test_licences_that_need_a_reason(licence: str) -> None:
    assert not licences.fits(licence)
    assert licences.faults_in({"some-package": licence})
    assert not licences.faults_in({"namex": licence})


def test_every_lock_that_is_installed_to_serve_has_its_bill() -> None:
    tools = {
        "requirements-dev.lock",
        "requirements-verify.lock",
        "requirements-ansible.lock",
        "requirements-checks.lock",
    }
    assert set(bill.LOCKS.values()) == {file.name for file in ROOT.glob("*.lock")} - tools


def test_advisories_and_gaps_are_both_faults() -> None:
    told = [
        {"name": "flask", "version": "3.1.3", "vulns": []},
        {"name": "old", "version": "1", "vulns": [{"id": "CVE-2020-14343", "fix_versions": ["2"]}]},
        {"name": "odd", "skip_reason": "not found"},
    ]
    assert advisories.faults_in(told) == [  # type: ignore[arg-type]
        "old 1: CVE-2020-14343, mended in ['2']",
        "odd could not be checked: not found",
    ]


@pytest.mark.parametrize(
    "printed", ["Traceback (most recent call last): no route to host", '{"dependencies": []}', "{}", ""]
)
def test_advisories_that_could_not_be_had_are_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, printed: str
) -> None:
    """Without a network, and behind a mirror that says "nothing" of everything."""
    program = tmp_path / "pip-audit"
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{printed}\nEND\nexit {int(not printed.startswith('{'))}\n")
    program.chmod(0o755)
    monkeypatch.setattr(gate, "TOOLS", tmp_path)
    with pytest.raises(Refused, match="Could not check"):
        advisories.check()


def test_a_tool_that_is_missing_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "TOOLS", tmp_path)
    with pytest.raises(Refused, match="not installed"):
        advisories.check()


@pytest.mark.parametrize(("rules", "examples"), [("python.yml", "python.py"), ("templates.yml", "templates.html")])
def test_every_rule_has_a_bad_and_a_good_example(rules: str, examples: str) -> None:
    named = re.findall(r"^  - id: (\S+)$", (RULES / rules).read_text(), re.MULTILINE)
    shown = (RULES / examples).read_text()
    assert len(named) >= 2
    for rule in named:
        assert f"ruleid: {rule}\n" in shown.replace(" -->", ""), rule
        assert f" ok: {rule}\n" in shown.replace(" -->", ""), rule


def test_every_exception_names_its_rule() -> None:
    """A bare `nosec` or `nosemgrep` would let everything through."""
    lines = [
        line for folder in CODE for file in (ROOT / folder).rglob("*.py") for line in file.read_text().splitlines()
        if re.search(r"#\s*(nosec|nosemgrep)\b", line)
    ]  # fmt: skip
    assert lines
    for line in lines:
        assert re.search(r"# nosec B\d{3}( |$)", line) or re.search(r"# nosemgrep: [\w-]+", line), line


def test_made_up_passwords_of_tests_are_no_find_and_keys_in_them_are() -> None:
    def of(kind: str) -> list[dict[str, object]]:
        return [{"hashed_secret": kind, "line_number": 7, "type": kind}]

    told = {
        "results": {"tests/a.py": of("Secret Keyword") + of("AWS Access Key"), "ui_service/a.py": of("Secret Keyword")}
    }
    assert scanners._known(told) == {("tests/a.py", "AWS Access Key"): 7, ("ui_service/a.py", "Secret Keyword"): 7}
