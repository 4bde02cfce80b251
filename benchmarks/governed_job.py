"""A governed GHZ-5 job beside what people write today, interleaved in one process.

Prints medians in milliseconds of: bare Aer on a transpiled circuit; `transpile` + `AerSimulator.run`;
a governed job (`Lab.submit(...).result()`), full sync included; and one synced commit of this disk.

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=100)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        lab, simulator, circuit = Lab(Path(folder) / "home"), AerSimulator(), ghz()
        ready = transpile(circuit, simulator)
        contenders: dict[str, Callable[[], object]] = {
            "bare Aer, transpiled before": lambda: simulator.run(ready, shots=SHOTS).result().get_counts(),
            "transpile + AerSimulator.run": lambda: (
                simulator.run(transpile(circuit, simulator), shots=SHOTS).result().get_counts()
            ),
            "governed: Lab.submit().result()": lambda: lab.submit(circuit, shots=SHOTS).result().counts,
            "one synced commit": lambda: synced_commit(Path(folder)),
        }
        times: dict[str, list[float]] = {name: [] for name in contenders}
        for _ in range(3):
            for work in contenders.values():
                work()
        for turn in range(rounds):
            for name, work in rotated(contenders, turn):
                times[name].append(milliseconds(work))
        lab.close()
    report(times, rounds)


def rotated(contenders: dict[str, Callable[[], object]], turn: int) -> list[tuple[str, Callable[[], object]]]:
    """Another one begins each round and every other round runs backwards: caches favour nobody."""
    items = list(contenders.items())
    start = turn % len(items)
    return (items[start:] + items[:start])[:: 1 if turn // len(items) % 2 else -1]


def report(times: dict[str, list[float]], rounds: int) -> None:
    print(f"GHZ-5, {SHOTS:,} shots, {rounds} interleaved rounds; milliseconds")
    print(f"{'':34}{'p10':>9}{'median':>9}{'p90':>9}")
    for name, values in times.items():
        deciles = statistics.quantiles(values, n=10)
        print(f"{name:34}{deciles[0]:9.2f}{statistics.median(values):9.2f}{deciles[8]:9.2f}")
    bare, today, governed, _ = times.values()
    paired = statistics.median(g - b for g, b in zip(governed, bare, strict=True))
    print(f"governed adds {paired:.2f} ms to a bare run (median of pairs; target: at most 5)")
    ratio = statistics.median(g / t for g, t in zip(governed, today, strict=True))
    print(f"governed takes {ratio:.2f} times what transpile + run takes (target: at most 1)")


if __name__ == "__main__":
    main()
