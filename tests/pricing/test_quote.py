"""What holds of every quote, and of the shipped catalogue."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qpm_lab.errors import InputError
from qpm_lab.experiment import Companions, Request, to_nano
from qpm_lab.pricing import catalogue_backends, compare, load_prices, quote
from qpm_lab.pricing.catalogue import Catalogue, load_catalogue, shipped_catalogue
from qpm_lab.pricing.interface import Amount, Ends
from qpm_lab.pricing.rows import Row
from tests.pricing.making import TODAY, ends, facts, job

ROWS = shipped_catalogue().rows
PRICED = [row for row in ROWS if row.charges is not None]


@st.composite
def jobs(draw: st.DrawFn) -> Request:
    """Any job, companions and variants included."""
    small = st.integers(0, 10**4)

    def some() -> dict[str, object]:
        return {
            "qubits": draw(st.integers(1, 150)),
            "depth": draw(small),
            "one_qubit_gates": draw(small),
            "measurements": draw(small),
            "wide_gates": draw(st.dictionaries(st.integers(2, 60), small, max_size=3)),
            "two_qubit_gates": draw(small),
        }

    made = job("x/y", circuits=draw(st.integers(1, 20)), shots=draw(st.integers(1, 10**7)), **some())
    further = draw(st.booleans())
    companions = Companions("mirror", draw(st.integers(1, 99)), draw(st.integers(1, 99)), facts(**some()))
    return replace(made, variants=draw(st.integers(1, 16)), companions=companions if further else None)


@pytest.mark.parametrize("row", PRICED, ids=lambda row: row.id)
@given(request=jobs(), more=st.integers(0, 10**6), points=st.integers(1, 50))
def test_more_never_costs_less(row: Row, request: Request, more: int, points: int) -> None:
    """For every row: 0 ≤ low ≤ expected ≤ high, also in credits, and each end grows with shots, circuits, points."""
    assert row.charges is not None
    small = row.charges.cost(request)
    assert all(list(column) == sorted([*column, Decimal(0)])[1:] for column in _columns(small))
    swept = tuple(replace(circuit, points=points) for circuit in request.circuits)
    for larger in (
        replace(request, shots=request.shots + more),
        replace(request, circuits=(*request.circuits, request.circuits[0])),
        replace(request, circuits=swept),
    ):
        large = row.charges.cost(larger)
        assert large.qpu_seconds >= small.qpu_seconds
        for few, many in zip(_columns(small), _columns(large), strict=True):
            assert all(a <= b for a, b in zip(few, many, strict=True))


def _columns(amount: Amount) -> list[Ends]:
    """Low, expected and high in money and in the vendor's own unit, as far as there are any."""
    return [each for each in (amount.ends, amount.native and amount.native[1]) if each]


@given(request=jobs(), row=st.sampled_from(PRICED))
def test_a_quote_is_in_order_after_rounding(request: Request, row: Row) -> None:
    """Whole nano-units keep the order, and native amounts are told where there is no money."""
    name = row.backends[0].replace("*", "x")
    quoted = load_prices().quote(replace(request, backend=replace(request.backend, id=name)), TODAY)
    if quoted.low is not None and quoted.expected is not None and quoted.high is not None:
        assert 0 <= quoted.low <= quoted.expected <= quoted.high


@pytest.mark.parametrize("name", ["aer/simulator", "aer/noisy", "pennylane/default.qubit", "aqt/offline_simulator"])
def test_local_simulation_is_free_because_the_catalogue_says_so(name: str) -> None:
    """Zero has a source, and does not go stale."""
    quoted = quote(job(name), today=date(2040, 1, 1))
    assert ends(quoted) == ("0", "0", "0")
    assert quoted.known
    assert quoted.source
    assert quoted.reason is None


@pytest.mark.parametrize(
    "name", ["ionq/qpu.forte-1", "quantinuum/H2-1", "iqm/garnet", "nobody/nothing", "aer/new", "qiskit/x", "ibm/torino"]
)
def test_what_has_no_price_is_unknown_and_says_how_to_supply_it(name: str) -> None:
    """No amount at all, never zero; the reason names the backend and the file to write it in."""
    quoted = quote(job(name), today=TODAY)
    assert ends(quoted) is None
    assert not quoted.known
    assert quoted.source
    assert name in str(quoted.reason)
    assert "prices.yaml" in str(quoted.reason)


def test_a_price_is_stale_a_year_after_it_was_seen() -> None:
    """The 365th day still counts, the next does not; the amounts stay to be seen, and the reason says what to do."""
    last = date(2026, 7, 23) + timedelta(days=365)
    request = job("braket/iqm_garnet")
    assert quote(request, today=last).known
    later = quote(request, today=last + timedelta(days=1))
    assert later.stale
    assert not later.known
    assert ends(later) == ("1.75",) * 3
    assert "365 days" in str(later.reason)
    assert "prices.yaml" in str(later.reason)


def test_a_quote_tells_channel_confidence_and_plan() -> None:
    """The same machine costs different amounts through different channels."""
    told = quote(job("ibm/ibm_fez"), today=TODAY).to_dict()
    assert told["channel"] == "IBM Quantum, plan pay-as-you-go"
    assert (told["confidence"], told["reason"], told["native"], told["listed"]) == ("A", None, None, None)
    assert quote(job("quantinuum/H2-1"), today=TODAY).to_dict()["native"] == {
        "unit": "HQC",
        "low": "23",
        "expected": "23.2",
        "high": "28.2",
    }


def test_a_request_without_circuits_is_unknown() -> None:
    """There is nothing to work a price out for."""
    assert ends(quote(replace(job("braket/iqm_garnet"), circuits=()), today=TODAY)) is None


def test_backends_are_compared_in_the_order_asked() -> None:
    """One quote each."""
    asked = [job("braket/iqm_garnet"), job("aer/simulator"), job("iqm/garnet")]
    assert [ends(each) for each in compare(asked, load_prices(), TODAY)] == [("1.75",) * 3, ("0",) * 3, None]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_every_row_says_where_and_when_its_price_was_seen(row: Row) -> None:
    """Each row has its source, date, unit and channel, and no date in the future."""
    assert row.source
    assert row.unit
    assert row.channel
    assert row.region
    assert row.seen_on <= date(2026, 11, 22)


def test_each_account_has_one_default_plan_for_a_backend() -> None:
    """Who sets nothing gets a price all the same, and one only."""
    for row in ROWS:
        if row.plan is not None:
            same = [each for each in ROWS if set(each.backends) & set(row.backends)]
            assert sum(each.plan is not None and each.plan.default for each in same) == 1
            assert {each.plan.account for each in same if each.plan} == {row.plan.account}


def test_an_id_wins_over_a_pattern_and_a_longer_pattern_over_a_shorter_one() -> None:
    """`quantinuum/H2-1E` is an emulator though `quantinuum/H2-*` fits; brackets in an id are no signs."""
    prices = load_prices()
    found = {name: prices.row(name) for name in ("quantinuum/H2-1E", "quantinuum/H2-1", "ibm/fake_fez", "ibm/ibm_[x]")}
    assert {name: row.id if row else None for name, row in found.items()} == {
        "quantinuum/H2-1E": "quantinuum-emulators",
        "quantinuum/H2-1": "quantinuum-h",
        "ibm/fake_fez": "offline-devices",
        "ibm/ibm_[x]": "ibm-pay-as-you-go",
    }


def test_machines_without_an_adapter_are_listed_and_have_a_row() -> None:
    """They can be quoted and decided on; the note says that they cannot be run."""
    prices = load_prices()
    for machine in catalogue_backends():
        assert prices.row(machine.id) is not None
        assert (machine.state, machine.kind, machine.local) == ("not-installed", "qpu", False)
        assert "not part of this version" in machine.note


ROW = """
prices:
  - {id: a, backends: [x/y], formula: FORMULA, rates: RATES, currency: USD, unit: shot, source: s,
     seen_on: 2026-01-01, confidence: A, region: r, channel: c}
"""
TIMED = "{price: '1', seconds: '1', start_seconds: START, shot_seconds: {low: '0', expected: '0', high: '0'}}"


def _row(formula: str, rates: str) -> str:
    return ROW.replace("FORMULA", formula).replace("RATES", rates)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (_row("magic", "{}"), "magic"),
        (_row("task-and-shot", "{per_task: '1'}"), "rates.per_shot"),
        (_row("task-and-shot", "{per_task: '-1', per_shot: '1'}"), "rates.per_task"),
        (_row("task-and-shot", "{per_task: nan, per_shot: '1'}"), "rates.per_task"),
        (_row("task-and-shot", "{per_task: '1', per_shot: '1', more: '1'}"), "rates.more"),
        (_row("timed", TIMED.replace("START", "{low: '2', expected: '1', high: '3'}")), "low ≤ expected ≤ high"),
        (_row("gate-shots", "{one_qubit: 1, two_qubit: 1, minimum: 1, minimum_unmitigated: 2}"), "mitigation"),
        (_row("free", "null"), "belong together"),
        (_row("free", "{}").replace("USD", "dollars"), "currency"),
        (_row("free", "{}").replace("[x/y]", "[x/y, x/y]"), "two prices"),
        (_row("free", "{}").replace("id: a,", "id: a, id: b,"), "id is given twice"),
        ("prices: &a []\nmachines: *a", "aliases"),
        ("prices: " + "[" * 40 + "]" * 40, "nested"),
        ("prices: [", "cannot be used"),
        ("just text", "cannot be used"),
        ("", "cannot be used"),
    ],
)
def test_a_broken_catalogue_names_its_fault(tmp_path: Path, text: str, fault: str) -> None:
    """No row is skipped in silence: a missing price must not look like a free one."""
    path = tmp_path / "prices.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=fault) as refused:
        load_catalogue(path)
    assert str(path) in refused.value.message


def test_a_catalogue_of_any_size_is_not_read(tmp_path: Path) -> None:
    """One mebibyte is enough for prices."""
    path = tmp_path / "prices.yaml"
    path.write_text("#" * (2**20 + 1))
    with pytest.raises(InputError, match="larger than"):
        load_catalogue(path)


def test_other_prices_can_be_handed_in(tmp_path: Path) -> None:
    """Another catalogue is used instead of the shipped one."""
    path = tmp_path / "prices.yaml"
    path.write_text(_row("task-and-shot", "{per_task: '1', per_shot: '0.5'}"))
    made: Catalogue = load_catalogue(path)
    assert quote(job("x/y", shots=4), today=TODAY, catalogue=made).high == to_nano(3)


def test_a_price_holds_from_its_first_day(tmp_path: Path) -> None:
    """A rise that is announced is not charged before."""
    path = tmp_path / "prices.yaml"
    path.write_text(_row("free", "{}").replace("region: r", "region: r, valid_from: 2026-06-01"))
    made = load_catalogue(path)
    before, after = (quote(job("x/y"), today=date(2026, month, 1), catalogue=made) for month in (5, 6))
    assert not before.known
    assert "2026-06-01" in str(before.reason)
    assert after.known
