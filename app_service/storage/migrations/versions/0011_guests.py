"""Shares: links to look at a study. Guests: who may look at another's study, why, and until when."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "shares",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("study_id", sa.String(length=36), nullable=False),
        sa.Column("colleague_id", sa.String(length=36), nullable=True),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_shares_study_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["colleague_id"], ["users.id"], name=op.f("fk_shares_colleague_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shares")),
        sa.UniqueConstraint("hash", name=op.f("uq_shares_hash")),
    )
    op.create_index(op.f("ix_shares_study_id"), "shares", ["study_id"])
    op.create_table(
        "guests",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("study_id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("share_id", sa.String(length=36), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end_noted", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.CheckConstraint("(share_id IS NULL) = (reason IS NOT NULL)", name=op.f("ck_guests_shared_or_with_a_reason")),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_guests_study_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_guests_user_id")),
        sa.ForeignKeyConstraint(["share_id"], ["shares.id"], name=op.f("fk_guests_share_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guests")),
    )
    op.create_index(op.f("ix_guests_study_id_user_id"), "guests", ["study_id", "user_id"])
    op.create_index(op.f("ix_guests_user_id_ends_at"), "guests", ["user_id", "ends_at"])


def downgrade() -> None:
    op.drop_table("guests")
    op.drop_table("shares")
