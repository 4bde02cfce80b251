"""From the order to the recorded outcome: what is granted, refused, written and left behind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from qpm_lab import DeniedError, Lab, QpmError, QuotaError
from qpm_lab.errors import InputError, ProviderError
from tests.runner.victims import ghz


def events(lab: Lab) -> list[str]:
    return [entry.event for entry in lab.ledger.tail(0)]


def test_a_job_comes_back_with_counts_fidelity_cost_and_its_place_in_the_ledger(lab: Lab) -> None:
    """The whole way on an ideal simulator, with the asymmetric outcome in Qiskit's bit order."""
    job = lab.submit(ghz(3), shots=500, seed=1, experiment="family")
    result = job.result()
    assert set(result.counts) == {"100", "011"}
    assert sum(result.counts.values()) == 500
    assert result.cost == {"currency": "USD", "amount": "0", "basis": "quoted"}
    assert result.fidelity.value is None  # of a perfect machine none is claimed
    assert result.fidelity.low <= 1 <= result.fidelity.high
    assert result.fidelity.reason == "ideal simulator, sampling noise only"
    record = job.record()
    assert record["ledger"]["entry"] == lab.head()
    assert record["labels"]["experiment"] == "family"
    assert record["decision"]["effect"] == "allow"


def test_a_seed_may_be_any_whole_number(lab: Lab) -> None:
    """NumPy's integers are recorded as what they are."""
    assert lab.submit(ghz(), shots=10, seed=np.int64(3)).record()["seed"] == 3


def test_the_same_seed_gives_the_same_counts(lab: Lab) -> None:
    """A recorded seed repeats the job."""
    first = lab.submit(ghz(3), backend="aer/noisy", shots=300)
    seed = first.record()["seed"]
    again = lab.submit(ghz(3), backend="aer/noisy", shots=300, seed=seed)
    assert first.result().counts == again.result().counts


def test_the_raw_figures_of_every_measure_are_in_the_outcome_entry(lab: Lab) -> None:
    """M2, M5, M6, M7 and M10 can be computed from the ledger alone."""
    job = lab.submit(ghz(), shots=10)
    job.result()
    payload = lab.ledger.entries(job.id)[-1].payload
    names = {"total_seconds", "queue_seconds", "attempt", "fallback", "cpu_seconds", "peak_memory_bytes"}
    assert names <= set(payload)
    assert payload["total_seconds"] >= payload["run_seconds"] >= 0
    assert {"prepare", "decide", "reserve", "run"} <= set(payload["stages_ms"])


def test_several_circuits_are_one_job(lab: Lab) -> None:
    """A list is one decision, one reservation and one result with parts."""
    job = lab.submit([ghz(2), ghz(3)], shots=100)
    result = job.result()
    assert len(result) == 2
    assert set(result[1].counts) <= {"100", "011"}
    assert len(job.record()["results"]) == 2
    assert events(lab).count("job.submitted") == 1


def test_a_denial_carries_every_reason_and_is_recorded(lab: Lab) -> None:
    """Rule and quota both say why; nothing is reserved."""
    with pytest.raises(DeniedError) as denied:
        lab.submit(ghz(), shots=5_000_000_000)
    kinds = {reason.kind for reason in denied.value.decision.reasons}
    assert {"rule", "quota"} <= kinds
    assert all(reason.message and reason.fix for reason in denied.value.decision.reasons)
    assert events(lab)[-1] == "job.denied"
    assert lab.job(denied.value.job_id or "").status == "denied"


def test_a_quota_alone_raises_its_own_error(home: Any, bundle_with: Any) -> None:
    """What is over a quota only is told apart from what a rule forbids."""
    quotas = [{"id": "few", "measure": "shots", "scope": "user", "window": "day", "limit": 100}]
    lab = Lab(policies=bundle_with(quotas))
    lab.submit(ghz(), shots=60).result()
    with pytest.raises(QuotaError) as refused:
        lab.submit(ghz(), shots=60)
    details = refused.value.decision.reasons[0].details
    assert (details["limit"], details["used"], details["left"]) == ("100", "60", "40")
    lab.close()


def test_explaining_holds_and_records_nothing(lab: Lab) -> None:
    """A dry run leaves the chain as it was."""
    before = lab.ledger.head()
    assert lab.explain(ghz(), shots=10).effect == "allow"
    assert lab.explain(ghz(), shots=10**10).effect == "deny"
    assert lab.quote(ghz(), shots=10).high == 0
    assert lab.ledger.head() == before


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"shots": 0}, "shots"),
        ({"shots": 1.5}, "shots"),
        ({"shots": "many"}, "shots"),
        ({"shots": 10**5000}, "shots"),
        ({"backend": None}, "backend"),
        ({"parameters": [1]}, "parameters"),
        ({"args": 5}, "args"),
        ({"experiment": ["a"]}, "experiment"),
        ({"seed": -1}, "seed"),
        ({"backend": "aer/simulater"}, "aer/simulator"),
        ({"classification": "secret"}, "secret"),
        ({"experiment": "x" * 500}, "experiment"),
        ({"experiment": "a\x00b"}, "experiment"),
        ({"max_cost": "cheap"}, "max-cost"),
        ({"max_cost": "nan"}, "max-cost"),
        ({"parameters": {"theta": 1.0}}, "theta"),
    ],
)
def test_bad_options_are_refused_and_leave_the_chain_unchanged(lab: Lab, options: dict, names: str) -> None:
    """Each names what is wrong, and nothing was written."""
    before = lab.ledger.head()
    with pytest.raises(InputError, match=names) as error:
        lab.submit(ghz(), **options)
    assert isinstance(error.value, QpmError)
    assert lab.ledger.head() == before


@pytest.mark.parametrize("source", [None, 7, "not a circuit", [], b"\x00", object(), lambda: None])
def test_what_is_not_a_circuit_is_refused_with_a_hint(lab: Lab, source: Any) -> None:
    """Wrong things get an error with a hint, not a traceback, and leave the chain unchanged."""
    before = lab.ledger.head()
    with pytest.raises(InputError) as error:
        lab.submit(source)
    assert error.value.hint
    assert lab.ledger.head() == before


def test_a_circuit_too_large_for_this_machine_reserves_nothing(lab: Lab) -> None:
    """The size it would need is told before anything starts."""
    from qiskit import QuantumCircuit

    huge = QuantumCircuit(60)
    for qubit in range(60):
        huge.ry(0.3 + qubit, qubit)
    for _ in range(30):
        for qubit in range(59):
            huge.cx(qubit, qubit + 1)
            huge.rx(0.7, qubit)
    before = lab.ledger.head()
    with pytest.raises((ProviderError, DeniedError)) as error:
        lab.submit(huge, backend="pennylane/default.qubit", shots=1)
    assert "iB" in error.value.message or isinstance(error.value, DeniedError)
    assert not lab.ledger.open_jobs()
    assert isinstance(error.value, DeniedError) or lab.ledger.head() == before


def test_a_callers_own_limit_refuses(lab: Lab) -> None:
    """--max-cost below the quote is a denial by the caller, told as such; a free job passes any limit."""
    assert lab.explain(ghz(), max_cost="0").effect == "allow"
    decision = lab.explain(ghz(), backend="braket/iqm_garnet", shots=100, max_cost="0.30")
    assert [reason.kind for reason in decision.reasons] == ["caller"]
    assert lab.explain(ghz(), backend="braket/iqm_garnet", shots=100, max_cost="0.45").effect == "allow"


def test_a_result_can_be_read_against_the_machine_as_it_was(lab: Lab) -> None:
    """Every job names a snapshot of its backend's calibrations; the same calibrations are kept once."""
    first, second = (lab.submit(ghz(), backend="aer/noisy", shots=10) for _ in range(2))
    snapshot = first.calibration()
    assert snapshot["qubits"]
    assert first.record()["calibration"] == second.record()["calibration"]
    assert first.record()["calibration"]["digest"].startswith("sha256:")
    with pytest.raises(DeniedError) as denied:
        lab.submit(ghz(), backend="braket/iqm_garnet", shots=10, max_cost="0.0001")
    with pytest.raises(InputError, match="no calibration snapshot"):
        lab.job(str(denied.value.job_id)).calibration()
