"""The first tables. Frozen: later changes are revisions of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    _chain()
    _quotas()
    _jobs()


def downgrade() -> None:
    for table in ("jobs", "reservations", "counters", "blobs", "ledger_head", "ledger_entries"):
        op.drop_table(table)


def _chain() -> None:
    op.create_table(
        "ledger_entries",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", TEXT, nullable=False),
        sa.Column("event", TEXT, nullable=False),
        sa.Column("job_id", TEXT),
        sa.Column("attempt", sa.BigInteger, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("payload", TEXT, nullable=False),
        sa.Column("prev", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
    )
    op.create_index("ledger_entries_job", "ledger_entries", ["job_id", "seq"])
    op.create_table(
        "ledger_head",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
    )
    op.create_table(
        "blobs",
        sa.Column("digest", TEXT, primary_key=True),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )


def _quotas() -> None:
    op.create_table(
        "counters",
        sa.Column("counter", TEXT, primary_key=True),
        sa.Column("quota", TEXT, nullable=False),
        sa.Column("measure", TEXT, nullable=False),
        sa.Column("scope", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("window", TEXT, nullable=False),
        sa.Column("window_start", TEXT, nullable=False),
        sa.Column("window_end", TEXT, nullable=False),
        sa.Column("unit", TEXT, nullable=False),
        sa.Column("limit", sa.BigInteger, nullable=False),
        sa.Column("owner", TEXT, nullable=False),
        sa.Column("settled", sa.BigInteger, nullable=False),
        sa.Column("reserved", sa.BigInteger, nullable=False),
    )
    op.create_index("counters_window", "counters", ["window_end"])
    op.create_table(
        "reservations",
        sa.Column("job_id", TEXT, primary_key=True),
        sa.Column("counter", TEXT, primary_key=True),
        sa.Column("amount", sa.BigInteger, nullable=False),
    )


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("job_id", TEXT, primary_key=True),
        *_text("name", "user", required=True),
        *_text("team", "project", "cost_center", "experiment", "classification"),
        *_text("notebook_run", "backend", required=True),
        *_whole("shots", "circuits", "total_shots"),
        *_text("fingerprint", "policy_version", "token", "created_at", "status", required=True),
        *_whole("attempt", "epoch"),
        *_text("owner", "host"),
        sa.Column("pid", sa.BigInteger),
        *_text("lease_until"),
        sa.Column("cancel_requested", sa.Boolean, nullable=False),
        *_text("vendor_id", "started_at", "ended_at"),
        *_whole("first_entry", "last_entry"),
        sa.Column("cost_nano", sa.BigInteger),
        *_text("currency"),
        *(sa.Column(name, sa.Double) for name in ("fidelity_low", "fidelity_high", "run_seconds")),
        *_text("error"),
    )
    op.create_index("jobs_first_entry", "jobs", ["first_entry"], unique=True)
    op.create_index("jobs_status", "jobs", ["status", "first_entry"])
    op.create_index("jobs_created_at", "jobs", ["created_at"])


def _text(*names: str, required: bool = False) -> list["sa.Column[str]"]:
    return [sa.Column(name, TEXT, nullable=not required) for name in names]


def _whole(*names: str) -> list["sa.Column[int]"]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]
