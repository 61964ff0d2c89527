"""Accounts that can be disabled and changed; each change of one makes its next `generation`."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    no = sa.false()
    op.add_column("users", sa.Column("disabled", sa.Boolean(), server_default=no, nullable=False))
    op.add_column("users", sa.Column("temporary_password", sa.Boolean(), server_default=no, nullable=False))
    op.add_column("users", sa.Column("generation", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("users") as table:
        for name in ("generation", "temporary_password", "disabled"):
            table.drop_column(name)
