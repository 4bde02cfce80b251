"""Whatever is asked, the job ends or is refused, nothing stays held, and the chain verifies."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from qpm_lab import Lab, QpmError

GATES = ("h", "x", "s", "t", "sdg")
names = st.one_of(st.none(), st.text(max_size=12), st.sampled_from(["bell", "vqe", "x" * 200]))
requests = st.fixed_dictionaries(
    {
        "backend": st.sampled_from(
            ["aer/simulator", "aer/noisy", "pennylane/lightning.qubit", "ibm/ibm_torino", "x/y", ""]
        ),
        "shots": st.one_of(st.integers(-2, 300), st.integers(10**9 + 1, 10**20), st.floats(), st.just("10")),
        "seed": st.one_of(st.none(), st.integers(-1, 2**64)),
        "experiment": names,
        "cost_center": names,
        "classification": st.sampled_from([None, "public", "internal", "confidential", "secret"]),
        "max_cost": st.sampled_from([None, "0", "1.5", "-1", "many"]),
    }
)


@st.composite
def circuits(draw: Any) -> Any:
    from qiskit import QuantumCircuit

    width = draw(st.integers(1, 4))
    circuit = QuantumCircuit(width, width)
    for _ in range(draw(st.integers(0, 12))):
        if width > 1 and draw(st.booleans()):
            circuit.cx(*draw(st.permutations(range(width)))[:2])
        else:
            getattr(circuit, draw(st.sampled_from(GATES)))(draw(st.integers(0, width - 1)))
    if draw(st.booleans()):
        circuit.measure(draw(st.integers(0, width - 1)), draw(st.integers(0, width - 1)))
    return circuit


@pytest.fixture(scope="module")
def shared_lab(tmp_path_factory: pytest.TempPathFactory) -> Any:
    lab = Lab(Path(tmp_path_factory.mktemp("any")) / "home")
    yield lab
    lab.close()


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(circuit=circuits(), options=requests)
def test_any_request_ends_and_leaves_nothing_held(shared_lab: Any, circuit: Any, options: dict[str, Any]) -> None:
    """A result has all its shots; anything else is a QpmError."""
    with contextlib.suppress(QpmError):
        result = shared_lab.submit(circuit, **options).result(60)
        assert sum(result.counts.values()) == options["shots"]
    assert shared_lab.ledger.open_jobs() == []
    assert all(line["reserved"] == "0" for line in shared_lab.budgets())


def test_the_chain_verifies_after_all_of_them(shared_lab: Any) -> None:
    """Refusals and results alike are linked."""
    report = shared_lab.ledger.verify()
    assert report.ok, report.problems
