"""Jobs that measure their own fidelity with further circuits: part of the quote, the decision, the run, the record."""

from __future__ import annotations

import json
import threading
import zlib
from typing import Literal

import pytest
from qiskit import QuantumCircuit

from qpm_lab import Lab, QuotaError
from qpm_lab.circuits import prepare, read_qpy
from qpm_lab.errors import InputError
from qpm_lab.experiment import Decision, Estimate, Principal, Quote, Reason, Request
from qpm_lab.runner.companions import CLIFFORD as ITSELF
from qpm_lab.runner.companions import MIRRORS, PROXIES, Recipe, cheapest
from qpm_lab.runner.estimating import dispersion
from qpm_lab.runner.extras import Extras, read_again
from qpm_lab.runner.judging import judged
from qpm_lab.runner.order import Order, checked
from qpm_lab.runner.plan import find_backend
from tests.runner.victims import ghz

CLIFFORD = "stim/noisy"


def rotations(qubits: int = 3) -> QuantumCircuit:
    """No Clifford circuit, and asymmetric."""
    circuit = QuantumCircuit(qubits)
    for qubit in range(qubits):
        circuit.ry(0.3 + qubit, qubit)
    for qubit in range(qubits - 1):
        circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    return circuit


def _histograms(kept: bytes) -> list[dict[str, int]]:
    histograms: list[dict[str, int]] = json.loads(kept if kept[:1] == b"[" else zlib.decompress(kept))
    return histograms


def covers_most(estimate: Estimate) -> bool:
    return estimate.low is not None and estimate.high is not None and 0 < estimate.high - estimate.low < 0.2


def test_a_circuit_beyond_simulation_is_measured_with_proxies(lab: Lab) -> None:
    """`auto` takes Clifford proxies of a 40-qubit GHZ circuit and says so, and what they take for granted."""
    job = lab.submit(ghz(40), backend=CLIFFORD, shots=500, seed=4)
    estimate, record = job.result().fidelity, job.record()
    assert covers_most(estimate)
    assert "process" in estimate.estimand
    assert "Clifford circuit" in str(estimate.assumption)
    assert record["companions"]["chosen_by"] == "auto"
    assert (record["companions"]["circuits"], record["companions"]["shots"]) == PROXIES[0]
    assert any("--fidelity none" in note for note in record["notes"])
    assert sum(job.result().counts.values()) == 500


def test_mirror_circuits_measure_a_circuit_that_is_no_clifford_circuit(lab: Lab) -> None:
    """Asked for by name they are run where the exact distribution is known too, and agree with a good machine."""
    estimate = lab.submit(rotations(), backend="aer/noisy", shots=400, seed=2, fidelity="mirror").result().fidelity
    assert covers_most(estimate)
    assert "mirror" in estimate.method
    assert estimate.low < 0.99
    assert estimate.high > 0.9


@pytest.mark.parametrize("method", ["mirror", "proxy"])
def test_companions_are_read_by_their_record_as_by_who_made_them(lab: Lab, method: str) -> None:
    """Recipe, routed circuit and counts from the ledger give the very same estimate, without the backend's gates."""
    job = lab.submit(rotations(), backend="aer/noisy", shots=100, seed=2, fidelity=method)
    estimate, ledger = job.result().fidelity, lab.ledger
    told, ended = (ledger.entries(job.id)[place].payload for place in (0, -1))
    routed = read_qpy(ledger.blob(told["companions"]["digest"]))[0]
    recipe = Recipe.read(json.loads(json.dumps(told["companions"])), routed)
    assert recipe is not None
    assert read_again(recipe)(_histograms(ledger.blob(ended["companions_blob"]))) == estimate


def test_companions_count_in_quote_quotas_and_totals(lab: Lab) -> None:
    """What they take is held and settled with the job, and told in the dry run before."""
    explained = lab.dry_run(ghz(40), backend=CLIFFORD, shots=100)
    assert explained["companions"]["circuits"] == 2000
    job = lab.submit(ghz(40), backend=CLIFFORD, shots=100)
    job.result()
    line = next(each for each in job.record()["quota"] if each["measure"] == "shots")
    assert int(line["used"]) == 100 + 2000
    assert lab.ledger.job(job.id).total_shots == 2100


def test_the_order_of_a_jobs_shots_is_tested_where_it_is_known(lab: Lab) -> None:
    """Companions divide a job's shots into parts; a steady machine gives no warning, a drifting one does."""
    job = lab.submit(rotations(), backend="aer/noisy", shots=2000, seed=2, fidelity="mirror")
    job.result()
    steady = job.record()["fidelity"]["dispersion"]
    assert steady["blocks"] == 20
    assert steady["warning"] is None
    drifting = dispersion([{"00": 100 - 4 * n, "11": 4 * n} for n in range(20)])
    assert drifting is not None
    assert "not independent" in drifting["warning"]


def test_the_same_seed_measures_the_same_fidelity(lab: Lab) -> None:
    """Companions follow from the circuit and the seed."""
    first, again = (lab.submit(ghz(30), backend=CLIFFORD, shots=64, seed=9).result() for _ in range(2))
    assert first.fidelity == again.fidelity
    assert first.counts == again.counts


def test_what_the_estimate_came_from_is_in_the_ledger(lab: Lab) -> None:
    """The routed circuit, how companions follow from it, and their histograms."""
    job = lab.submit(rotations(), backend="aer/noisy", shots=200, seed=2, fidelity="mirror")
    job.result()
    asked, ended = lab.ledger.entries(job.id)[0].payload, lab.ledger.entries(job.id)[-1].payload
    routed = read_qpy(lab.ledger.blob(asked["companions"]["digest"]))[0]
    assert routed.count_ops()["cx"] >= 2
    histograms = _histograms(lab.ledger.blob(ended["companions_blob"]))
    assert [sum(each.values()) for each in histograms] == [100] * 90
    blocks = json.loads(lab.ledger.blob(ended["blocks_blob"]))
    assert sum(sum(each.values()) for each in blocks) == 200
    assert lab.ledger.verify().ok


def test_nothing_further_is_run_unless_it_is_needed(lab: Lab) -> None:
    """A small circuit is compared with its exact distribution; an ideal machine has nothing to measure."""
    assert lab.dry_run(ghz(3), backend="aer/noisy")["companions"] is None
    assert lab.dry_run(ghz(40), backend="aer/simulator", fidelity="mirror")["companions"] is None
    assert lab.dry_run(ghz(40), backend=CLIFFORD, fidelity="none")["companions"] is None


@pytest.mark.parametrize("chosen_by", ["auto", "user"])
def test_a_job_is_never_refused_for_companions_that_only_auto_chose(chosen_by: Literal["auto", "user"]) -> None:
    """A rule on the number of circuits leaves them out and is the reason why; asked for by name, it refuses."""
    request = Request(Principal("ada"), find_backend(CLIFFORD), (prepare(ghz(30))[0].facts,), 100)
    recipe = Recipe("mirror", *MIRRORS, 1, "", chosen_by, ghz(30))
    rule = Reason("limit.circuits", "rule", "At most 50 circuits.", "Use fewer.")

    def decide(asked: Request, _: Quote) -> Decision:
        few = asked.executions <= 50
        return Decision("allow" if few else "deny", () if few else (rule,), "class", "sha256:0")

    verdict = judged(request, recipe, decide)
    if chosen_by == "user":
        assert verdict.decision.effect == "deny"
        assert "--fidelity none leaves them out" in verdict.decision.reasons[0].fix
        return
    assert verdict.decision.effect == "allow"
    assert verdict.request.executions == 1
    assert "At most 50 circuits." in str(verdict.recipe)


def test_a_list_has_no_companions_and_says_why(lab: Lab) -> None:
    """By name they are refused; under `auto` a large circuit goes without, and says so, and a small one is measured."""
    with pytest.raises(InputError, match="one circuit at a time"):
        lab.submit([ghz(30), ghz(31)], backend=CLIFFORD, shots=10, fidelity="proxy")
    small, large = lab.submit([ghz(3), ghz(30)], backend=CLIFFORD, shots=2000).result()
    assert small.fidelity.value is not None
    assert large.fidelity.value is None
    assert "Run it by itself" in str(large.fidelity.reason)


def test_companions_that_do_not_fit_into_a_session_are_left_out(lab: Lab) -> None:
    """Only `auto` chose them: the job runs, and says why its fidelity is missing; asked for by name, it is refused."""
    with lab.session(max_shots=1500):
        job = lab.submit(ghz(40), backend=CLIFFORD, shots=500, fidelity="auto")
        assert "do not fit" in str(job.result().fidelity.reason)
        assert any("do not fit" in note for note in job.record()["notes"])
        with pytest.raises(QuotaError):
            lab.submit(ghz(40), backend=CLIFFORD, shots=500, fidelity="proxy")


@pytest.mark.parametrize(
    ("circuits", "condition"),
    [([ghz(3), ghz(40)], "fidelity>=0.1"), (ghz(40), "hellinger>=0.1")],
)
def test_a_condition_that_nothing_will_measure_is_refused_before_it_costs(
    lab: Lab, circuits: object, condition: str
) -> None:
    """A large circuit in a list has no companions, and companions give no Hellinger interval."""
    with pytest.raises(InputError, match="cannot be measured"):
        lab.submit(circuits, backend=CLIFFORD, shots=100, validate=condition)
    assert lab.page()["jobs"] == []


def test_cancelling_does_not_wait_until_all_circuits_are_made(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of circuits take seconds; a job is stopped before they are there."""
    made = threading.Event()
    monkeypatch.setattr(Extras, "build", lambda self, provider: made.wait(60))
    job = lab.submit(ghz(40), backend=CLIFFORD, shots=100)
    assert not job.wait(0.5)
    job.cancel()
    assert job.wait(20)
    assert job.record()["status"] == "cancelled"
    made.set()


def test_a_simulator_says_that_there_is_nothing_to_measure(lab: Lab) -> None:
    """The same cell runs there first, and runs no further circuits."""
    job = lab.submit(ghz(3), shots=100, fidelity="mirror")
    assert job.result().fidelity.reason == "ideal simulator, sampling noise only"
    assert job.record()["companions"] is None
    assert any("sampling noise only" in note for note in job.record()["notes"])


def test_companions_can_be_quoted_where_they_cannot_be_run_yet(lab: Lab) -> None:
    """The price of a vendor's job includes them."""
    bare = lab.quote(ghz(5), backend="braket/iqm_garnet", shots=1000)
    whole = lab.quote(ghz(5), backend="braket/iqm_garnet", shots=1000, fidelity="mirror")
    assert whole.high is not None
    assert bare.high is not None
    assert whole.high > 10 * bare.high


def test_a_circuit_that_has_no_mirror_says_why(lab: Lab) -> None:
    """A measurement in the middle cannot be run backwards."""
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.measure(0, 0)
    circuit.cx(0, 1)
    circuit.measure(1, 1)
    with pytest.raises(InputError, match="measure"):
        lab.submit(circuit, backend="aer/noisy", shots=10, fidelity="mirror")


def test_fewer_circuits_are_taken_where_each_of_them_costs() -> None:
    """2,000 tasks of one shot cost 20 times as much as 100 of 20 where a vendor charges per task."""
    recipe = Recipe("proxy", *PROXIES[0], 1, ITSELF, "auto", ghz(30))

    def taken(backend: str) -> int:
        request = Request(Principal("ada"), find_backend(backend), (prepare(ghz(30))[0].facts,), 100)
        return cheapest(recipe, request).number

    assert taken("braket/iqm_garnet") == PROXIES[1][0]
    assert taken(CLIFFORD) == PROXIES[0][0]


def test_an_interrupted_course_leaves_nothing_behind(lab: Lab) -> None:
    """Cancelling stops the task under way; no companion follows, nothing stays held."""
    job = lab.submit(ghz(100), backend=CLIFFORD, shots=4000)
    job.cancel()
    job.wait(30)
    assert job.record()["status"] == "cancelled"
    assert lab.ledger.open_jobs() == []
    assert all(line["reserved"] == "0" for line in job.record()["quota"])


def test_an_unknown_way_is_refused_with_those_there_are() -> None:
    """A typo is named."""
    with pytest.raises(InputError, match="mirrors"):
        checked(Order(ghz(), fidelity="mirrors"))
