"""Active, shadow and retired versions of models, what shadows said, and audit rows that can name a version."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "version_roles",
        sa.Column("model", sa.String(length=64), nullable=False),
        sa.Column("active", sa.String(length=32), nullable=False),
        sa.Column("shadow", sa.String(length=32), nullable=True),
        sa.Column("retired", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("model", name=op.f("pk_version_roles")),
    )
    op.create_table(
        "shadow_results",
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("model", sa.String(length=64), nullable=False),
        sa.Column("active_version", sa.String(length=32), nullable=False),
        sa.Column("result", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("same_label", sa.Boolean(), nullable=False),
        sa.Column("difference", sa.Float(precision=53), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_shadow_results_job_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", "version", name=op.f("pk_shadow_results")),
    )
    op.create_index(op.f("ix_shadow_results_model_version"), "shadow_results", ["model", "version"])
    with op.batch_alter_table("audit") as table:
        table.alter_column("object_id", existing_type=sa.String(length=36), type_=sa.String(length=128))


def downgrade() -> None:
    with op.batch_alter_table("audit") as table:
        table.alter_column("object_id", existing_type=sa.String(length=128), type_=sa.String(length=36))
    op.drop_table("shadow_results")
    op.drop_table("version_roles")
