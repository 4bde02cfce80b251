"""Quotes, with figures worked out by hand."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qpm_lab.errors import InputError
from qpm_lab.experiment import BackendInfo, CircuitFacts, Principal, Quote, Request, to_nano
from qpm_lab.pricing import catalogue_backends, quote
from qpm_lab.pricing.catalogue import load_catalogue, shipped_catalogue

TODAY = date(2026, 11, 22)
IDS = sorted(shipped_catalogue().prices)
PRICED = [name for name in IDS if shipped_catalogue().prices[name].formula is not None]


def _request(name: str, *, circuits: int = 1, shots: int = 1000, depth: int = 6) -> Request:
    facts = CircuitFacts("sha256:0", 5, 5, depth, {"h": 1, "cx": 4}, 4)
    backend = BackendInfo(name, "", 100, "qpu", local=False, noisy=True)
    return Request(Principal("ada"), backend, (facts,) * circuits, shots)


def _ends(quoted: Quote) -> tuple[int | None, int | None, int | None]:
    return quoted.low, quoted.expected, quoted.high


@pytest.mark.parametrize(
    ("name", "circuits", "shots", "amount"),
    [
        # 1 × 0.30 + 1,000 × 0.08 = 80.30
        ("braket/ionq_forte-1", 1, 1000, "80.30"),
        ("braket/ionq_forte-enterprise-1", 1, 1000, "80.30"),
        # 3 × 0.30 + 3 × 100 × 0.00145 = 0.90 + 0.435
        ("braket/iqm_garnet", 3, 100, "1.335"),
        # 0.30 + 10,000 × 0.0016 = 16.30
        ("braket/iqm_emerald", 1, 10_000, "16.30"),
        # 2 × 0.30 + 2 × 4,096 × 0.000425 = 0.60 + 3.4816
        ("braket/rigetti_cepheus-1-108q", 2, 4096, "4.0816"),
        # 0.30 + 200 × 0.0235 = 5.00
        ("braket/aqt_ibex-q1", 1, 200, "5.00"),
        # 3,000 tasks × 0.30 = 900 before a shot counts; 3,000 × 1 × 0.00145 = 4.35
        ("braket/iqm_garnet", 3000, 1, "904.35"),
    ],
)
def test_braket_charges_each_task_and_each_shot(name: str, circuits: int, shots: int, amount: str) -> None:
    """The two-part price is exact: low, expected and high agree."""
    quoted = quote(_request(name, circuits=circuits, shots=shots), today=TODAY)
    assert _ends(quoted) == (to_nano(amount),) * 3
    assert (quoted.currency, quoted.as_of, quoted.known) == ("USD", "2026-07-23", True)


def test_ibm_charges_qpu_seconds() -> None:
    """Worked by hand for 2 circuits × 1,000 shots at 1.60 per second.

    low: 2 + 2,000 × 300 µs = 2.6 s; expected: 2 + 2,000 × 325 µs = 2.65 s;
    high: 2 × 2 + 2,000 × 350 µs = 4.7 s.
    """
    quoted = quote(_request("ibm/ibm_torino", circuits=2), today=TODAY)
    assert _ends(quoted) == (to_nano("4.16"), to_nano("4.24"), to_nano("7.52"))
    assert quoted.qpu_nanoseconds == to_nano("4.7")


def test_a_deep_circuit_raises_the_high_end_of_qpu_time() -> None:
    """1,000 layers × 5 µs = 5 ms: 2 + 1,000 × 5.25 ms = 7.25 s."""
    quoted = quote(_request("ibm/ibm_torino", depth=1000), today=TODAY)
    assert quoted.qpu_nanoseconds == to_nano("7.25")
    assert quoted.high == to_nano("11.6")


@pytest.mark.parametrize("name", ["aer/simulator", "aer/noisy", "pennylane/default.qubit"])
def test_local_simulation_is_free_because_the_catalogue_says_so(name: str) -> None:
    """Zero has a source, and does not go stale."""
    quoted = quote(_request(name), today=date(2040, 1, 1))
    assert _ends(quoted) == (0, 0, 0)
    assert quoted.known
    assert quoted.source == "local simulation is free"


@pytest.mark.parametrize("name", ["ionq/qpu.forte-1", "quantinuum/H2-1", "iqm/garnet", "nobody/nothing", "aer/new"])
def test_what_has_no_price_is_unknown_and_never_zero(name: str) -> None:
    """No amount at all, and the source says why."""
    quoted = quote(_request(name), today=TODAY)
    assert _ends(quoted) == (None, None, None)
    assert not quoted.known
    assert quoted.source


def test_a_price_is_stale_a_year_after_it_was_seen() -> None:
    """The 365th day still counts, the next does not."""
    last = date(2026, 7, 23) + timedelta(days=365)
    request = _request("braket/iqm_garnet")
    assert quote(request, today=last).known
    later = quote(request, today=last + timedelta(days=1))
    assert later.stale
    assert not later.known


@given(
    st.sampled_from(PRICED),
    st.integers(1, 50),
    st.integers(1, 10**7),
    st.integers(0, 10**6),
    st.integers(0, 10**5),
)
def test_more_never_costs_less(name: str, circuits: int, shots: int, more: int, depth: int) -> None:
    """Low ≤ expected ≤ high, and each end grows with shots and with circuits."""
    small = _ends(quote(_request(name, circuits=circuits, shots=shots, depth=depth), today=TODAY))
    bigger = [
        _ends(quote(_request(name, circuits=circuits, shots=shots + more, depth=depth), today=TODAY)),
        _ends(quote(_request(name, circuits=circuits + 1, shots=shots, depth=depth), today=TODAY)),
    ]
    assert list(small) == sorted(small)
    for large in bigger:
        assert all(a <= b for a, b in zip(small, large, strict=True))


@pytest.mark.parametrize("name", IDS)
def test_every_row_says_where_and_when_its_price_was_seen(name: str) -> None:
    """Each row has its source, date, unit and channel, and no date in the future."""
    row = shipped_catalogue().prices[name].row
    assert row.source
    assert row.unit
    assert row.channel
    assert row.seen_on <= TODAY


def test_machines_without_an_adapter_are_listed_and_say_so() -> None:
    """They can be quoted and decided on; the note says that they cannot be run."""
    machines = catalogue_backends()
    assert {m.id for m in machines} == {name for name in IDS if not name.startswith(("aer/", "pennylane/", "stim/"))}
    for machine in machines:
        assert (machine.state, machine.kind, machine.local) == ("not-installed", "qpu", False)
        assert "not part of this version" in machine.note


ROW = """
prices:
  - {id: a, backends: [x/y], formula: FORMULA, rates: RATES, currency: USD, unit: shot, source: s,
     seen_on: 2026-01-01, confidence: A, region: r, channel: c}
"""


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (ROW.replace("FORMULA", "magic").replace("RATES", "{}"), "magic"),
        (ROW.replace("FORMULA", "task-and-shot").replace("RATES", "{per_task: '1'}"), "per_shot"),
        (ROW.replace("FORMULA", "task-and-shot").replace("RATES", "{per_task: '-1', per_shot: '1'}"), "per_task"),
        (ROW.replace("FORMULA", "task-and-shot").replace("RATES", "{per_task: nan, per_shot: '1'}"), "per_task"),
        (ROW.replace("FORMULA", "free").replace("RATES", "null"), "belong together"),
        (ROW.replace("FORMULA", "free").replace("RATES", "{}").replace("USD", "dollars"), "currency"),
        (ROW.replace("FORMULA", "free").replace("RATES", "{}").replace("[x/y]", "[x/y, x/y]"), "two prices"),
        ("prices: [", "cannot be used"),
        ("just text", "cannot be used"),
        ("", "cannot be used"),
    ],
)
def test_a_broken_catalogue_names_its_fault(tmp_path: Path, text: str, fault: str) -> None:
    """No row is skipped in silence: a missing price must not look like a free one."""
    path = tmp_path / "prices.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=fault):
        load_catalogue(path)


def test_other_prices_can_be_handed_in(tmp_path: Path) -> None:
    """A site's own catalogue is used instead of the shipped one."""
    path = tmp_path / "prices.yaml"
    path.write_text(ROW.replace("FORMULA", "task-and-shot").replace("RATES", "{per_task: '1', per_shot: '0.5'}"))
    quoted = quote(_request("x/y", shots=4), today=TODAY, catalogue=load_catalogue(path))
    assert quoted.high == to_nano(3)
