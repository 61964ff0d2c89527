"""The audit becomes a chain that is only added to: a number, the hash of the row before, the row's own hash."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from app_service.domain.audit_chain import START, Link, chained
from app_service.storage.clock import UtcDateTime

revision = "0005"
down_revision = "0004"

_SQLITE = {
    "changed": "UPDATE ON audit",
    "removed": "DELETE ON audit",
    # INSERT OR REPLACE would remove a row without asking the trigger above.
    "replaced": "INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq OR id = NEW.id)",
}
_POSTGRESQL = (
    """CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'audit is append-only'; END $$""",
    """CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()""",
    # The last link, in one round trip with the lock that its reader then holds; the number says "audit".
    """CREATE FUNCTION audit_locked_head() RETURNS TABLE (seq bigint, hash varchar) LANGUAGE plpgsql AS
    $$ BEGIN
      PERFORM pg_advisory_xact_lock(418564106612);
      RETURN QUERY SELECT audit.seq, audit.hash FROM audit ORDER BY audit.seq DESC LIMIT 1;
    END $$""",
)


def upgrade() -> None:
    op.add_column("audit", sa.Column("address", sa.String(length=45), nullable=True))
    op.add_column("audit", sa.Column("session_id", sa.String(length=36), nullable=True))
    op.add_column("audit", sa.Column("seq", sa.BigInteger(), nullable=True))
    op.add_column("audit", sa.Column("previous", sa.String(length=64), nullable=True))
    op.add_column("audit", sa.Column("hash", sa.String(length=64), nullable=True))
    _chain_what_is_there()
    with op.batch_alter_table("audit") as table:
        table.alter_column("seq", existing_type=sa.BigInteger(), nullable=False)
        table.alter_column("previous", existing_type=sa.String(length=64), nullable=False)
        table.alter_column("hash", existing_type=sa.String(length=64), nullable=False)
        table.create_unique_constraint(op.f("uq_audit_seq"), ["seq"])
    _refuse_changes()


def _refuse_changes() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for statement in _POSTGRESQL:
            op.execute(statement)
        return
    for name, what in _SQLITE.items():
        op.execute(
            f"CREATE TRIGGER audit_never_{name} BEFORE {what} BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END"
        )


def _chain_what_is_there() -> None:
    names = ("id", "actor_id", "action", "outcome", "object_id", "request_id", "seq", "previous", "hash")
    audit = sa.table("audit", sa.column("at", UtcDateTime), *[sa.column(name) for name in names])
    told = sa.select(*[audit.c[name] for name in ("at", *names[:6])]).order_by(audit.c.at, audit.c.id)
    last, values = START, list[dict[str, Any]]()
    for row in op.get_bind().execute(told).mappings():
        linked = chained(dict(row), last)
        last = Link(linked["seq"], linked["hash"])
        values.append({"of": row["id"]} | {name: linked[name] for name in ("seq", "previous", "hash")})
    if values:
        op.get_bind().execute(sa.update(audit).where(audit.c.id == sa.bindparam("of")), values)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER audit_append_only ON audit")
        op.execute("DROP FUNCTION audit_is_append_only()")
        op.execute("DROP FUNCTION audit_locked_head()")
    with op.batch_alter_table("audit") as table:  # on SQLite the triggers go with the old table
        table.drop_constraint(op.f("uq_audit_seq"), type_="unique")
        for name in ("hash", "previous", "seq", "session_id", "address"):
            table.drop_column(name)
