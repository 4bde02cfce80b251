"""Sessions, and which of them a job and a reservation belong to. Frozen: later changes are revisions of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "sessions",
        sa.Column("session_id", TEXT, primary_key=True),
        *_text("name", "user", "notebook_run", "created_at", "status", "owner", "host", required=True),
        sa.Column("pid", sa.BigInteger, nullable=False),
        *_text("lease_until", "closed_at"),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("first_entry", "last_entry")),
    )
    op.create_index("sessions_status", "sessions", ["status", "first_entry"])
    op.add_column("reservations", sa.Column("session_id", TEXT))
    op.add_column("jobs", sa.Column("session_id", TEXT))
    op.create_index("jobs_session", "jobs", ["session_id", "first_entry"])


def downgrade() -> None:
    op.drop_index("jobs_session", "jobs")
    op.drop_column("jobs", "session_id")
    op.drop_column("reservations", "session_id")
    op.drop_table("sessions")


def _text(*names: str, required: bool = False) -> list["sa.Column[str]"]:
    return [sa.Column(name, TEXT, nullable=not required) for name in names]
