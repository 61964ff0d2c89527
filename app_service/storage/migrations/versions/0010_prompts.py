"""The boxes that a job was started with, and masks that people corrected."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("prompts", sa.JSON(none_as_null=True), nullable=True))
    op.create_table(
        "corrections",
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("from_job", sa.String(length=36), nullable=False),
        sa.Column("measurements", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("corrected_by", sa.String(length=64), nullable=False),
        sa.Column("corrected_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_corrections_job_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_corrections")),
    )


def downgrade() -> None:
    op.drop_table("corrections")
    with op.batch_alter_table("jobs") as table:
        table.drop_column("prompts")
