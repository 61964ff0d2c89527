"""The table is whole: each of the 96 rows is shown by an upload or by tests that are there, or says why by nothing."""

from pathlib import Path

import pytest

from tests.bad_input.table import ROWS

ROOT = Path(__file__).parents[2]


def test_there_are_96_rows() -> None:
    assert list(ROWS) == [f"B{number:02}" for number in range(1, 97)]


@pytest.mark.parametrize("number", ROWS)
def test_the_row_is_shown_or_says_why_not(number: str) -> None:
    row = ROWS[number]
    assert bool(row.uploads or row.elsewhere) != bool(row.not_built)
    for name in row.elsewhere:
        file, _, test = name.partition("::")
        assert f"\ndef {test}(" in (ROOT / file).read_text(encoding="utf-8"), name
