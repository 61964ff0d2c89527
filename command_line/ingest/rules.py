"""Routing rules: which models read what, by where it was put. In TOML, the first that fits counts:

    [[rule]]
    name = "ct/*"            # of the file or folder below incoming/; * also stands for slashes
    models = ["ct-tissue"]

What no rule names gets the site's default models.
"""

import tomllib
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

import click
from pydantic import BaseModel, ConfigDict, Field, ValidationError


class Rule(BaseModel):
    """`name` is a pattern as in a shell."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    models: Annotated[list[str], Field(min_length=1)]


class Rules(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: list[Rule] = []

    def models_for(self, name: str) -> list[str]:
        """Returns the models that read `name`; none: the site's default."""
        return next((rule.models for rule in self.rule if fnmatchcase(name, rule.name)), [])


def read(path: Path | None) -> Rules:
    """Returns the rules of a file. Raises ClickException that says what is wrong in it."""
    if path is None:
        return Rules()
    try:
        return Rules.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except tomllib.TOMLDecodeError as error:
        raise click.ClickException(f"The rules are not TOML: {error}") from error
    except ValidationError as error:
        places = ", ".join(".".join(map(str, fault["loc"])) + ": " + fault["msg"] for fault in error.errors())
        raise click.ClickException(f"The rules: {places}") from error
