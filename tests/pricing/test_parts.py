"""What is booked for a job of several vendor jobs, whatever became of each."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qpm_lab.experiment import NANO, to_nano
from qpm_lab.pricing import Prices, Settlement, Usage, VendorJob, prices_of
from tests.pricing.making import TODAY, job

ROW: dict[str, Any] = {
    "id": "own", "backends": ["braket/iqm_garnet"], "formula": "task-and-shot", "currency": "USD",
    "unit": "task and shot", "rates": {"per_task": "0.30", "per_shot": "0.001"}, "source": "contract",
    "seen_on": "2026-11-01", "confidence": "A", "region": "us", "channel": "own",
}  # fmt: skip
GIVES_BACK = {"cancelled": "all", "failed": "usage"}


def made(refunds: dict[str, str] | None = None, **changes: Any) -> Prices:
    return prices_of({"prices": [{**ROW, **changes, "refunds": refunds or {}}]})


def part(state: Any, shots: int = 1000, **said: Any) -> VendorJob:
    return VendorJob(1, shots, state, Usage(**said))


def settled(parts: list[VendorJob], prices: Prices, backend: str = "braket/iqm_garnet") -> tuple[Settlement, int]:
    """The settlement, and the high end of the quote."""
    request = job(backend, circuits=len(parts))
    quote = prices.quote(request, TODAY)
    assert quote.high is not None
    return prices.settle_parts(request, quote, parts), quote.high


@pytest.mark.parametrize(
    ("parts", "amount", "basis"),
    [
        # A part is 0.30 + 1,000 × 0.001.
        ([part("answered"), part("answered"), part("answered")], "3.9", "quoted"),
        ([part("answered"), part("never sent"), part("never sent")], "1.3", "quoted"),
        ([part("answered"), part("cancelled"), part("never sent")], "1.3", "quoted"),
        ([part("answered"), part("failed"), part("cancelled")], "2.6", "quoted"),
        ([part("answered"), part("unclear"), part("cancelled")], "2.6", "quoted"),
        ([part("never sent"), part("never sent"), part("never sent")], "0", "refunded"),
        ([part("cancelled"), part("cancelled"), part("never sent")], "0", "refunded"),
        ([part("answered", billed=("USD", NANO)), part("cancelled"), part("never sent")], "1", "billed"),
        ([part("answered", billed=("USD", NANO)), part("answered"), part("never sent")], "2.3", "quoted"),
        ([part("answered", billed=("USD", 9 * NANO)), part("answered"), part("unclear")], "9", "quoted"),
    ],
)
def test_each_part_costs_by_what_became_of_it(parts: list[VendorJob], amount: str, basis: str) -> None:
    """A vendor that gives back what is cancelled, and bills failures by use."""
    found, _ = settled(parts, made(GIVES_BACK))
    assert (found.currency, found.nano, found.basis) == ("USD", to_nano(amount), basis)


def test_what_a_vendor_does_not_say_it_gives_back_is_booked_for_what_was_sent() -> None:
    """And for no more than that."""
    found, _ = settled([part("cancelled"), part("failed"), part("never sent"), part("never sent")], made())
    assert (found.nano, found.basis) == (to_nano("2.6"), "quoted")


def test_a_part_of_few_shots_still_costs_its_task() -> None:
    """The share is worked out by the formula: 0.30 + 100 × 0.001 of 1.30 + 0.40, where the shots alone say 1/11."""
    found, _ = settled([part("answered", shots=100), part("never sent")], made())
    assert found.nano == -(-to_nano("2.6") * 400 // 1700)


def test_what_was_measured_is_priced_and_the_rest_is_a_share() -> None:
    """3 s at 1.60 for the part that answered; nothing for one that IBM gave back before the QPU was locked."""
    from qpm_lab.pricing import load_prices

    known = part("answered", qpu_nanoseconds=3 * NANO)
    found, _ = settled([known, part("never sent")], load_prices(), "ibm/ibm_fez")
    assert (found.nano, found.basis) == (to_nano("4.8"), "metered")


def test_the_reason_says_how_many_parts_were_booked_how() -> None:
    """Nothing is said where all parts are alike, or there is only one."""
    parts = [part("answered", billed=("USD", NANO)), part("cancelled"), part("cancelled"), part("never sent")]
    found, _ = settled(parts, made(GIVES_BACK))
    assert found.reason == "Of 4 vendor jobs: 1 answered (as billed), 2 cancelled (not charged), 1 never sent."
    assert not settled([part("answered")] * 3, made())[0].reason
    assert not settled([part("cancelled")], made())[0].reason


def test_money_that_nobody_can_change_is_not_added_to_other_money() -> None:
    """Alone it stays what it is; beside other amounts its part is booked at its share."""
    francs = part("answered", billed=("CHF", 5 * NANO))
    assert settled([francs, part("never sent")], made())[0].currency == "CHF"
    found, _ = settled([francs, part("answered", billed=("USD", NANO))], made())
    assert (found.currency, found.nano, found.basis) == ("USD", to_nano("2.3"), "quoted")


STATES = st.sampled_from(["answered", "failed", "cancelled", "unclear", "never sent"])
REFUNDS = st.sampled_from(["all", "usage", "nothing", "unknown"])
FIGURES = st.one_of(
    st.just({}),
    st.builds(lambda nano: {"billed": ("USD", nano)}, st.integers(0, 10**11)),
    st.builds(lambda nano: {"qpu_nanoseconds": nano}, st.integers(0, 10**11)),
    st.builds(lambda amount: {"hqc": Decimal(amount)}, st.integers(0, 1000)),
)
BACKENDS = st.sampled_from(["braket/iqm_garnet", "ibm/ibm_fez", "azure/quantinuum.qpu.h2-1"])


@st.composite
def vendor_jobs(draw: Any) -> VendorJob:
    state = draw(STATES)
    said = draw(FIGURES) if state == "answered" else {}
    return VendorJob(draw(st.integers(1, 5)), draw(st.integers(1, 10**6)), state, Usage(**said))


@given(st.lists(vendor_jobs(), min_size=1, max_size=12), REFUNDS, REFUNDS, BACKENDS)
def test_never_below_zero_and_above_high_only_by_the_vendors_own_words(
    parts: list[VendorJob], failed: str, cancelled: str, backend: str
) -> None:
    """Whatever became of however many parts: what was never sent adds nothing, and refunds never make it dearer."""
    prices = made({"failed": failed, "cancelled": cancelled})
    found, high = settled(parts, prices, backend)
    alone = [settled([each], prices, backend)[0] for each in parts]
    said = sum(each.nano for each in alone if each.basis in ("billed", "metered"))
    assert 0 <= found.nano <= max(high, said)
    assert found.nano >= said
    assert (found.basis == "refunded") == all(each.basis == "refunded" for each in alone)
    if all(each.state in ("never sent",) for each in parts):
        assert found == Settlement("USD", 0, "refunded")
    generous, _ = settled(parts, made({"failed": "all", "cancelled": "all"}), backend)
    assert backend != "braket/iqm_garnet" or generous.nano <= found.nano


@given(st.lists(vendor_jobs(), min_size=2, max_size=8), REFUNDS)
def test_one_part_more_that_was_sent_never_makes_it_cheaper(parts: list[VendorJob], refund: str) -> None:
    """The same job, with its last part sent instead of held back."""
    prices = made({"failed": refund, "cancelled": refund})
    last = parts[-1]
    held = VendorJob(last.circuits, last.shots, "never sent")
    assert settled([*parts[:-1], held], prices)[0].nano <= settled(parts, prices)[0].nano
