"""`Job` follows one submission, in the process that made it or in any other."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qpm_lab import circuits, providers
from qpm_lab.errors import CancelledError, InputError, ProviderError, QpmError
from qpm_lab.experiment import OPEN, Decision, Status
from qpm_lab.ledger import JobRow
from qpm_lab.result import Result
from qpm_lab.runner.attempt import LiveJob
from qpm_lab.runner.outcome import Outcome
from qpm_lab.runner.record import decision_of, histograms, sweeps_of
from qpm_lab.runner.validation import failure

if TYPE_CHECKING:
    from qpm_lab.lab import Lab

POLL_SECONDS = 0.2


class Job:
    """One governed submission. `status`, `decision` and `quote` are read from the ledger."""

    def __init__(self, lab: Lab, job_id: str, live: LiveJob | None = None) -> None:
        self.id = job_id
        self._lab = lab
        self._followed = live
        self._pid = os.getpid()

    @property
    def status(self) -> Status:
        return Status(self._row.status)

    @property
    def decision(self) -> Decision:
        """The verdict it was submitted under."""
        return decision_of(self._lab.ledger, self.id)

    @property
    def quote(self) -> Mapping[str, Any]:
        """The quote it was authorised on, money as decimal strings."""
        quote: Mapping[str, Any] = self.record()["quote"]
        return quote

    @property
    def succeeded(self) -> bool:
        """True when it has completed and met the conditions set for it."""
        row = self._row
        return row.status == Status.COMPLETED and row.validation != "failed"

    @property
    def is_remote(self) -> bool:
        """True when it was sent to a vendor: it then does not need this process."""
        live = self._live
        return live.delivery is not None if live is not None else bool(self.record()["vendor_ids"])

    @property
    def is_sent(self) -> bool:
        """True when its vendor has all of it, as far as this process knows."""
        live = self._live
        return live is not None and live.delivery is not None and live.delivery.is_sent

    def require_validation(self) -> None:
        """Raises ValidationError when the job completed without meeting the conditions set for it."""
        live = self._live
        if live is not None and not live.plan.conditions:
            return
        if self._row.validation == "failed":
            record = self.record()
            raise failure(record["validation"], record["next"]["text"])

    def record(self) -> dict[str, Any]:
        """The job as one JSON document (docs/record.md)."""
        return self._lab.record(self.id)

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until the job has ended; False when `timeout` seconds passed first."""
        live = self._live
        until = None if timeout is None else time.monotonic() + timeout
        if live is not None and (not live.ended.wait(timeout) or not live.lost):
            return live.ended.is_set()
        while self._row.status in OPEN - {Status.PARKED}:
            if until is not None and time.monotonic() >= until:
                return False
            time.sleep(POLL_SECONDS)
        return True

    def result(self, timeout: float | None = None) -> Result:
        """Waits for the result, which a job that did not meet its conditions has too: see `succeeded`.

        Args:
            timeout: Seconds to wait; None waits as long as it takes.

        Raises:
            TimeoutError: it still runs; the job goes on.
            CancelledError: it was cancelled.
            ProviderError: it failed.
        """
        if not self.wait(timeout):
            raise TimeoutError(f"Job {self.id} still runs; it goes on. Wait longer or call .cancel().")
        live = self._live
        if live is not None and live.error is not None:
            raise live.error
        if live is not None and live.outcome is not None:
            return _live_result(live, live.outcome)
        record = self.record()
        if record["status"] != Status.COMPLETED:
            raise failure_of(record)
        return self._recorded(record, histograms(self._lab.ledger, self.id))

    def partial(self) -> Result:
        """The points of a sweep that are done: while it runs, and after a cancel or a failure.

        Raises:
            InputError: it is no sweep, or no point of it is done yet.
        """
        live = self._live
        if live is not None and not live.ended.is_set():
            done = live.finished()
        else:
            done = histograms(self._lab.ledger, self.id)
        if not done or not self._asked.get("sweeps"):
            raise InputError("There is nothing yet: no point of a sweep is done.", "Wait, or call .result().")
        return self._recorded(self.record(), done)

    def calibration(self) -> dict[str, Any]:
        """The backend as it was when the job was submitted: gates, couplings, errors, durations, T1 and T2.

        Raises:
            InputError: the job was refused, or is older than such snapshots.
        """
        told = self._asked.get("calibration")
        if told is None:
            raise InputError(f"Job {self.id} has no calibration snapshot.", "Jobs that were submitted have one.")
        return providers.read_calibration(self._lab.ledger.blob(told["digest"]))

    def cancel(self) -> None:
        """Stops the job; a job that has ended is left as it is."""
        if self._row.status in OPEN:
            with contextlib.suppress(InputError):  # it may end in this very moment
                self._lab.cancel(self.id)

    @property
    def _live(self) -> LiveJob | None:
        """The job as this process runs it; a forked child, or one that lost it, knows it from the ledger only."""
        followed = self._followed
        return followed if os.getpid() == self._pid and not (followed and followed.lost) else None

    @property
    def _row(self) -> JobRow:
        return self._lab.ledger.job(self.id)

    @property
    def _asked(self) -> Mapping[str, Any]:
        return self._lab.ledger.entries(self.id)[0].payload

    def _recorded(self, record: Mapping[str, Any], counts: Sequence[Mapping[str, int]]) -> Result:
        ledger, asked = self._lab.ledger, self._asked
        read = [circuits.read_qpy(ledger.blob(digest))[0] for digest in asked["circuit_blobs"]]
        return Result.from_record(record, read, sweeps_of(ledger, asked), counts)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from qpm_lab.display import mimebundle

        return mimebundle(self.record())

    def __repr__(self) -> str:
        return f"<Job {self.id} {self.status} on {self._row.backend}>"


def _live_result(live: LiveJob, outcome: Outcome) -> Result:
    task = live.task
    common = {"cost": outcome.cost, "backend": task.backend.id, "shots": task.shots}
    bindings = task.bindings or (None,) * len(task.circuits)
    return Result.build(outcome.counts, outcome.estimates, task.circuits, bindings, common)


def failure_of(record: Mapping[str, Any]) -> QpmError:
    """Why a job has no result."""
    error = record["error"] or {}
    message, hint = error.get("message", f"The job is {record['status']}."), error.get("hint", "")
    if record["sweep"]:
        hint = f"{record['sweep']['done']:,} of {record['sweep']['points']:,} points are kept: job.partial()."
    if record["status"] == Status.CANCELLED:
        return CancelledError(message, hint)
    return ProviderError(message, hint)
