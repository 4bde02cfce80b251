"""An attempt that has ended while its job goes on: what is recorded of it, what it cost, what of its holds it used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from qpm_lab.ledger import Blob
from qpm_lab.pricing import Settlement
from qpm_lab.runner.outcome import counts_blob
from qpm_lab.runner.settling import of_attempt, of_result, qpu_nanoseconds, told

if TYPE_CHECKING:
    from qpm_lab.errors import ProviderError
    from qpm_lab.providers.interface import RunResult
    from qpm_lab.runner.attempt import LiveJob


@dataclass(frozen=True, slots=True)
class Ended:
    """One attempt of a job, over."""

    told: Mapping[str, Any]
    """What the entry of the next attempt says of it."""
    settled: Mapping[str, int] | None = None
    """For each counter that it held what it used; None when it used nothing."""
    cost: Settlement | None = None
    blobs: tuple[Blob, ...] = field(default=())


def failed(live: LiveJob, error: ProviderError) -> Ended:
    """An attempt without a result, with what the vendor keeps of its price."""
    said = {"error": error.to_dict()}
    cost = of_attempt(live)
    answers = live.delivery.answers if live.delivery else ()
    shots = sum(sum(counts.values()) for answer in answers for counts in answer.counts)
    if cost is None or not (cost.nano or shots):
        return Ended(said)
    return Ended(said | {"cost": told(cost)}, _used(live, shots, cost, qpu_nanoseconds(live)), cost)


def unconvincing(live: LiveJob, result: RunResult, verdict: Mapping[str, Any]) -> Ended:
    """An attempt whose result did not meet the job's conditions: it is kept, and paid for."""
    cost, blob = of_result(live, result), counts_blob(result.counts)
    said = {"validation": dict(verdict), "cost": told(cost), "counts_blob": blob.digest}
    used = _used(live, live.plan.request.total_shots, cost, qpu_nanoseconds(live))
    return Ended(said, used, cost, (blob,))


def _used(live: LiveJob, shots: int, cost: Settlement, seconds: int) -> dict[str, int]:
    """The job itself is counted when it ends; a cost in another currency than what was held uses all of that."""
    actual = {"jobs": 0, "shots": shots, "qpu_seconds": seconds}
    if cost.currency == live.plan.quote.currency:
        actual["cost"] = cost.nano
    return {hold.counter: actual.get(hold.measure, hold.amount) for hold in live.holds}
