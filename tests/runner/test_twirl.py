"""Twirled jobs: what the user gets is what was asked for, with errors made symmetric."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from qiskit import QuantumCircuit, QuantumRegister
from qiskit.circuit import ClassicalRegister, Parameter

from qpm_lab import Lab
from qpm_lab.errors import InputError, QpmError
from qpm_lab.runner import extras


def asymmetric() -> QuantumCircuit:
    """Two registers, measured crosswise: q0 = 1 ends in bit 1 of `a`, q2 = 1 in the only bit of `b`."""
    q, a, b = QuantumRegister(3, "q"), ClassicalRegister(2, "a"), ClassicalRegister(1, "b")
    circuit = QuantumCircuit(q, a, b)
    circuit.x(0)
    circuit.x(2)
    circuit.cx(0, 1)
    circuit.cx(2, 1)
    circuit.measure([0, 1, 2], [1, 0, 2])
    return circuit


@pytest.mark.parametrize("twirl", ["readout", "gates", "all"])
@pytest.mark.parametrize("backend", ["aer/simulator", "aer/noisy", "stim/noisy"])
def test_flips_are_undone_in_the_right_bits(lab: Lab, backend: str, twirl: str) -> None:
    """The most frequent key is the circuit's own, registers and spaces as without."""
    result = lab.submit(asymmetric(), backend=backend, shots=640, seed=3, twirl=twirl).result()
    assert max(result.counts, key=lambda key: result.counts[key]) == "1 10"
    assert sum(result.counts.values()) == 640
    assert result.shots == 640


def test_twirled_readout_errors_are_symmetric(lab: Lab) -> None:
    """|0…0⟩ and |1…1⟩ are read wrongly equally often, though the machine's readout prefers 0."""
    wrong = []
    for ones in (False, True):
        circuit = QuantumCircuit(5)
        if ones:
            circuit.x(range(5))
        circuit.measure_all()
        counts = lab.submit(circuit, backend="aer/noisy", shots=64_000, seed=5, twirl="readout").result().counts
        wrong.append(sum(n * (key.count("0") if ones else key.count("1")) for key, n in counts.items()) / 320_000)
    # The difference has a standard deviation of about 0.0003; five X gates add 5e-4 of their own at most.
    assert wrong[0] == pytest.approx(wrong[1], abs=0.002)


def test_several_circuits_are_twirled_each(lab: Lab) -> None:
    """Every circuit of a list gets its own shots back."""
    flipped = asymmetric()
    flipped.data.pop(0)
    result = lab.submit([asymmetric(), flipped], shots=100, seed=1, twirl="readout").result()
    assert [dict(part.counts) for part in result] == [{"1 10": 100}, {"1 01": 100}]


def test_the_record_says_how_it_was_twirled(lab: Lab) -> None:
    """Kind, number and seed: the variants follow from them."""
    job = lab.submit(asymmetric(), backend="aer/noisy", shots=64, seed=8, twirl="all")
    job.result()
    assert job.record()["twirl"] == {"kind": "all", "variants": 32, "seed": 8}
    assert lab.ledger.job(job.id).total_shots == 64


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"twirl": "readout", "shots": 31}, "32 variants"),
        ({"twirl": "everything", "shots": 100}, "everything"),
    ],
)
def test_what_cannot_be_twirled_is_refused(lab: Lab, options: dict[str, object], words: str) -> None:
    """Nothing is reserved."""
    with pytest.raises(InputError, match=words):
        lab.submit(asymmetric(), **options)
    assert lab.page()["jobs"] == []


def test_a_sweep_is_not_twirled(lab: Lab) -> None:
    """The message says what to leave out."""
    angle = Parameter("a")
    circuit = QuantumCircuit(1)
    circuit.rx(angle, 0)
    circuit.measure_all()
    with pytest.raises(InputError, match="sweep"):
        lab.submit(circuit, shots=100, twirl="readout", parameters={"a": np.linspace(0, 1, 3)})


def test_a_measurement_in_the_middle_is_not_twirled(lab: Lab) -> None:
    """What is decided on a flipped bit would be decided wrongly."""
    circuit = QuantumCircuit(1, 2)
    circuit.measure(0, 0)
    circuit.x(0)
    circuit.measure(0, 1)
    with pytest.raises(QpmError, match="measure"):
        lab.submit(circuit, shots=64, twirl="readout")
    assert lab.page()["jobs"] == []


def test_shots_that_cannot_be_divided_evenly_are_told(lab: Lab) -> None:
    """Each pad then does not have as many shots as the others, and the symmetry is that much short of exact."""
    uneven = lab.dry_run(asymmetric(), backend="aer/noisy", shots=100, twirl="readout")["notes"]
    assert any("a multiple of 32" in note for note in uneven)
    assert not any("32" in note for note in lab.dry_run(asymmetric(), shots=96, twirl="readout")["notes"])


def test_a_twirled_list_is_checked_by_one_variant_of_each_circuit(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Submitting makes no more than it has to look at; the rest is made in the run."""
    made: list[int] = []
    real = extras.variants

    def counted(*arguments: Any) -> list[Any]:
        found = real(*arguments)
        made.append(len(found))
        return found

    monkeypatch.setattr(extras, "variants", counted)
    monkeypatch.setattr(extras.Extras, "build", lambda self, provider: threading.Event().wait(30))
    job = lab.submit([asymmetric(), asymmetric()], backend="aer/noisy", shots=64, twirl="readout")
    assert made == [1, 1]
    job.cancel()
    assert job.wait(20)
