"""What a job cost: by the vendor's own words where it has some, over all attempts."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from qpm_lab.experiment import to_nano
from qpm_lab.pricing import Settlement, Usage
from qpm_lab.providers.interface import RunResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qpm_lab.providers.vendor import Answer
    from qpm_lab.runner.attempt import LiveJob


def spent(live: LiveJob, result: RunResult) -> tuple[str, int, str]:
    """Currency, nano-units and basis of a job that has a result."""
    answers = live.delivery.answers if live.delivery else ()
    usage = usage_of(answers) if live.delivery else Usage(billed=result.billed)
    found = live.prices.settle(live.plan.request, live.plan.quote, usage)
    return found.currency, found.nano + earlier(live, found.currency), found.basis


def spent_without_result(live: LiveJob, event: str) -> Settlement | None:
    """What a job at a vendor cost that ended without a result; None for one that never was at a vendor.

    What a vendor does not say it gives back is booked as if it did not.
    """
    if live.delivery is None and not live.spent:
        return None
    quote = live.plan.quote
    ids = live.delivery.vendor_ids if live.delivery else []
    if not ids:
        return Settlement(quote.currency, earlier(live, quote.currency), "quoted" if live.spent else "refunded")
    stated = usage_of(live.delivery.answers if live.delivery and len(live.delivery.answers) == len(ids) else ())
    usage = Usage(
        stated.billed,
        stated.qpu_nanoseconds,
        stated.hqc,
        outcome="cancelled" if event == "job.cancelled" else "failed",
    )
    found = live.prices.settle(live.plan.request, quote, usage)
    return Settlement(found.currency, found.nano + earlier(live, found.currency), found.basis)


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
