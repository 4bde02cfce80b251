"""Whether a job met its conditions, and which canary it was. Frozen: later changes are revisions of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("jobs", sa.Column("validation", TEXT))
    op.add_column("jobs", sa.Column("canary", TEXT))
    op.add_column("jobs", sa.Column("canary_successes", sa.BigInteger))
    _index("jobs_validated", ["user", "fingerprint", "backend", "first_entry"], "validation")
    _index("jobs_canary", ["canary", "first_entry"], "canary")


def downgrade() -> None:
    op.drop_index("jobs_canary", "jobs")
    op.drop_index("jobs_validated", "jobs")
    for column in ("canary_successes", "canary", "validation"):
        op.drop_column("jobs", column)


def _index(name: str, columns: list[str], filled: str) -> None:
    """An index of the jobs that have a value there: to all others it costs nothing."""
    where = sa.text(f"{filled} IS NOT NULL")
    op.create_index(name, "jobs", columns, sqlite_where=where, postgresql_where=where)
