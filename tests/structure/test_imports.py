"""Who may import whom: tiers speak over the wire, never by import."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = {"ui_service", "app_service", "ml_service"}
PACKAGES = SERVICES | {"portal_wire", "launcher", "command_line", "benchmarks", "verify"}
MAY_IMPORT = {
    "portal_wire": set(),
    "ui_service": {"portal_wire"},
    "app_service": {"portal_wire"},
    "ml_service": {"portal_wire"},
    "launcher": {"portal_wire"},
    "command_line": {
        "portal_wire",
        "app_service",
        "ml_service",
    },  # the tiers without a portal alone: local.py, audit_verb.py
    "benchmarks": {"portal_wire", "ml_service", "launcher", "command_line"},
    "verify": set(),
}  # type: dict[str, set[str]]
# What a tier must never know (the table in the README): libraries it may not import.
NEVER = {
    "ui_service": {"sqlalchemy", "alembic", "redis", "dramatiq", "tensorflow", "keras", "numpy", "PIL", "cv2"},
    "app_service": {"tensorflow", "keras", "jinja2", "flask_wtf"},
    "ml_service": {"sqlalchemy", "alembic", "redis", "dramatiq"},
    "portal_wire": {"sqlalchemy", "redis", "tensorflow", "keras", "dramatiq"},
}  # type: dict[str, set[str]]
# The pure rules: no web, no database, no queue.
PURE = {"app_service/domain": {"flask", "apiflask", "sqlalchemy", "redis", "dramatiq", "requests"}}


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module


def top_level(file: Path) -> set[str]:
    return {name.split(".")[0] for name in imported(file)}


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_a_package_imports_only_what_the_architecture_allows(package: str) -> None:
    files = list((ROOT / package).rglob("*.py"))
    assert files, f"{package} has no code"
    for file in files:
        found = top_level(file)
        assert not (found & PACKAGES) - MAY_IMPORT[package] - {package}, file
        assert not found & NEVER.get(package, set()), file


@pytest.mark.parametrize("folder", sorted(PURE))
def test_the_pure_rules_know_no_framework(folder: str) -> None:
    for file in (ROOT / folder).rglob("*.py"):
        assert not top_level(file) & PURE[folder], file


def test_the_ml_tier_knows_object_stores_for_its_models_alone() -> None:
    """It never sees the store of studies and artifacts: only `model_store.py` fetches, and only versions."""
    files = [file for file in (ROOT / "ml_service").rglob("*.py") if "obstore" in top_level(file)]
    assert [file.name for file in files] == ["model_store.py"]


def test_keras_is_not_loaded_before_its_backend_is_settled() -> None:
    """A host of the ML tier has OpenVINO alone: Keras loaded too early asks for TensorFlow, and nothing starts."""
    code = "import sys, ml_service.web, ml_service.engines; sys.exit('keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_tensorflow_is_never_asked_to_predict_in_a_request() -> None:
    """`model.predict` costs an order of magnitude a call; it stands only in the benchmark's naive design."""
    for file in (ROOT / "ml_service").rglob("*.py"):
        calls = [
            n for n in ast.walk(ast.parse(file.read_text())) if isinstance(n, ast.Attribute) and n.attr == "predict"
        ]
        assert not calls, file


def test_nothing_that_runs_code_from_a_file_is_ever_loaded() -> None:
    """Weights only: no pickle, no Keras archive (CVE-2024-3660, CVE-2025-1550 and their kin)."""
    forbidden = {"load_model", "enable_unsafe_deserialization", "unpickle"}
    for package in sorted(PACKAGES):
        for file in (ROOT / package).rglob("*.py"):
            if file.parent == ROOT / "verify" / "rules":
                continue  # bad examples, which the rules must find
            assert "pickle" not in top_level(file), file
            names = {n.attr for n in ast.walk(ast.parse(file.read_text())) if isinstance(n, ast.Attribute)}
            assert not names & forbidden, file


def test_the_command_line_takes_the_tiers_where_it_works_without_a_portal_alone() -> None:
    files = [file for file in (ROOT / "command_line").rglob("*.py") if top_level(file) & SERVICES]
    assert sorted(file.name for file in files) == ["audit_verb.py", "local.py"]
    for file in files:  # and not before it does: without these packages every other verb works
        ahead = [node for node in ast.parse(file.read_text()).body if isinstance(node, ast.Import | ast.ImportFrom)]
        assert not {name.split(".")[0] for name in map(_module, ahead)} & SERVICES, file


def _module(node: ast.Import | ast.ImportFrom) -> str:
    return node.names[0].name if isinstance(node, ast.Import) else node.module or ""
