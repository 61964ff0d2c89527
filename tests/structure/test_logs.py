"""What may stand in a log is a list of keys: every call is read, and a key that is not in it goes no further."""

import ast
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal_wire.logs import KEYS, JsonLines

ROOT = Path(__file__).parents[2]
PACKAGES = ("portal_wire", "ui_service", "app_service", "ml_service", "launcher", "command_line")
LEVELS = ("debug", "info", "warning", "error", "critical", "exception", "log")


def facts_in(source: str) -> Iterator[tuple[int, set[str]]]:
    """The line of each logging call that has `extra`, and the keys of its facts. Raises ValueError where they are not
    written out."""
    tree = ast.parse(source)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if not isinstance(call.func, ast.Attribute) or call.func.attr not in LEVELS:
            continue
        for word in call.keywords:
            if word.arg == "extra":
                around = [function for function in functions if call in ast.walk(function)]
                extra = word.value
                if not isinstance(extra, ast.Dict) or [ast.unparse(key) for key in extra.keys if key] != ["'facts'"]:
                    raise ValueError(f"line {call.lineno}: not {{'facts': …}} alone")
                yield call.lineno, keys_of(extra.values[0], around[-1] if around else tree)


def keys_of(told: ast.expr, within: ast.AST) -> set[str]:
    if isinstance(told, ast.Dict):
        keys = {key.value for key in told.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}
        if len(keys) == len(told.keys):
            return keys
    if isinstance(told, ast.BinOp) and isinstance(told.op, ast.BitOr):
        return keys_of(told.left, within) | keys_of(told.right, within)
    if isinstance(told, ast.Name):
        values = [
            node.value
            for node in ast.walk(within)
            if (isinstance(node, ast.AugAssign) and ast.unparse(node.target) == told.id)
            or (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == told.id)
        ]
        if values:
            return {key for value in values for key in keys_of(value, within)}
    raise ValueError(f"line {told.lineno}: keys that are not written out")


def test_every_log_line_has_keys_of_the_list_and_the_list_has_no_other() -> None:
    found: dict[str, str] = {}
    for file in (file for package in PACKAGES for file in (ROOT / package).rglob("*.py")):
        for line, keys in facts_in(file.read_text(encoding="utf-8")):
            found |= dict.fromkeys(keys, f"{file.relative_to(ROOT)}:{line}")
    assert {key: place for key, place in found.items() if key not in KEYS} == {}
    assert KEYS - set(found) == set()


@pytest.mark.parametrize(
    "call",
    [
        "_LOG.info('x', extra={'facts': told()})",
        "_LOG.info('x', extra={'facts': {**told}})",
        "_LOG.info('x', extra={'facts': {name: 1}})",
        "_LOG.info('x', extra={'patient': 1})",
        "_LOG.info('x', extra=told)",
    ],
)
def test_keys_that_nobody_can_read_are_found(call: str) -> None:
    with pytest.raises(ValueError, match="line 1"):
        list(facts_in(call))


def test_keys_are_read_through_names_and_unions() -> None:
    source = "def f():\n    told = {'a': 1}\n    told |= {'b': 1}\n    _LOG.info('x', extra={'facts': told | {'c': 1}})"
    assert list(facts_in(source)) == [(4, {"a", "b", "c"})]


def test_a_key_that_is_not_in_the_list_goes_no_further() -> None:
    record = logging.LogRecord("lightbox", logging.INFO, "x", 1, "uploaded", None, None)
    record.facts = {"code": "done", "filename": "Meier.png"}
    line = json.loads(JsonLines().format(record))
    assert set(line) == {"time", "level", "event", "code"}
