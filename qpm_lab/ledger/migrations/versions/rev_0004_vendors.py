"""How a job stands at its vendor, and where overruns are. Frozen: later changes are revisions of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("jobs", sa.Column("standing", TEXT))
    where = sa.text("event = 'cost.overrun'")
    op.create_index("ledger_entries_overruns", "ledger_entries", ["seq"], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    op.drop_index("ledger_entries_overruns", "ledger_entries")
    op.drop_column("jobs", "standing")
