"""The tables. `ledger_entries` is the truth; all others are projections of it that `verify` recomputes.

A change here needs a revision under `migrations/versions/`; a test compares the two.
"""

from __future__ import annotations

import sqlalchemy as sa

# Keys and times compare byte by byte on every database, whatever its locale.
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

metadata = sa.MetaData()

entries = sa.Table(
    "ledger_entries",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", TEXT, nullable=False),
    sa.Column("event", TEXT, nullable=False),
    sa.Column("job_id", TEXT),
    sa.Column("attempt", sa.BigInteger, nullable=False),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("payload", TEXT, nullable=False),
    sa.Column("prev", TEXT, nullable=False),
    sa.Column("digest", TEXT, nullable=False),
    sa.Index("ledger_entries_job", "job_id", "seq"),
    # Asked before every job that costs something; there are few.
    sa.Index(
        "ledger_entries_overruns",
        "seq",
        sqlite_where=sa.text("event = 'cost.overrun'"),
        postgresql_where=sa.text("event = 'cost.overrun'"),
    ),
)

head = sa.Table(
    "ledger_head",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("digest", TEXT, nullable=False),
)

counters = sa.Table(
    "counters",
    metadata,
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
    sa.Index("counters_window", "window_end"),
)

# The holder is a job or an open session; `session_id` says from which session a job drew the amount.
reservations = sa.Table(
    "reservations",
    metadata,
    sa.Column("job_id", TEXT, primary_key=True),
    sa.Column("counter", TEXT, primary_key=True),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("session_id", TEXT),
)

blobs = sa.Table(
    "blobs",
    metadata,
    sa.Column("digest", TEXT, primary_key=True),
    sa.Column("data", sa.LargeBinary, nullable=False),
)

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("job_id", TEXT, primary_key=True),
    sa.Column("name", TEXT, nullable=False),
    sa.Column("user", TEXT, nullable=False),
    sa.Column("team", TEXT),
    sa.Column("project", TEXT),
    sa.Column("cost_center", TEXT),
    sa.Column("experiment", TEXT),
    sa.Column("classification", TEXT),
    sa.Column("notebook_run", TEXT, nullable=False),
    sa.Column("backend", TEXT, nullable=False),
    sa.Column("shots", sa.BigInteger, nullable=False),
    sa.Column("circuits", sa.BigInteger, nullable=False),
    sa.Column("total_shots", sa.BigInteger, nullable=False),
    sa.Column("fingerprint", TEXT, nullable=False),
    sa.Column("policy_version", TEXT, nullable=False),
    sa.Column("token", TEXT, nullable=False),
    sa.Column("created_at", TEXT, nullable=False),
    sa.Column("status", TEXT, nullable=False),
    sa.Column("attempt", sa.BigInteger, nullable=False),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("owner", TEXT),
    sa.Column("host", TEXT),
    sa.Column("pid", sa.BigInteger),
    sa.Column("lease_until", TEXT),
    sa.Column("cancel_requested", sa.Boolean, nullable=False),
    sa.Column("vendor_id", TEXT),
    sa.Column("started_at", TEXT),
    sa.Column("ended_at", TEXT),
    sa.Column("first_entry", sa.BigInteger, nullable=False),
    sa.Column("last_entry", sa.BigInteger, nullable=False),
    sa.Column("cost_nano", sa.BigInteger),
    sa.Column("currency", TEXT),
    sa.Column("fidelity_low", sa.Double),
    sa.Column("fidelity_high", sa.Double),
    sa.Column("run_seconds", sa.Double),
    sa.Column("error", TEXT),
    sa.Column("session_id", TEXT),
    sa.Column("validation", TEXT),
    sa.Column("canary", TEXT),
    sa.Column("canary_successes", sa.BigInteger),
    sa.Column("standing", TEXT),
    sa.Index("jobs_first_entry", "first_entry", unique=True),
    sa.Index("jobs_status", "status", "first_entry"),
    sa.Index("jobs_created_at", "created_at"),
    sa.Index("jobs_session", "session_id", "first_entry"),
    # These two cost nothing to a job that is neither validated nor a canary.
    sa.Index(
        "jobs_validated",
        *("user", "fingerprint", "backend", "first_entry"),
        sqlite_where=sa.text("validation IS NOT NULL"),
        postgresql_where=sa.text("validation IS NOT NULL"),
    ),
    sa.Index(
        "jobs_canary",
        *("canary", "first_entry"),
        sqlite_where=sa.text("canary IS NOT NULL"),
        postgresql_where=sa.text("canary IS NOT NULL"),
    ),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("session_id", TEXT, primary_key=True),
    sa.Column("name", TEXT, nullable=False),
    sa.Column("user", TEXT, nullable=False),
    sa.Column("notebook_run", TEXT, nullable=False),
    sa.Column("created_at", TEXT, nullable=False),
    sa.Column("status", TEXT, nullable=False),
    sa.Column("owner", TEXT, nullable=False),
    sa.Column("host", TEXT, nullable=False),
    sa.Column("pid", sa.BigInteger, nullable=False),
    sa.Column("lease_until", TEXT),
    sa.Column("closed_at", TEXT),
    sa.Column("first_entry", sa.BigInteger, nullable=False),
    sa.Column("last_entry", sa.BigInteger, nullable=False),
    sa.Index("sessions_status", "status", "first_entry"),
)
