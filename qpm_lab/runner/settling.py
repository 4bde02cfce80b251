"""What a job cost: by the vendor's own words where it has some, over all attempts."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from qpm_lab.experiment import to_nano
from qpm_lab.pricing import Settlement, Usage, VendorJob
from qpm_lab.providers.interface import RunResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qpm_lab.pricing.parts import State
    from qpm_lab.runner.attempt import LiveJob
    from qpm_lab.runner.delivery import Delivery
    from qpm_lab.runner.parts import Part


def spent(live: LiveJob, result: RunResult) -> Settlement:
    """What a job that has a result cost, over all attempts."""
    return _with_earlier(live, of_result(live, result))


def spent_without_result(live: LiveJob) -> Settlement | None:
    """What a job cost that ended without a result, over all attempts; None for one that never was at a vendor."""
    found = of_attempt(live)
    if found is None and live.spent:
        found = Settlement(live.plan.quote.currency, 0, "quoted")
    return None if found is None else _with_earlier(live, found)


def of_result(live: LiveJob, result: RunResult) -> Settlement:
    """What the present attempt cost, which has a result."""
    request, quote = live.plan.request, live.plan.quote
    return of_attempt(live) or live.prices.settle(request, quote, Usage(billed=result.billed))


def of_attempt(live: LiveJob) -> Settlement | None:
    """What the present attempt cost at its vendor, each part by what became of it; None for one on this machine.

    What a vendor does not say it gives back is booked as if it did not.
    """
    if live.delivery is None:
        return None
    return live.prices.settle_parts(live.plan.request, live.plan.quote, _vendor_jobs(live.delivery))


def told(cost: Settlement) -> dict[str, Any]:
    """A settlement as entries have it."""
    why = {"reason": cost.reason} if cost.reason else {}
    return {"currency": cost.currency, "nano": cost.nano, "basis": cost.basis, **why}


def _vendor_jobs(delivery: Delivery) -> list[VendorJob]:
    return [VendorJob(len(each.parcel.circuits), each.shots, _state(each), _said(each)) for each in delivery.parts]


def _state(part: Part) -> State:
    if part.vendor_id is None:
        return "never sent"
    return "answered" if part.answer is not None else part.ended or "unclear"


def _said(part: Part) -> Usage:
    answer = part.answer
    if answer is None:
        return Usage()
    return Usage(
        billed=None if answer.billed is None else (answer.billed[0], to_nano(Decimal(answer.billed[1]))),
        qpu_nanoseconds=None if answer.qpu_seconds is None else to_nano(Decimal(str(answer.qpu_seconds))),
        hqc=None if answer.hqc is None else Decimal(str(answer.hqc)),
    )


def left_of(limit: int | None, spent: Sequence[tuple[str, int]], currency: str) -> int | None:
    """What is left of the caller's own limit after earlier attempts; nothing when they were paid in other money."""
    if limit is None:
        return None
    if any(kind != currency and amount for kind, amount in spent):
        return 0
    return max(0, limit - sum(amount for _, amount in spent))


def _with_earlier(live: LiveJob, found: Settlement) -> Settlement:
    before = earlier(live, found.currency)
    basis = "quoted" if before and found.basis == "refunded" else found.basis
    return replace(found, nano=found.nano + before, basis=basis)


def earlier(live: LiveJob, currency: str) -> int:
    """Nano-units that earlier attempts of the job cost in this currency."""
    return sum(amount for kind, amount in live.spent if kind == currency)


def qpu_nanoseconds(live: LiveJob) -> int:
    """QPU time of the present attempt: what the vendor measured, where it says so, else its share of the quote; none of
    what the vendor does not charge.
    """
    quoted, request = live.plan.quote.qpu_nanoseconds, live.plan.request
    if live.delivery is None:
        return quoted
    parts = _vendor_jobs(live.delivery)
    charged = [each for each in parts if live.prices.settle(request, live.plan.quote, each.usage).basis != "refunded"]
    measured = sum(each.said.qpu_nanoseconds or 0 for each in charged)
    shots = sum(each.shots for each in charged if each.said.qpu_nanoseconds is None)
    return measured - (-quoted * shots // max(1, sum(each.shots for each in parts)))
