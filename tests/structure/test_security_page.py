"""What SECURITY.md and the checklists beside it name is there, and no requirement is left out."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.compile(
    r"`((?:tests|app_service|ui_service|ml_service|portal_wire|nginx|ansible|terraform|verify)/[^` ]*|[\w-]+\.lock)`"
)
STATES = {"met", "in part", "open", "not there"}
# How many requirements of level 1 and 2 each chapter of ASVS 5.0.0 has.
REQUIREMENTS = {
    1: 27,
    2: 11,
    3: 19,
    4: 10,
    5: 9,
    6: 35,
    7: 18,
    8: 7,
    9: 7,
    10: 29,
    11: 14,
    12: 9,
    13: 13,
    14: 9,
    15: 13,
    16: 16,
    17: 7,
}


@pytest.mark.parametrize(("page", "at_least"), [("SECURITY.md", 30), ("docs/asvs.md", 150), ("docs/hipaa.md", 15)])
def test_whatever_it_names_is_there(page: str, at_least: int) -> None:
    named = NAMED.findall((ROOT / page).read_text(encoding="utf-8"))
    assert len(named) > at_least
    for name in named:
        file, _, test = name.partition("::")
        assert (ROOT / file).exists(), name
        assert not test or f"\ndef {test}(" in (ROOT / file).read_text(encoding="utf-8"), name


def test_it_is_one_page() -> None:
    assert len((ROOT / "SECURITY.md").read_text(encoding="utf-8").splitlines()) <= 60


def checklist() -> list[list[str]]:
    lines = (ROOT / "docs" / "asvs.md").read_text(encoding="utf-8").splitlines()
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in lines if re.match(r"\| \d+\.\d+\.\d+ ", line)
    ]
    assert all(len(row) == 5 for row in rows)
    return rows


def test_every_requirement_of_asvs_has_its_line() -> None:
    numbers = [row[0].split()[0] for row in checklist()]
    assert len(set(numbers)) == len(numbers) == sum(REQUIREMENTS.values()) == 253
    for chapter, many in REQUIREMENTS.items():
        assert sum(number.startswith(f"{chapter}.") for number in numbers) == many, chapter


def test_every_line_has_a_state_and_a_test_or_a_reason() -> None:
    for number, level, asked, state, shown in checklist():
        assert level in "12" and asked and state in STATES and len(shown) > 3, number


def test_the_sum_at_the_top_is_that_of_the_lines() -> None:
    page = (ROOT / "docs" / "asvs.md").read_text(encoding="utf-8")
    states = [row[3] for row in checklist()]
    for state in STATES:
        assert re.search(rf"\b{states.count(state)} {state}\b", page), state
