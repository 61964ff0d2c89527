"""What a job is for: to answer for its study, or to compare models."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("purpose", sa.String(length=16), server_default="answer", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("jobs") as table:
        table.drop_column("purpose")
