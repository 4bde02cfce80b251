"""A governed GHZ-5 job of 4,096 shots beside what people write today.

Bare is `AerSimulator.run` on a circuit transpiled before; today is `transpile` and `AerSimulator.run`. The governed
job is `Lab.submit(circuit).result().counts` with everything on: policy, quotas, a fully synced ledger, fidelity.
"""

from __future__ import annotations

from qiskit import transpile
from qiskit_aer import AerSimulator

from benchmarks import comparison
from benchmarks.circuits import ghz
from benchmarks.comparison import fresh_lab
from benchmarks.finding import Finding, Target
from benchmarks.timing import Spread, differences, interleave, milliseconds, ratios

SHOTS = 4096
WORK = "a single GHZ-5 job, 4,096 shots"


def measure(quick: bool) -> list[Finding]:
    """Both lines from the same rounds."""
    with fresh_lab() as lab:
        simulator, circuit = AerSimulator(), ghz()
        ready = transpile(circuit, simulator)
        times = interleave(
            {
                "bare": lambda: simulator.run(ready, shots=SHOTS).result().get_counts(),
                "today": lambda: simulator.run(transpile(circuit, simulator), shots=SHOTS).result().get_counts(),
                "governed": lambda: lab.submit(circuit, shots=SHOTS).result().counts,
            },
            rounds=2 if quick else 100,
            warm_up=1 if quick else 5,
        )
    bare, today, governed = times["bare"], times["today"], times["governed"]
    added = Spread.of([1e3 * each for each in differences(governed, bare)])
    took, beside = milliseconds(governed), ratios(governed, today)
    return [
        Finding(WORK, "bare Aer, transpiled before", " ms", added, f"{took} against {milliseconds(bare)}",
                Target(5, False, " ms")),
        Finding(WORK, "`transpile` and `AerSimulator.run`", "×", beside, f"{took} against {milliseconds(today)}",
                Target(1, False, "×")),
    ]  # fmt: skip


if __name__ == "__main__":
    comparison.main(measure)
