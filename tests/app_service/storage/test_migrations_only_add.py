"""A release that is rolled back runs on the tables of the release after it: migrations add, and change nothing.

What a release no longer needs is removed by a migration of a later one, when nobody goes back past it.
"""

import ast
from pathlib import Path

import pytest

VERSIONS = Path(__file__).parents[3] / "app_service" / "storage" / "migrations" / "versions"
ADDING = {
    "add_column",
    "batch_alter_table",
    "create_foreign_key",
    "create_index",
    "create_table",
    "execute",
    "f",
    "get_bind",
}
# Made before this was a rule: from a release without one of these no deployment finds back by itself.
BEFORE = {"0003_version_roles", "0005_audit_chain"}


def not_only_adding(source: str) -> list[str]:
    """What `upgrade` does beyond adding, by line."""
    found = []
    (upgrade,) = [
        node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and node.name == "upgrade"
    ]
    for call in (node for node in ast.walk(upgrade) if isinstance(node, ast.Call)):
        of_op = isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name)
        if not of_op or call.func.value.id not in ("op", "table"):  # type: ignore[attr-defined]
            continue
        name: str = call.func.attr  # type: ignore[attr-defined]
        if name not in ADDING:
            found.append(f"{call.lineno}: {name}")
        if name == "add_column":
            words = {
                word.arg: ast.unparse(word.value) for node in ast.walk(call) for word in getattr(node, "keywords", [])
            }
            if words.get("nullable") == "False" and "server_default" not in words:
                found.append(f"{call.lineno}: a column that the release before does not fill")
    return found


@pytest.mark.parametrize("file", sorted(VERSIONS.glob("0*.py")), ids=lambda file: file.stem)
def test_a_migration_only_adds(file: Path) -> None:
    assert bool(not_only_adding(file.read_text())) == (file.stem in BEFORE), not_only_adding(file.read_text())


@pytest.mark.parametrize(
    "line",
    [
        "op.drop_column('jobs', 'purpose')",
        "op.rename_table('jobs', 'work')",
        "op.add_column('jobs', sa.Column('x', sa.Text(), nullable=False))",
        "with op.batch_alter_table('jobs') as table:\n        table.alter_column('x', nullable=False)",
    ],
)
def test_what_the_release_before_would_stumble_over_is_found(line: str) -> None:
    assert not_only_adding(f"def upgrade():\n    {line}\n")
