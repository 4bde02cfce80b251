"""Who used how much: sums over the `jobs` projection."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from qpm_lab.errors import InputError
from qpm_lab.experiment import Status
from qpm_lab.ledger.rows import timestamp
from qpm_lab.ledger.schema import jobs

GROUPS = ("user", "team", "cost_center", "project", "experiment", "backend", "day")


def usage(connection: sa.Connection, since: datetime | None, by: str, session: str | None) -> list[dict[str, Any]]:
    """One row per group: its name, counts of jobs, and sums over completed jobs.

    Keys: `by`, jobs, completed, failed, cancelled, denied, succeeded (completed, and not without meeting the
    conditions set), validated (had conditions and completed), passed (met them), shots, run_seconds, and
    cost_nano as a dictionary of nano-units per currency.
    """
    if by not in GROUPS:
        raise InputError(f"Usage cannot be grouped by {by[:40]!r}.", f"Choose one of: {', '.join(GROUPS)}.")
    group = sa.func.substr(jobs.c.created_at, 1, 10) if by == "day" else jobs.c[by]
    done = jobs.c.status == Status.COMPLETED.value
    query = sa.select(
        group.label("name"),
        jobs.c.currency,
        sa.func.count().label("jobs"),
        *(
            sa.func.count().filter(jobs.c.status == status.value).label(status.value)
            for status in (Status.COMPLETED, Status.FAILED, Status.CANCELLED, Status.DENIED)
        ),
        sa.func.count().filter(done, jobs.c.validation.is_distinct_from("failed")).label("succeeded"),
        sa.func.count(jobs.c.validation).label("validated"),
        sa.func.count().filter(jobs.c.validation == "passed").label("passed"),
        sa.func.coalesce(sa.func.sum(jobs.c.total_shots).filter(done), 0).label("shots"),
        sa.func.coalesce(sa.func.sum(jobs.c.run_seconds), 0.0).label("run_seconds"),
        sa.func.coalesce(sa.func.sum(jobs.c.cost_nano), 0).label("cost_nano"),
    )
    if since is not None:
        query = query.where(jobs.c.created_at >= timestamp(since))
    if session is not None:
        query = query.where(jobs.c.session_id == session)
    query = query.group_by(group, jobs.c.currency).order_by(group, jobs.c.currency)
    return _folded(connection.execute(query).mappings().all(), by)


_SUMS = ("jobs", "completed", "failed", "cancelled", "denied", "succeeded", "validated", "passed", "shots")


def _folded(rows: Any, by: str) -> list[dict[str, Any]]:
    """Adds up the rows of one group, keeping currencies apart."""
    groups: dict[str | None, dict[str, Any]] = {}
    for row in rows:
        blank = {by: row["name"], **dict.fromkeys(_SUMS, 0), "run_seconds": 0.0, "cost_nano": {}}
        total = groups.setdefault(row["name"], blank)
        for name in _SUMS:
            total[name] += int(row[name])
        total["run_seconds"] += float(row["run_seconds"])
        if row["currency"] is not None:
            total["cost_nano"][row["currency"]] = int(row["cost_nano"])
    return list(groups.values())
