"""How a job stands at its vendor, by the latest look. Frozen: later changes are revisions of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("jobs", sa.Column("standing", TEXT))


def downgrade() -> None:
    op.drop_column("jobs", "standing")
