"""The transactions of a job: each changes the chain and its projections together, or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from qpm_lab.errors import InputError, LedgerError
from qpm_lab.experiment import OPEN, Hold, Status
from qpm_lab.ledger import counters, envelopes, projection
from qpm_lab.ledger.chain import entry_of
from qpm_lab.ledger.counters import Held
from qpm_lab.ledger.direct import execute
from qpm_lab.ledger.rows import Blob, Ending, Entry, NewJob, Owner, Retried, timestamp
from qpm_lab.ledger.schema import entries, jobs, sessions
from qpm_lab.ledger.transaction import Abandoned, Transaction

_JOB = jobs.c.job_id == sa.bindparam("p_job")
_OPEN_SESSION = (
    sa.select(sessions.c.session_id)
    .where(sessions.c.session_id == jobs.c.session_id, sessions.c.status == "open")
    .scalar_subquery()
)
_STANDING = sa.select(
    jobs.c.status, jobs.c.attempt, jobs.c.epoch, jobs.c.cancel_requested, _OPEN_SESSION.label("session")
).where(_JOB)
_CANCEL = (
    sa.select(entries)
    .where(entries.c.job_id == sa.bindparam("p_job"), entries.c.event == "job.cancel_requested")
    .order_by(entries.c.seq)
    .limit(1)
)
_UPDATE_JOB = jobs.update().where(_JOB)
_INSERT_JOB = jobs.insert()
_RENEW = jobs.update().where(_JOB, jobs.c.epoch == sa.bindparam("p_epoch"), jobs.c.status.in_(sorted(OPEN)))
_FIRST = (1, 1)
"""Attempt and epoch in which a job begins."""

Standing = sa.Row[Any, Any, Any, Any, Any]
"""Status, attempt, epoch, cancel_requested, and the job's session if that is open."""
_NOTHING = Held(0, None)

Facts = list[dict[str, Any]]
"""Holds as entries record them."""


class JobTransaction(Transaction):
    """What happens to jobs."""

    def submit(
        self,
        job: NewJob,
        payload: Mapping[str, Any],
        holds: Sequence[Hold],
        owner: Owner,
        kept: Sequence[Blob],
        started: bool,
    ) -> Entry:
        facts, _ = self._drawing(job, counters.hold_facts(holds))
        if job.session_id is not None:
            self._draw(job.session_id, facts)
        self._reserve(job.job_id, facts, holds, job.session_id)
        entry, row = self._intend(job, payload, facts, owner, kept)
        if started:
            entry = self._append("job.started", {}, {"vendor_id": None}, job_id=job.job_id, place=_FIRST)
            row |= projection.job_changes(entry)
        execute(self._connection, _INSERT_JOB, row)
        self._close()
        return entry

    def submit_ended(
        self,
        job: NewJob,
        payload: Mapping[str, Any],
        holds: Sequence[Hold],
        owner: Owner,
        ending: Ending,
        kept: Sequence[Blob],
    ) -> Entry:
        """What `submit` and `finish` leave behind, without the reservations in between."""
        facts, envelope = self._drawing(job, counters.hold_facts(holds))
        holding = {fact["counter"]: Held(fact["amount"], None) for fact in facts}
        amounts = counters.settlement(holding, ending.settled)
        shortages = counters.take(self._connection, facts, holds, amounts)
        if shortages:
            raise Abandoned(shortages)
        if job.session_id is not None:
            keys = [fact["counter"] for fact in _drawn(facts)]
            spent = {key: min(amounts[key], envelope[key].amount) for key in keys}
            envelopes.shift(self._connection, job.session_id, {key: -amount for key, amount in spent.items()})
            counters.settle(self._connection, spent, amounts)
        _, row = self._intend(job, payload, facts, owner, kept)
        began = {} if ending.started_at is None else {"started_at": timestamp(ending.started_at)}
        begun = self._append("job.started", {}, {"vendor_id": None} | began, job_id=job.job_id, place=_FIRST)
        outcome, changes = self._outcome(job.job_id, _FIRST, ending, holding, amounts)
        row |= projection.job_changes(begun) | changes
        execute(self._connection, _INSERT_JOB, row)
        self._close()
        return outcome

    def refuse(self, job: NewJob, payload: Mapping[str, Any], event: str, kept: Sequence[Blob]) -> Entry:
        told = {"job": projection.job_facts(job)}
        self._require_new(job.job_id)
        entry = self._append(event, payload, told, kept=kept, job_id=job.job_id, place=_FIRST)
        execute(self._connection, _INSERT_JOB, projection.job_changes(entry) | {"lease_until": None})
        self._close()
        return entry

    def start(self, job_id: str, epoch: int, payload: Mapping[str, Any], vendor_id: str | None) -> Entry:
        standing = self._open(job_id, epoch)
        if standing.status in (Status.RUNNING, Status.PARKED):
            raise Abandoned
        return self._move("job.started", payload, job_id, standing, {"vendor_id": vendor_id})

    def finish(self, job_id: str, epoch: int, ending: Ending) -> Entry:
        standing = self._open(job_id, epoch)
        holding = counters.held(self._connection, job_id)
        amounts = counters.settlement(holding, ending.settled)
        self._settle(job_id, holding, amounts, standing.session)
        outcome, changes = self._outcome(job_id, (standing.attempt, standing.epoch), ending, holding, amounts)
        return self._update(outcome, **changes)

    def accepted(self, job_id: str, epoch: int, payload: Mapping[str, Any], vendor_id: str) -> Entry:
        standing = self._open(job_id, epoch)
        return self._move("job.accepted", payload, job_id, standing, {"vendor_id": vendor_id})

    def park(self, job_id: str, epoch: int, payload: Mapping[str, Any]) -> Entry:
        standing = self._open(job_id, epoch)
        if standing.status == Status.PARKED:
            raise Abandoned
        return self._move("job.parked", payload, job_id, standing)

    def unpark(self, job_id: str, payload: Mapping[str, Any], owner: Owner) -> Entry:
        standing = self._standing(job_id)
        if standing.status != Status.PARKED:
            raise Abandoned
        place = (standing.attempt, standing.epoch + 1)
        told = {"owner": projection.owner_facts(owner)}
        entry = self._append("job.unparked", payload, told, job_id=job_id, place=place)
        return self._update(entry, lease_until=timestamp(owner.lease_until))

    def retry(self, job_id: str, epoch: int, retried: Retried) -> Entry:
        standing = self._open(job_id, epoch)
        facts, holds = counters.hold_facts(retried.holds), retried.holds
        holding = counters.held(self._connection, job_id)
        amounts = counters.settlement(holding, retried.settled)
        self._settle(job_id, holding, amounts, standing.session)
        if standing.session is not None:
            facts = envelopes.mark(facts, counters.held(self._connection, standing.session))
            self._draw(standing.session, facts)
        self._reserve(job_id, facts, holds, standing.session)
        place = (standing.attempt + 1, standing.epoch)
        self._overrun(job_id, place, holding, amounts)
        told: dict[str, Any] = {"settled": amounts} | ({"backend": retried.backend} if retried.backend else {})
        entry = self._append(
            "job.retried", retried.payload, told, kept=retried.blobs, facts=facts, job_id=job_id, place=place
        )
        return self._update(entry)

    def request_cancel(self, job_id: str, by: str) -> Entry:
        standing = self._standing(job_id)
        if standing.status not in OPEN:
            raise Abandoned
        if standing.cancel_requested:
            return entry_of(self._connection.execute(_CANCEL, {"p_job": job_id}).mappings().one())
        return self._move("job.cancel_requested", {"by": by}, job_id, standing)

    def take_over(self, job_id: str, epoch: int, owner: Owner) -> int:
        place = (self._open(job_id, epoch).attempt, epoch + 1)
        told = {"owner": projection.owner_facts(owner)}
        entry = self._append("job.taken_over", {}, told, job_id=job_id, place=place)
        self._update(entry, lease_until=timestamp(owner.lease_until))
        return entry.epoch

    def note_on(self, job_id: str, event: str, payload: Mapping[str, Any]) -> Entry:
        return self._move(event, payload, job_id, self._standing(job_id))

    def _drawing(self, job: NewJob, facts: Facts) -> tuple[Facts, dict[str, Held]]:
        """The holds of a new job, marked as drawn where its session covers them, and the session's envelope."""
        standing = self._require_new(job.job_id, job.session_id)
        if job.session_id is None:
            return facts, {}
        if standing is None:
            raise InputError(f"There is no session {job.session_id[:80]!r}.", "Open one first.")
        if standing != "open":
            raise LedgerError(
                f"The session {job.session_id[:80]!r} has ended; nothing was submitted.", "Open a new session."
            )
        envelope = counters.held(self._connection, job.session_id)
        return envelopes.mark(facts, envelope), envelope

    def _draw(self, session_id: str, facts: Facts) -> None:
        envelopes.shift(self._connection, session_id, {f["counter"]: -f["amount"] for f in _drawn(facts)})

    def _settle(
        self, job_id: str, holding: Mapping[str, Held], amounts: Mapping[str, int], session_id: str | None
    ) -> None:
        """Ends a job's reservations; what it drew and did not use goes back to the session, if that is open."""
        if not holding:
            return
        back: dict[str, int] = {}
        if session_id is not None:
            envelope = counters.held(self._connection, session_id)
            back = {
                key: envelopes.change(held.amount, amounts[key], envelope.get(key, _NOTHING).amount)
                for key, held in holding.items()
                if held.session_id == session_id
            }
            envelopes.shift(self._connection, session_id, back)
        freed = {key: held.amount - back.get(key, 0) for key, held in holding.items()}
        counters.settle(self._connection, freed, amounts)
        counters.release(self._connection, job_id)

    def _intend(
        self, job: NewJob, payload: Mapping[str, Any], facts: Facts, owner: Owner, kept: Sequence[Blob]
    ) -> tuple[Entry, dict[str, Any]]:
        """Appends `job.submitted`; returns it with the row it makes."""
        told = {"job": projection.job_facts(job), "owner": projection.owner_facts(owner)}
        entry = self._append("job.submitted", payload, told, kept=kept, facts=facts, job_id=job.job_id, place=_FIRST)
        return entry, projection.job_changes(entry) | {"lease_until": timestamp(owner.lease_until)}

    def _outcome(
        self,
        job_id: str,
        place: tuple[int, int],
        ending: Ending,
        holding: Mapping[str, Held],
        amounts: Mapping[str, int],
    ) -> tuple[Entry, dict[str, Any]]:
        """Appends an overrun for each amount above its hold, the outcome, and what follows it.

        Returns:
            The outcome's entry, and what all of them change in the job's row.
        """
        self._overrun(job_id, place, holding, amounts)
        told = {"settled": amounts, "summary": projection.summary_facts(dict(ending.summary))}
        outcome = self._append(ending.event, ending.payload, told, kept=ending.blobs, job_id=job_id, place=place)
        changes = projection.job_changes(outcome)
        for event, payload in ending.further:
            projection.require_free(event)
            changes |= projection.job_changes(self._append(event, payload, job_id=job_id, place=place))
        return outcome, changes

    def _overrun(
        self, job_id: str, place: tuple[int, int], holding: Mapping[str, Held], amounts: Mapping[str, int]
    ) -> None:
        for key, held in holding.items():
            if amounts[key] > held.amount:
                overrun = {"counter": key, "held": held.amount, "settled": amounts[key]}
                self._append("cost.overrun", overrun, job_id=job_id, place=place)

    def _standing(self, job_id: str) -> Standing:
        row = self._connection.execute(_STANDING, {"p_job": job_id}).one_or_none()
        if row is None:
            raise InputError(f"There is no job {job_id[:80]!r}.", "List the jobs with `qpm jobs` or %qjobs.")
        return row

    def _open(self, job_id: str, epoch: int) -> Standing:
        standing = self._standing(job_id)
        if standing.status not in OPEN or standing.epoch != epoch:
            raise Abandoned
        return standing

    def _move(
        self,
        event: str,
        payload: Mapping[str, Any],
        job_id: str,
        standing: Standing,
        told: Mapping[str, Any] | None = None,
    ) -> Entry:
        place = (standing.attempt, standing.epoch)
        return self._update(self._append(event, payload, told, job_id=job_id, place=place))

    def _update(self, entry: Entry, **more: Any) -> Entry:
        changes = projection.job_changes(entry) | more
        execute(self._connection, _UPDATE_JOB, {"p_job": entry.job_id} | changes)
        self._close()
        return entry


def _drawn(facts: Facts) -> Facts:
    return [fact for fact in facts if fact.get("drawn")]


def renew(
    connection: sa.Connection, job_id: str, epoch: int, lease_until: datetime, standing: str | None = None
) -> bool:
    """Moves a lease, if the job is open in this epoch; needs no entry and not the end of the chain."""
    values = {"p_job": job_id, "p_epoch": epoch, "lease_until": timestamp(lease_until)}
    if standing is not None:
        values["standing"] = standing
    return connection.execute(_RENEW, values).rowcount == 1
