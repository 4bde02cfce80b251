"""What a job cost: by the vendor's own words where it has some, over all attempts."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from qpm_lab.experiment import to_nano
from qpm_lab.pricing import Settlement, Usage
from qpm_lab.providers.interface import RunResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qpm_lab.providers.vendor import Answer
    from qpm_lab.runner.attempt import LiveJob


def spent(live: LiveJob, result: RunResult) -> Settlement:
    """What a job that has a result cost, over all attempts."""
    return _with_earlier(live, of_result(live, result))


def spent_without_result(live: LiveJob, event: str) -> Settlement | None:
    """What a job cost that ended without a result, over all attempts; None for one that never was at a vendor."""
    found = of_attempt(live, event)
    if found is None and live.spent:
        found = Settlement(live.plan.quote.currency, 0, "quoted")
    return None if found is None else _with_earlier(live, found)


def of_result(live: LiveJob, result: RunResult) -> Settlement:
    """What the present attempt cost, which has a result."""
    usage = usage_of(live.delivery.answers) if live.delivery else Usage(billed=result.billed)
    return live.prices.settle(live.plan.request, live.plan.quote, usage)


def of_attempt(live: LiveJob, event: str) -> Settlement | None:
    """What the present attempt cost, which has no result; None for one on this machine.

    What a vendor does not say it gives back is booked as if it did not.
    """
    if live.delivery is None:
        return None
    quote, ids = live.plan.quote, live.delivery.vendor_ids
    if not ids:
        return Settlement(quote.currency, 0, "refunded")
    stated = usage_of(live.delivery.answers if len(live.delivery.answers) == len(ids) else ())
    outcome: Literal["cancelled", "failed"] = "cancelled" if event == "job.cancelled" else "failed"
    usage = Usage(stated.billed, stated.qpu_nanoseconds, stated.hqc, outcome=outcome)
    return _at_least(_answered(live, live.delivery.answers), live.prices.settle(live.plan.request, quote, usage))


def _answered(live: LiveJob, answers: Sequence[Answer]) -> Settlement:
    """What the parts cost that the vendor did run: as it says, else their share of the quote."""
    quote, billed = live.plan.quote, usage_of(answers).billed
    if billed is not None and billed[0] == quote.currency:
        return Settlement(quote.currency, billed[1], "billed")
    run = sum(sum(counts.values()) for each in answers for counts in each.counts)
    quoted = (quote.high if quote.expected is None else quote.expected) or 0
    return Settlement(quote.currency, -(-quoted * run // max(1, live.plan.request.total_shots)), "quoted")


def _at_least(least: Settlement, found: Settlement) -> Settlement:
    """What a vendor gives back for a job that ended without a result is not given back for parts that have one."""
    return least if least.currency == found.currency and least.nano > found.nano else found


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
    return Settlement(found.currency, found.nano + before, basis)


def earlier(live: LiveJob, currency: str) -> int:
    """Nano-units that earlier attempts of the job cost in this currency."""
    return sum(amount for kind, amount in live.spent if kind == currency)


def qpu_nanoseconds(live: LiveJob) -> int:
    """QPU time of a job that has a result: what the vendor measured, where it says so, else what was quoted."""
    stated = usage_of(live.delivery.answers).qpu_nanoseconds if live.delivery else None
    return live.plan.quote.qpu_nanoseconds if stated is None else stated


def usage_of(answers: Sequence[Answer]) -> Usage:
    """What the vendor said of all parts together; a figure that it left out of one is left out of all."""
    if not answers:
        return Usage()
    billed = [each.billed for each in answers]
    money = [(kind, to_nano(Decimal(amount))) for kind, amount in (each for each in billed if each is not None)]
    same = len(money) == len(answers) and len({kind for kind, _ in money}) == 1
    seconds = [each.qpu_seconds for each in answers if each.qpu_seconds is not None]
    credits = [each.hqc for each in answers if each.hqc is not None]
    return Usage(
        billed=(money[0][0], sum(amount for _, amount in money)) if same else None,
        qpu_nanoseconds=to_nano(Decimal(str(sum(seconds)))) if len(seconds) == len(answers) else None,
        hqc=Decimal(str(sum(credits))) if len(credits) == len(answers) else None,
    )
