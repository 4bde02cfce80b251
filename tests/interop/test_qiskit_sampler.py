"""`lab.sampler(id)`: the same distributions and shapes as Qiskit's own sampler, governed."""

from __future__ import annotations

import pickle
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.primitives import BaseSamplerV2, BitArray, StatevectorSampler
from qiskit.primitives.containers.sampler_pub import SamplerPub

from qpm_lab import Lab
from qpm_lab.counts import CountsTable
from qpm_lab.errors import CancelledError, CircuitError, QpmError
from qpm_lab.interop.qiskit.samples import CountedBitArray, Shots
from tests.interop.qiskit_circuits import (
    SIGMAS,
    asymmetric,
    exact,
    far_from,
    random_unmeasured,
    rotations,
    slow,
    two_registers,
)


@pytest.mark.parametrize("seed", range(5))
def test_random_circuits_have_the_exact_distribution(lab: Lab, seed: int) -> None:
    """Each share within 5.5 standard errors: 5 · 16 shares, false alarm below 1e-4 with these bounds."""
    circuit = random_unmeasured(seed)
    circuit.measure_all()
    counts = lab.sampler("aer/simulator", seed=seed).run([circuit], shots=5000).result()[0].data.meas.get_counts()
    assert far_from(counts, exact(circuit)) < SIGMAS


@pytest.mark.parametrize("shape", [(), (1,), (7,), (2, 3), (2, 1, 2)])
def test_parameter_values_of_every_shape(lab: Lab, shape: tuple[int, ...]) -> None:
    """The result has the pub's shape, and each point the distribution of its own values (5.5 standard errors)."""
    circuit = rotations()
    values = np.random.default_rng(3).uniform(-3, 3, (*shape, 6))
    job = lab.sampler("aer/simulator", seed=1).run([(circuit, values)], shots=3000)
    bits = job.result()[0].data.meas
    assert (bits.shape, bits.num_shots, bits.num_bits) == (shape, 3000, 3)
    for point in np.ndindex(shape):
        assert far_from(bits.get_counts(point), exact(circuit.assign_parameters(values[point]))) < SIGMAS
    assert len(lab.jobs()) == 1


def test_every_form_of_binding_that_qiskit_takes(lab: Lab) -> None:
    """Dictionaries by parameter, by name and by tuples of names broadcast as Qiskit's own container says."""
    circuit = rotations(2)
    first, second, *rest = circuit.parameters
    forms = {
        "one array": np.zeros((5, 4)),
        "by parameter": {first: np.zeros(5), second: np.ones(5), tuple(rest): np.zeros((5, 2))},
        "by name": {first.name: 0.0, second.name: 1.0, tuple(p.name for p in rest): [0.2, 0.3]},
    }
    for form in forms.values():
        pub = SamplerPub.coerce((circuit, form))
        bits = lab.sampler("aer/simulator").run([(circuit, form)], shots=10).result()[0].data.meas
        assert bits.shape == pub.shape


def test_pubs_with_equal_shots_are_one_job(lab: Lab) -> None:
    """Three pubs, two of them the same circuit, in one job; a fourth with its own shots in a second."""
    circuit = rotations()
    pubs = [(circuit, [0.0] * 6), asymmetric(), (circuit, [[0.0] * 6, [np.pi] + [0.0] * 5])]
    sampler = lab.sampler("aer/simulator", experiment="family")
    job = sampler.run(pubs, shots=100)
    result = job.result()
    assert [each.metadata["shots"] for each in result] == [100, 100, 100]
    assert result[1].data.c.get_counts() == {"001": 100}
    assert far_from(result[2].data.meas.get_counts(1), exact(circuit.assign_parameters([np.pi] + [0] * 5))) < SIGMAS
    assert len(lab.jobs()) == 1
    record = lab.record(job.job_id())
    assert record["labels"]["experiment"] == "family"
    assert record["fidelity"]["value"] is None
    assert len(sampler.run([*pubs, (circuit, [0.0] * 6, 50)], shots=100).jobs) == 2
    assert len(lab.jobs()) == 3


def test_registers_stay_joint(lab: Lab) -> None:
    """Shot by shot the registers belong together, as `join_data` and the arrays show."""
    result = lab.sampler("aer/simulator", seed=2).run([two_registers()], shots=500).result()[0]
    joint = result.join_data(["b", "a"]).get_counts()
    assert set(joint) == {"0110", "1011"}
    assert result.data.b.get_counts() == {"10": joint["0110"], "11": joint["1011"]}
    assert set(zip(result.data.a.get_bitstrings(), result.data.b.get_bitstrings(), strict=True)) == {
        ("01", "10"),
        ("10", "11"),
    }


def test_shared_and_loose_bits_are_read_by_place(lab: Lab) -> None:
    """A register that shares bits with another, and bits of no register, give what was measured into them."""
    left = ClassicalRegister(2, "left")
    right = ClassicalRegister(name="right", bits=[left[1]])
    circuit = QuantumCircuit(QuantumRegister(2, "q"), left, right)
    circuit.x(1)
    circuit.measure([0, 1], left)
    data = lab.sampler("aer/simulator").run([circuit], shots=5).result()[0].data
    assert data.left.get_counts() == {"10": 5}
    assert data.right.get_counts() == {"1": 5}


def test_shots_come_in_a_random_order_that_the_seed_repeats(lab: Lab) -> None:
    """Not sorted, not alike between points, equal for equal seeds, and always with the counts of the job."""
    circuit, values = rotations(), np.full((3, 6), 0.7)
    first = lab.sampler("aer/simulator", seed=5).run([(circuit, values)], shots=400).result()[0].data.meas
    again = lab.sampler("aer/simulator", seed=5).run([(circuit, values)], shots=400).result()[0].data.meas
    counts = [first.get_counts(point) for point in range(3)]
    assert np.array_equal(first.array, again.array)
    numbers = first.array[..., 0]
    assert not any(np.array_equal(row, np.sort(row)) for row in numbers)
    assert not np.array_equal(np.argsort(numbers[0], kind="stable"), np.argsort(numbers[1], kind="stable"))
    assert [BitArray(first.array, 3).get_counts(point) for point in range(3)] == counts


def test_a_circuit_that_measures_nothing_is_not_executed(lab: Lab) -> None:
    """Zeros for registers nothing is measured into; a warning and no data without registers; no job for either."""
    silent = QuantumCircuit(1, 2)
    silent.x(0)
    job = lab.sampler("aer/simulator").run([silent], shots=7)
    assert job.result()[0].data.c.get_counts() == {"00": 7}
    assert job.done()
    with pytest.warns(UserWarning, match="no classical register"):
        assert len(lab.sampler("aer/simulator").run([QuantumCircuit(1)]).result()[0].data) == 0
    assert len(lab.sampler("aer/simulator").run([]).result()) == 0
    assert len(lab.jobs()) == 0


def test_results_like_qiskits_own(lab: Lab) -> None:
    """Same registers, shapes and metadata as `StatevectorSampler` for the same pubs."""
    circuit = rotations()
    circuit.metadata = {"of": "mine"}
    pubs = [(circuit, np.zeros((2, 6)), 20), (two_registers(), None, 30)]
    mine, qiskits = lab.sampler("aer/simulator").run(pubs).result(), StatevectorSampler().run(pubs).result()
    assert isinstance(lab.sampler("aer/simulator"), BaseSamplerV2)
    for own, theirs in zip(mine, qiskits, strict=True):
        assert list(own.data) == list(theirs.data)
        assert own.data.shape == theirs.data.shape
        assert own.metadata == theirs.metadata
        for name in own.data:
            assert own.data[name].array.shape == theirs.data[name].array.shape
            assert own.data[name].array.dtype == theirs.data[name].array.dtype


def test_changing_the_circuit_after_run_changes_nothing(lab: Lab) -> None:
    """The job holds what was submitted."""
    circuit = asymmetric()
    job = lab.sampler("aer/simulator").run([circuit], shots=4)
    circuit.add_register(ClassicalRegister(3, "late"))
    circuit.x(0)
    assert job.result()[0].data.c.get_counts() == {"001": 4}
    assert list(job.result()[0].data) == ["c"]


def test_results_can_be_kept(lab: Lab) -> None:
    """Result and job can be pickled; what comes back is Qiskit's own container with the same shots."""
    job = lab.sampler("aer/simulator", seed=1).run([(rotations(), np.ones((2, 6)))], shots=50)
    bits = job.result()[0].data.meas
    kept = pickle.loads(pickle.dumps(job)).result()[0].data.meas
    assert type(kept) is BitArray
    assert kept == bits


def test_a_second_number_of_shots_that_is_refused_withdraws_the_first(lab: Lab) -> None:
    """A run is refused as a whole: no job of it is left running."""
    bad = rotations()
    with pytest.raises(QpmError):
        lab.sampler("aer/simulator").run([(asymmetric(), None, 1000), (bad, [0.0] * 6, 2**52)])
    assert all(status in {"completed", "cancelled", "denied"} for status in lab.jobs()["status"])


def test_malformed_values_are_refused(lab: Lab) -> None:
    """A value that is not a number is refused before anything is recorded."""
    with pytest.raises(CircuitError):
        lab.sampler("aer/simulator").run([(rotations(), [np.nan] * 6)])
    assert len(lab.jobs()) == 0


def test_cancel_ends_a_run(lab: Lab) -> None:
    """The handle of a run stops its job."""
    job = lab.sampler("aer/simulator").run([slow()], shots=200_000)
    assert not job.in_final_state()
    job.cancel()
    with pytest.raises(CancelledError):
        job.result()
    assert job.cancelled()
    assert not job.running()


histograms = st.integers(1, 11).flatmap(
    lambda bits: st.lists(st.lists(st.integers(0, 2**bits - 1), min_size=12, max_size=12), min_size=1, max_size=4).map(
        lambda rows: (bits, rows)
    )
)


@settings(max_examples=60, deadline=None)
@given(histograms, st.integers(0, 2**31), st.randoms(use_true_random=False))
def test_counts_and_shots_always_agree(drawn: tuple[int, list[list[int]]], seed: int, random: Random) -> None:
    """For any outcomes, point and choice of bits, the counts read directly are those of the shots written out."""
    bits, rows = drawn
    table = CountsTable.of([{format(n, f"0{bits}b"): row.count(n) for n in sorted(set(row))} for row in rows])
    columns = random.sample(range(bits), random.randint(1, bits))
    mine = CountedBitArray(Shots(table, (len(rows),), 12, (seed,)), columns)
    places = (None, 0, -1, (len(rows) - 1,))
    read = [(mine.get_counts(loc), mine.get_int_counts(loc)) for loc in places]
    plain = BitArray(mine.array, len(columns))
    assert read == [(plain.get_counts(loc), plain.get_int_counts(loc)) for loc in places]
    mine.array[:] = 0
    assert mine.get_int_counts() == {0: 12 * len(rows)}
