"""A governed GHZ-5 job beside what people write today, in one process.

Two series, each alternating two contenders so that whatever slows the machine slows both:

- bare: `AerSimulator.run` on a circuit transpiled before, against `Lab.submit(...).result()`;
- today: `transpile` + `AerSimulator.run`, against the same governed job.

Full sync is included; one synced commit of this disk is timed beside them.

    python benchmarks/governed_job.py [--rounds 100]
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from qiskit import QuantumCircuit, transpile
from qiskit_aer import AerSimulator

from qpm_lab import Lab

SHOTS = 4096


def ghz(qubits: int = 5) -> QuantumCircuit:
    circuit = QuantumCircuit(qubits, name="ghz")
    circuit.h(0)
    for qubit in range(qubits - 1):
        circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    return circuit


def synced_commit(folder: Path) -> None:
    with (folder / "sync").open("ab") as file:
        file.write(b"x" * 4096)
        file.flush()
        os.fdatasync(file.fileno())


def milliseconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1e3


def alternate(
    first: Callable[[], object], second: Callable[[], object], rounds: int
) -> tuple[list[float], list[float]]:
    """Times both in turn after a warm-up; which one begins changes every round."""
    for _ in range(5):
        first()
        second()
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(rounds):
        for index in (0, 1) if turn % 2 else (1, 0):
            times[index].append(milliseconds((first, second)[index]))
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=100)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        lab, simulator, circuit = Lab(Path(folder) / "home"), AerSimulator(), ghz()
        ready = transpile(circuit, simulator)

        def bare() -> object:
            return simulator.run(ready, shots=SHOTS).result().get_counts()

        def today() -> object:
            return simulator.run(transpile(circuit, simulator), shots=SHOTS).result().get_counts()

        def governed() -> object:
            return lab.submit(circuit, shots=SHOTS).result().counts

        print(f"GHZ-5, {SHOTS:,} shots, {rounds} rounds a series; milliseconds")
        print(f"{'':34}{'p10':>9}{'median':>9}{'p90':>9}")
        beside_bare = alternate(bare, governed, rounds)
        show("bare Aer, transpiled before", beside_bare[0])
        show("governed, beside it", beside_bare[1])
        beside_today = alternate(today, governed, rounds)
        show("transpile + AerSimulator.run", beside_today[0])
        show("governed, beside it", beside_today[1])
        show("one synced commit", [milliseconds(lambda: synced_commit(Path(folder))) for _ in range(rounds)])
        added = statistics.median(g - b for b, g in zip(*beside_bare, strict=True))
        ratio = statistics.median(g / t for t, g in zip(*beside_today, strict=True))
        print(f"governed adds {added:.2f} ms to a bare run (median of pairs; target: at most 5)")
        print(f"governed takes {ratio:.2f} times what transpile + run takes (target: at most 1)")
        lab.close()


def show(name: str, values: list[float]) -> None:
    deciles = statistics.quantiles(values, n=10)
    print(f"{name:34}{deciles[0]:9.2f}{statistics.median(values):9.2f}{deciles[8]:9.2f}")


if __name__ == "__main__":
    main()
