"""A circuit of 20 qubits and depth 20, 4,096 shots, on `aer/simulator` beside bare Aer.

Bare is `AerSimulator.run(...).result().get_counts()` on the circuit transpiled before. The same circuit is run again
and again; the second line takes a new circuit each round, so that nothing can have been kept from an earlier one.
"""

from __future__ import annotations

from collections.abc import Callable

from qiskit import QuantumCircuit, transpile
from qiskit_aer import AerSimulator

from benchmarks import comparison
from benchmarks.circuits import layered
from benchmarks.comparison import fresh_lab
from benchmarks.finding import Finding, Target
from benchmarks.timing import interleave, milliseconds, ratios
from qpm_lab import Lab

SHOTS = 4096
BARE = "bare Aer, transpiled before"


def measure(quick: bool) -> list[Finding]:
    """The same circuit every round, then a new one every round."""
    qubits, rounds = (8, 2) if quick else (20, 15)
    circuits = [layered(qubits, 20, seed) for seed in range(rounds + 1)]
    with fresh_lab() as lab:
        same = _compare(lab, circuits[:1] * (rounds + 1))
        new = _compare(lab, circuits)
    return [
        _finding("a 20-qubit depth-20 circuit, 4,096 shots", same, Target(1.03, False, "×")),
        _finding("the same, a new circuit every time", new, None),
    ]


def _compare(lab: Lab, circuits: list[QuantumCircuit]) -> dict[str, list[float]]:
    """Times of both; the first circuit is the warm-up."""
    simulator = AerSimulator()
    bare, governed = iter(transpile(circuits, simulator)), iter(circuits)
    contenders: dict[str, Callable[[], object]] = {
        "bare": lambda: simulator.run(next(bare), shots=SHOTS).result().get_counts(),
        "governed": lambda: lab.submit(next(governed), shots=SHOTS).result().counts,
    }
    return interleave(contenders, rounds=len(circuits) - 1)


def _finding(work: str, times: dict[str, list[float]], target: Target | None) -> Finding:
    detail = f"{milliseconds(times['governed'])} against {milliseconds(times['bare'])}"
    return Finding(work, BARE, "×", ratios(times["governed"], times["bare"]), detail, target)


if __name__ == "__main__":
    comparison.main(measure)
