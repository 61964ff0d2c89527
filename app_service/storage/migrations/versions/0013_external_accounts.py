"""Accounts of people who sign in by the hospital's directory: who they are there."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("users", sa.Column("external_id", sa.String(length=64), nullable=True))
    op.create_index(op.f("ix_users_external_id"), "users", ["external_id"], unique=True)


def downgrade() -> None:
    op.drop_index(op.f("ix_users_external_id"), "users")
    with op.batch_alter_table("users") as table:
        table.drop_column("external_id")
