"""An index for the count of an owner's open jobs, which every upload makes while it holds the write lock."""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_index("ix_jobs_owner_id_state", "jobs", ["owner_id", "state"])


def downgrade() -> None:
    op.drop_index("ix_jobs_owner_id_state", table_name="jobs")
