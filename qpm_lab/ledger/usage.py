"""Who used how much: sums over the `jobs` projection."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from qpm_lab.errors import InputError
from qpm_lab.experiment import Status
from qpm_lab.ledger.rows import timestamp
from qpm_lab.ledger.schema import entries, jobs

GROUPS = ("user", "team", "cost_center", "project", "experiment", "backend", "day")


def usage(connection: sa.Connection, since: datetime | None, by: str, session: str | None) -> list[dict[str, Any]]:
    """One row per group: its name, counts of jobs, and sums over completed jobs.

    A job counts for the backend of its last attempt; by backend, what an earlier attempt cost counts for its own.

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
    wanted = _wanted(since, session)
    query = query.where(*wanted).group_by(group, jobs.c.currency).order_by(group, jobs.c.currency)
    groups = _folded(connection.execute(query).mappings().all(), by)
    if by == "backend":
        for currency, nano, earlier, last in _moves(connection, wanted):
            for name, change in ((earlier, nano), (last, -nano)):
                costs = groups.setdefault(name, _blank(by, name))["cost_nano"]
                costs[currency] = costs.get(currency, 0) + change
        return [groups[name] for name in sorted(groups, key=str)]
    return list(groups.values())


def _wanted(since: datetime | None, session: str | None) -> list[sa.ColumnElement[bool]]:
    wanted = [] if since is None else [jobs.c.created_at >= timestamp(since)]
    return wanted if session is None else [*wanted, jobs.c.session_id == session]


def _moves(connection: sa.Connection, wanted: Sequence[sa.ColumnElement[bool]]) -> Iterator[tuple[str, int, str, str]]:
    """What earlier attempts on other backends cost: currency, nano-units, their backend, and that of the last attempt.

    Only of jobs that have ended, in their own currency: that is what the sums have.
    """
    ended = jobs.c.cost_nano.is_not(None) & (jobs.c.attempt > 1)
    query = (
        sa.select(entries.c.job_id, entries.c.payload, jobs.c.backend, jobs.c.currency)
        .join(jobs, jobs.c.job_id == entries.c.job_id)
        .where(*wanted, ended, entries.c.event.in_(("job.submitted", "job.retried")))
        .order_by(entries.c.job_id, entries.c.seq)
    )
    before = ""
    for row in connection.execute(query):
        payload = json.loads(row.payload)
        told = payload.get("ledger", {})
        if "job" in told:
            before = told["job"]["backend"]
            continue
        cost = payload.get("cost")
        same = isinstance(cost, dict) and cost["currency"] == row.currency
        if same and cost["nano"] and before != row.backend:
            yield row.currency, int(cost["nano"]), before, row.backend
        before = told.get("backend", before)


_SUMS = ("jobs", "completed", "failed", "cancelled", "denied", "succeeded", "validated", "passed", "shots")


def _folded(rows: Any, by: str) -> dict[str | None, dict[str, Any]]:
    """Adds up the rows of one group, keeping currencies apart."""
    groups: dict[str | None, dict[str, Any]] = {}
    for row in rows:
        total = groups.setdefault(row["name"], _blank(by, row["name"]))
        for name in _SUMS:
            total[name] += int(row[name])
        total["run_seconds"] += float(row["run_seconds"])
        if row["currency"] is not None:
            total["cost_nano"][row["currency"]] = int(row["cost_nano"])
    return groups


def _blank(by: str, name: str | None) -> dict[str, Any]:
    return {by: name, **dict.fromkeys(_SUMS, 0), "run_seconds": 0.0, "cost_nano": {}}
