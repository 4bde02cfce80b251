"""A sweep of 1,000 points: 6 qubits, 1,024 shots a point, the counts of every point read as a dictionary.

The circuit is Qiskit's hardware-efficient ansatz with three layers of CX (48 angles). In one sweep a single angle
moves and the others are numbers, in the other all 48 move. Governed is `Lab.submit(circuit, parameters=…)` with policy,
ledger and result. Against it: Aer's `SamplerV2` with one broadcast PUB, all its counts read; and a loop of
`AerSimulator.run` over circuits that were bound and transpiled beforehand, off the clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import Parameter
from qiskit_aer import AerSimulator
from qiskit_aer.primitives import SamplerV2

from benchmarks import comparison
from benchmarks.circuits import angles, ansatz
from benchmarks.comparison import fresh_lab
from benchmarks.finding import Finding, Target
from benchmarks.timing import Work, interleave, milliseconds, ratios
from qpm_lab import Lab

QUBITS, LAYERS, SHOTS = 6, 3, 1024
TARGET = Target(10, True, "×")
AGAINST = {
    "sampler": "Aer `SamplerV2`, one broadcast PUB, all counts",
    "loop": "a loop of `AerSimulator.run`, bound and transpiled before",
}

Values = dict[Parameter, NDArray[np.float64]]


def measure(quick: bool) -> list[Finding]:
    """One angle swept, then all of them."""
    points, rounds = (20, 1) if quick else (1000, 5)
    findings = []
    with fresh_lab() as lab:
        for every in (False, True):
            circuit, values = sweep(points, every)
            times = interleave(contenders(lab, circuit, values), rounds)
            work = f"a 1,000-point sweep, 6 qubits, 1,024 shots, {'all 48 angles' if every else 'one angle'} swept"
            findings += [_finding(work, against, times) for against in AGAINST]
    return findings


def sweep(points: int, every: bool) -> tuple[QuantumCircuit, Values]:
    """The measured ansatz and the values of its open angles, each of shape (points,)."""
    circuit = ansatz(QUBITS, LAYERS)
    rows = angles(points, circuit.num_parameters)
    if not every:
        circuit = circuit.assign_parameters(dict(zip(circuit.parameters[1:], rows[0, 1:], strict=True)))
    circuit.measure_all()
    return circuit, {each: rows[:, i].copy() for i, each in enumerate(circuit.parameters)}


def contenders(lab: Lab, circuit: QuantumCircuit, values: Values) -> dict[str, Work]:
    """Each runs the sweep, reads all counts and returns the number of shots."""
    simulator, sampler = AerSimulator(), SamplerV2(default_shots=SHOTS)
    ready = transpile(circuit, simulator)
    points = len(next(iter(values.values())))
    stacked = {tuple(values): np.stack(list(values.values()), axis=-1)}
    bound = [ready.assign_parameters({each: column[i] for each, column in values.items()}) for i in range(points)]

    def governed() -> int:
        return read(lab.submit(circuit, parameters=values, shots=SHOTS).result().histograms)

    def sampled() -> int:
        bits = sampler.run([(ready, stacked)]).result()[0].data.meas
        return read(bits.get_counts(i) for i in range(points))

    def looped() -> int:
        return read(simulator.run(each, shots=SHOTS).result().get_counts() for each in bound)

    return {"governed": governed, "sampler": sampled, "loop": looped}


def read(histograms: Iterable[Mapping[str, int]] | Sequence[Mapping[str, int]]) -> int:
    """Looks at every count of every point; the number of shots in all."""
    return sum(sum(histogram.values()) for histogram in histograms)


def _finding(work: str, against: str, times: Mapping[str, Sequence[float]]) -> Finding:
    detail = f"{milliseconds(times['governed'])} against {milliseconds(times[against])}"
    return Finding(work, AGAINST[against], "×", ratios(times[against], times["governed"]), detail, TARGET)


if __name__ == "__main__":
    comparison.main(measure)
