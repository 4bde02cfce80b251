"""A VQE of 200 steps in a session beside the same loop without it: 4 qubits, 24 angles, 1,024 shots a circuit.

Each step of the optimiser (SciPy's COBYLA, stopped after 200) asks for the energy at one place. Whole loops take turns,
opening and closing the session included; the figure is the difference of two loops divided by their steps. Every
template is transpiled before, off the clock. Ways to write the step:

- one bound circuit: the cut of a ring, read from one histogram; `lab.submit` and `lab.backend(…).run` beside
  `AerSimulator.run`;
- five bound circuits: H2 in the five bases that its 15 terms need, one list a step, the same two ways;
- an estimator for H2: `lab.estimator` beside Aer's `EstimatorV2`, which computes the energy exactly and adds normal
  noise, so that it never samples; and beside Qiskit's `BackendEstimatorV2` on Aer, which measures the five bases as
  ours does;
- PennyLane for H2: the device `qpm.lab` beside `default.qubit`, both with 1,024 shots.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import scipy.optimize
from numpy.typing import NDArray
from qiskit import QuantumCircuit, transpile
from qiskit.primitives import BackendEstimatorV2
from qiskit_aer import AerSimulator
from qiskit_aer.primitives import EstimatorV2

from benchmarks import comparison
from benchmarks.circuits import SEED, ansatz
from benchmarks.comparison import fresh_lab
from benchmarks.energies import BASES, HAMILTONIAN, energy, measured_in, pennylane_energy, ring_cut
from benchmarks.finding import Finding, Target
from benchmarks.timing import Spread, Work, differences, interleave, milliseconds
from qpm_lab import Lab

SHOTS = 1024
PRECISION = SHOTS**-0.5
TARGET = Target(2, False, " ms")
LEAST_STEPS = 26
"""Two more than the angles, as COBYLA wants."""

Angles = NDArray[np.float64]
Energy = Callable[[Angles], float]
Counts = Sequence[Mapping[str, int]]


def measure(quick: bool) -> list[Finding]:
    """Every way to write the step."""
    with fresh_lab() as lab:
        cut, molecule = circuits(lab, ("ZZZZ",), ring_cut), circuits(lab, BASES, energy)
        estimator, device = estimators(lab), devices(lab)
        pairs: list[tuple[str, str, Energy, Energy, Target]] = [
            ("one bound circuit, `lab.submit`", "`AerSimulator.run`", cut["submit"], cut["bare"], TARGET),
            ("one bound circuit, `lab.backend`", "`AerSimulator.run`", cut["backend"], cut["bare"], TARGET),
            ("five bound circuits, `lab.submit`", "`AerSimulator.run`", molecule["submit"], molecule["bare"], TARGET),
            ("five bound circuits, `lab.backend`", "`AerSimulator.run`", molecule["backend"], molecule["bare"], TARGET),
            ("estimator", "Aer `EstimatorV2`", estimator["governed"], estimator["aer"], TARGET),
            ("estimator", "`BackendEstimatorV2` on Aer", estimator["governed"], estimator["backend"], TARGET),
            ("PennyLane device", "`default.qubit`", device["governed"], device["bare"], TARGET),
        ]
        return [_pair(lab, quick, *pair) for pair in pairs]


def minimised(cost: Energy, steps: int) -> float:
    """The lowest energy that COBYLA finds in so many steps."""
    start = np.random.default_rng(SEED).uniform(-0.1, 0.1, ansatz(4, 2).num_parameters)
    options = {"maxiter": steps, "rhobeg": 0.3, "tol": 1e-9}
    found = scipy.optimize.minimize(cost, start, method="COBYLA", options=options)
    if found.nfev != steps:
        raise RuntimeError(f"COBYLA took {found.nfev} steps, not {steps}.")
    return float(found.fun)


def _pair(lab: Lab, quick: bool, way: str, against: str, governed: Energy, bare: Energy, target: Target) -> Finding:
    steps, rounds = (LEAST_STEPS, 1) if quick else (200, 5)

    def in_session() -> float:
        with lab.session(max_jobs=steps):
            return minimised(governed, steps)

    contenders: dict[str, Work] = {"governed": in_session, "bare": lambda: minimised(bare, steps)}
    if not quick:
        for cost in (governed, bare):
            minimised(cost, LEAST_STEPS)
    times = {name: [each / steps for each in loops] for name, loops in interleave(contenders, rounds, 0).items()}
    added = Spread.of([1e3 * each for each in differences(times["governed"], times["bare"])])
    detail = f"{milliseconds(times['governed'])} against {milliseconds(times['bare'])}"
    return Finding(f"a step of a 200-step VQE in a session: {way}", against, " ms", added, detail, target)


def circuits(lab: Lab, bases: tuple[str, ...], cost: Callable[[Counts], float]) -> dict[str, Energy]:
    """The same list of bound circuits, one for each basis, run in three ways."""
    simulator, backend = AerSimulator(), lab.backend("aer/simulator")
    templates = transpile([measured_in(basis, ansatz(4, 2)) for basis in bases], simulator)

    def ask(run: Callable[[list[QuantumCircuit]], Counts], place: Angles) -> float:
        return cost(run([each.assign_parameters(place) for each in templates]))

    def run_on(backend: Any, circuits: list[QuantumCircuit]) -> Counts:
        counts = backend.run(circuits, shots=SHOTS).result().get_counts()
        return counts if isinstance(counts, list) else [counts]

    return {
        "bare": partial(ask, partial(run_on, simulator)),
        "backend": partial(ask, partial(run_on, backend)),
        "submit": partial(ask, lambda circuits: lab.submit(circuits, shots=SHOTS).result().histograms),
    }


def estimators(lab: Lab) -> dict[str, Energy]:
    """The energy of H2 by three estimators."""
    simulator = AerSimulator()
    circuit = transpile(ansatz(4, 2), simulator)

    def ask(estimator: Any, place: Angles) -> float:
        return float(estimator.run([(circuit, HAMILTONIAN, place)], precision=PRECISION).result()[0].data.evs)

    return {
        "governed": partial(ask, lab.estimator("aer/simulator")),
        "aer": partial(ask, EstimatorV2()),
        "backend": partial(ask, BackendEstimatorV2(backend=simulator)),
    }


def devices(lab: Lab) -> dict[str, Energy]:
    """The energy of H2 by two devices of PennyLane."""
    import pennylane as qml

    return {
        "governed": pennylane_energy(qml.device("qpm.lab", backend="aer/simulator", wires=4, lab=lab), SHOTS),
        "bare": pennylane_energy(qml.device("default.qubit", wires=4), SHOTS),
    }


if __name__ == "__main__":
    comparison.main(measure)
