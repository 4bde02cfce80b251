"""Every row of the catalogue, with a job worked out by hand.

Where nothing else is said the job is one circuit with 1,000 shots: five qubits, 1 gate on one qubit (N1), 4 on two
(N2), 5 measurements, 6 layers.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import NamedTuple

import pytest

from qpm_lab.experiment import Companions
from qpm_lab.pricing import Prices, load_prices, prices_of
from qpm_lab.pricing.catalogue import shipped_catalogue
from tests.pricing.making import TODAY, ends, facts, job

ROWS = {row.id: row for row in shipped_catalogue().rows}


class Example(NamedTuple):
    """A job, and what it costs."""

    backend: str
    amounts: tuple[str, str, str] | None
    shots: int = 1000
    circuits: int = 1
    plan: tuple[str, str] | None = None
    day: date = TODAY


def same(amount: str) -> tuple[str, str, str]:
    return amount, amount, amount


# Scaleway's prices were read a year before.
LAST_YEAR = date(2026, 1, 1)
EXAMPLES: dict[str, Example] = {
    "local": Example("aer/simulator", same("0")),
    "offline-devices": Example("ibm/fake_torino", same("0")),
    "ionq-simulator": Example("ionq/simulator", same("0")),
    "azure-free-simulators": Example("azure/rigetti.sim.qvm", same("0")),
    # 0.30 + 200 × 0.0235 = 0.30 + 4.70
    "braket-aqt-ibex-q1": Example("braket/aqt_ibex-q1", same("5"), shots=200),
    # 0.30 + 1,000 × 0.08
    "braket-ionq-forte": Example("braket/ionq_forte-1", same("80.3")),
    # retired: 0.30 + 1,000 × 0.03 = 30.30 is history
    "braket-ionq-aria": Example("braket/ionq_aria-1", None),
    # 0.30 + 10,000 × 0.0016
    "braket-iqm-emerald": Example("braket/iqm_emerald", same("16.3"), shots=10_000),
    # 3,000 tasks × 0.30 = 900 before a shot counts; 3,000 × 1 × 0.00145 = 4.35
    "braket-iqm-garnet": Example("braket/iqm_garnet", same("904.35"), shots=1, circuits=3000),
    # 2 × 0.30 + 2 × 100 × 0.01
    "braket-quera-aquila": Example("braket/quera_aquila", same("2.6"), shots=100, circuits=2),
    # 2 × 0.30 + 2 × 4,096 × 0.000425 = 0.60 + 3.4816
    "braket-rigetti-cepheus": Example("braket/rigetti_cepheus-1-108q", same("4.0816"), shots=4096, circuits=2),
    # retired: 0.30 + 1,000 × 0.0009 = 1.20 is history
    "braket-rigetti-ankaa-3": Example("braket/rigetti_ankaa-3", None),
    # 0.075 / 60 = 0.00125 per second. Low and expected: the minimum of 3 s. High: 10 s + 5 gates × 2⁵ / 10⁷ per second
    # = 10.000016 s
    "braket-sv1": Example("braket/sv1", ("0.00375", "0.00375", "0.01250002")),
    # High: 10 s + 5 × 4⁵ / 10⁷ = 10.000512 s
    "braket-dm1": Example("braket/dm1", ("0.00375", "0.00375", "0.01250064")),
    # Low: 3 s × 0.275 / 60 = 0.01375. Expected: a minute. High: the service's end, six hours = 360 × 0.275
    "braket-tn1": Example("braket/tn1", ("0.01375", "0.275", "99")),
    # 2 s + 1,000 × (250 + 50, 75, 100 µs) = 2.3, 2.325, 2.35 s; × 1.60
    "ibm-pay-as-you-go": Example("ibm/ibm_torino", ("3.68", "3.72", "3.76")),
    # the same seconds × 72 / 60
    "ibm-flex": Example("ibm/ibm_kingston", ("2.76", "2.79", "2.82"), plan=("ibm", "flex")),
    # the same seconds × 48 / 60
    "ibm-premium": Example("ibm/ibm_fez", ("1.84", "1.86", "1.88"), plan=("ibm", "premium")),
    "ibm-open": Example("ibm/ibm_fez", same("0"), plan=("ibm", "open")),
    "ionq-direct": Example("ionq/qpu.forte-1", None),
    # Gates: 1,000 × (1 × 0.00022 + 4 × 0.000975) = 0.22 + 3.90 = 4.12, below the minimum. High: 97.50 + 3 × 0.22 + 3.90
    "azure-ionq-aria": Example("azure/ionq.qpu.aria-1", ("12.4166", "97.5", "102.06")),
    # High: 12.4166 + 0.66 + 3.90
    "azure-ionq-aria-unmitigated": Example(
        "azure/ionq.qpu.aria-1", ("12.4166", "12.4166", "16.9766"), plan=("azure-ionq", "mitigation-off")
    ),
    # 100,000 shots. Gates: 16.45 + 4 × 112.10 = 464.85, above both minimums. High: 168.195 + 49.35 + 448.40
    "azure-ionq-forte": Example("azure/ionq.qpu.forte-1", ("464.85", "464.85", "665.945"), shots=100_000),
    # Gates: 0.1645 + 4.484 = 4.6485. High: 25.7899 + 0.4935 + 4.484
    "azure-ionq-forte-unmitigated": Example(
        "azure/ionq.qpu.forte-enterprise-1",
        ("25.7899", "25.7899", "30.7674"),
        plan=("azure-ionq", "mitigation-off"),
    ),
    # Nm = 5 preparations + 5 measurements. HQC low: 5 + 1,000 (0 + 40 + 50) / 5,000 = 23; expected: 5 + 18.2 = 23.2;
    # high: N1 = 2 × 1 + 6 × 4 = 26, 5 + 1,000 (26 + 40 + 50) / 5,000 = 28.2; × 12.50
    "azure-quantinuum-standard": Example("azure/quantinuum.qpu.h2-1", ("287.5", "290", "352.5")),
    # the same HQC × 10.294118 (175,000 / 17,000)
    "azure-quantinuum-premium": Example(
        "azure/quantinuum.qpu.h2-2",
        ("236.764714", "238.8235376", "290.2941276"),
        plan=("azure-quantinuum", "premium"),
    ),
    "azure-quantinuum-pay-as-you-go": Example(
        "azure/quantinuum.qpu.h2-1", None, plan=("azure-quantinuum", "pay-as-you-go")
    ),
    "azure-quantinuum-emulators": Example("azure/quantinuum.sim.h2-1e", None),
    "quantinuum-h": Example("quantinuum/H2-1", None),
    "quantinuum-emulators": Example("quantinuum/H2-1E", None),
    "quantinuum-helios": Example("quantinuum/Helios-1", None),
    # Low: 1,000 × 20 µs = 20 ms, 2 stretches × 0.02. Expected: 10 ms + 100 ms, 11 stretches. High: 0.5 s +
    # 1,000 × (500 + 6 × 1 µs) = 1.006 s, 101 begun stretches
    "azure-rigetti-cepheus": Example("azure/rigetti.qpu.cepheus-1-108q", ("0.04", "0.22", "2.02")),
    # Low: 36 × 0.5 = 18 s × 3,000 / 3,600. Expected: 10 + 36 × 4 = 154 s, 128.33… rounded up. High: 120 + 216 = 336 s
    "azure-pasqal-fresnel": Example("azure/pasqal.qpu.fresnel", ("15", "128.333333334", "280"), shots=36),
    # Low: 1 s × 15 / 3,600. Expected: 60 + 0.036 = 60.036 s. High: 3,600 + 3.6 = 3,603.6 s
    "azure-pasqal-emulators": Example("azure/pasqal.sim.emu-mps", ("0.004166667", "0.25015", "15.015"), shots=36),
    "iqm-resonance": Example("iqm/garnet", None),
    "iqm-resonance-starter": Example("iqm/garnet", same("0"), plan=("iqm", "starter")),
    "aqt-arnica": Example("aqt/ibex", None),
    "rigetti-direct": Example("rigetti/cepheus", None),
    "pasqal-direct": Example("pasqal/fresnel", None),
    "qiskit-providers": Example("qiskit/mine", None),
    # 2 × 0.22 + 2 × 1,000 × 0.0012
    "scaleway-iqm-garnet": Example("scaleway/QPU-GARNET-20PQ", same("2.84"), circuits=2, day=LAST_YEAR),
    # 0.20 + 1,000 × 0.00075
    "scaleway-iqm-sirius": Example("scaleway/QPU-SIRIUS-24PQ", same("0.95"), day=LAST_YEAR),
    # 0.25 + 1,000 × 0.0014
    "scaleway-iqm-emerald": Example("scaleway/QPU-EMERALD-54PQ", same("1.65"), day=LAST_YEAR),
    # 0.30 + 1,000 × 0.021
    "scaleway-aqt-ibex-q1": Example("scaleway/QPU-IBEX-12PQ", same("21.3"), day=LAST_YEAR),
    # 100 × 3.3
    "scaleway-pasqal-fresnel": Example("scaleway/QPU-FRESNEL-100PQ", same("330"), shots=100, day=LAST_YEAR),
    # 1, 120 + 1 and 3,600 + 100 seconds × 0.82 / 3,600, rounded up
    "scaleway-aqt-emulators": Example(
        "scaleway/EMU-IBEX-12PQ-L4", ("0.000227778", "0.027561112", "0.842777778"), day=LAST_YEAR
    ),
    # the same seconds × 11.2 / 3,600
    "scaleway-pasqal-emulators": Example(
        "scaleway/EMU-FRESNEL-100PQ", ("0.003111112", "0.376444445", "11.511111112"), day=LAST_YEAR
    ),
}


def _prices(plan: tuple[str, str] | None) -> Prices:
    return load_prices() if plan is None else prices_of({"plans": dict([plan])})


def test_every_row_has_an_example() -> None:
    """A row is not shipped without a job worked out by hand."""
    assert set(EXAMPLES) == set(ROWS)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_quote_is_what_the_formula_gives_by_hand(name: str) -> None:
    """Exact to the nano-unit, by the row that is meant, in its currency."""
    example = EXAMPLES[name]
    prices = _prices(example.plan)
    quoted = prices.quote(job(example.backend, shots=example.shots, circuits=example.circuits), example.day)
    row = prices.row(example.backend)
    assert row is not None
    assert row.id == name
    assert ends(quoted) == example.amounts
    assert quoted.known == (example.amounts is not None)
    assert (quoted.currency, quoted.as_of, quoted.source) == (row.currency, row.seen_on.isoformat(), row.source)
    assert (quoted.reason is None) == quoted.known


@pytest.mark.parametrize(("name", "total"), [("braket-ionq-aria", "30.3"), ("braket-rigetti-ankaa-3", "1.2")])
def test_a_retired_price_is_kept_as_history_and_not_quoted(name: str, total: str) -> None:
    """The formula still gives what it once cost; the reason says why that is not a quote."""
    row, backend = ROWS[name], EXAMPLES[name].backend
    assert row.charges is not None
    assert row.charges.cost(job(backend)).ends == (Decimal(total),) * 3
    assert "no longer sells it" in str(load_prices().quote(job(backend), TODAY).reason)


@pytest.mark.parametrize(
    ("backend", "native"),
    [
        ("azure/quantinuum.qpu.h2-1", ("HQC", "23", "23.2", "28.2")),
        ("quantinuum/H2-1", ("HQC", "23", "23.2", "28.2")),
        ("quantinuum/H2-1E", ("eHQC", "23", "23.2", "28.2")),
        ("braket/iqm_garnet", None),
    ],
)
def test_credits_are_told_with_or_without_a_price(backend: str, native: tuple[str, ...] | None) -> None:
    """Who pays by contract still sees what the vendor will count."""
    assert load_prices().quote(job(backend), TODAY).native == native


def test_a_gate_with_three_controls_is_billed_as_twelve() -> None:
    """6 × (4 - 2) = 12, the page's own example: 100,000 × 12 × 0.000975 = 1,170. High: taken apart it is 2⁴ = 16 gates
    with 4 one-qubit gates around each: 97.50 + 100,000 × (64 × 0.00022 + 16 × 0.000975) = 97.50 + 1,408 + 1,560."""
    request = job("azure/ionq.qpu.aria-1", shots=100_000, one_qubit_gates=0, wide_gates={4: 1})
    assert ends(load_prices().quote(request, TODAY)) == ("1170", "1170", "3065.5")


def test_a_minimum_is_taken_for_each_circuit() -> None:
    """Three small circuits are three minimums: 3 × 97.50, and not the minimum of the sum."""
    quoted = load_prices().quote(job("azure/ionq.qpu.aria-1", circuits=3), TODAY)
    assert ends(quoted) == ("37.2498", "292.5", "306.18")


def test_a_sweep_is_charged_for_each_point() -> None:
    """Seven points are seven tasks: 7 × 0.30 + 7 × 1,000 × 0.00145."""
    assert ends(load_prices().quote(job("braket/iqm_garnet", points=7), TODAY)) == same("12.25")


def test_companions_and_variants_are_in_the_quote() -> None:
    """16 variants and 90 companions are 106 tasks; 1,000 + 90 × 100 shots: 31.80 + 10,000 × 0.00145."""
    companions = Companions("mirror", 90, 100, facts())
    request = replace(job("braket/iqm_garnet"), variants=16, companions=companions)
    assert ends(load_prices().quote(request, TODAY)) == same("46.3")


def test_the_gates_of_companions_are_in_the_quote() -> None:
    """One companion of 1,000 shots with 100 two-qubit gates: HQC expected 23.2 + 5 + 1,000 (1 + 1,000 + 50) / 5,000."""
    companions = Companions("proxy", 1, 1000, facts(wide_gates={2: 100}))
    quoted = load_prices().quote(replace(job("quantinuum/H2-1"), companions=companions), TODAY)
    assert quoted.native is not None
    assert quoted.native[2] == "238.4"


def test_twirled_circuits_have_more_gates() -> None:
    """4 Paulis for each of 4 gates and one before each of 5 measurements: N1 = 1 + 21; 16 × 5 + 1,000 × 112 / 5,000."""
    quoted = load_prices().quote(replace(job("quantinuum/H2-1"), variants=16), TODAY)
    assert quoted.native is not None
    assert quoted.native[2] == "102.4"


def test_a_deep_circuit_raises_the_high_end_of_qpu_time() -> None:
    """1,000 layers × 5 µs = 5 ms: 2 + 1,000 × 5.25 ms = 7.25 s × 1.60."""
    quoted = load_prices().quote(job("ibm/ibm_torino", depth=1000), TODAY)
    assert quoted.high == 11_600_000_000
    assert quoted.qpu_nanoseconds == 7_250_000_000


def test_what_a_loop_hides_raises_the_high_end_of_qpu_time() -> None:
    """A loop is one layer of the depth: 1 + 995 hidden + 5 written = 1,001 layers × 5 µs, 2 + 1,000 × 5.255 ms."""
    request = job(
        "ibm/ibm_torino",
        depth=1,
        gates={"for_loop": 1, "h": 4},
        one_qubit_gates=1000,
        measurements=0,
        wide_gates={},
        two_qubit_gates=0,
    )
    assert load_prices().quote(request, TODAY).qpu_nanoseconds == 7_255_000_000


@pytest.mark.parametrize(
    "name", ["ibm/ibm_torino", "azure/ionq.qpu.forte-1", "quantinuum/H2-1", "azure/pasqal.qpu.fresnel"]
)
def test_what_cannot_be_counted_has_no_price_where_time_or_gates_are_billed(name: str) -> None:
    """A `while` has no bound, so nothing can be promised."""
    quoted = load_prices().quote(job(name, countable=False), TODAY)
    assert ends(quoted) is None
    assert "while" in str(quoted.reason)


def test_what_cannot_be_counted_has_a_price_where_shots_are_billed_or_the_service_ends_it() -> None:
    """A shot is a shot; a simulation in the cloud ends after six hours."""
    assert ends(load_prices().quote(job("braket/iqm_garnet", countable=False), TODAY)) == same("1.75")
    simulated = load_prices().quote(job("braket/sv1", countable=False), TODAY)
    assert ends(simulated) == ("0.00375", "0.00375", "27")
