"""Routing rules: the first that fits counts."""

from pathlib import Path

import click
import pytest

from command_line.ingest.rules import read


def rules(tmp_path: Path, text: str) -> Path:
    (tmp_path / "rules.toml").write_text(text)
    return tmp_path / "rules.toml"


def test_the_first_that_fits_counts(tmp_path: Path) -> None:
    text = '[[rule]]\nname = "ct/*"\nmodels = ["ct-tissue"]\n[[rule]]\nname = "*.png"\nmodels = ["a", "b"]\n'
    found = read(rules(tmp_path, text))
    assert found.models_for("ct/deep/1.png") == ["ct-tissue"]
    assert found.models_for("x.png") == ["a", "b"]
    assert found.models_for("x.dcm") == [] == read(None).models_for("x.png")


@pytest.mark.parametrize(
    ("text", "word"), [("[[rule", "TOML"), ('[[rule]]\nname = "x"\n', "models"), ("rul = 1", "rul")]
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, word: str) -> None:
    with pytest.raises(click.ClickException, match=word):
        read(rules(tmp_path, text))
