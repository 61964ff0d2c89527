"""The audit says in which role somebody acted, and details such as an attempt's number and its model's hash.

A row's hash leaves out what is null, so rows from before stay as they were. A release from before this one does not
know the new columns: it takes rows that fill them for changed ones.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column("audit", sa.Column("role", sa.String(length=16), nullable=True))
    op.add_column("audit", sa.Column("details", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    for name in ("details", "role"):  # in its place: a copy of the table would have no triggers
        op.drop_column("audit", name)
