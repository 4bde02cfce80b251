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
    return live.prices.settle(live.plan.request, quote, usage)


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
