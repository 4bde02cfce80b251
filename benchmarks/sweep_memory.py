"""The memory of sweeps of 1,000 to 30,000 points: one angle, 6 qubits, 1,024 shots, all counts read in turn.

Each sweep runs in a process of its own after a small one has warmed it up. Its peak is what Python and NumPy have
allocated at most meanwhile (tracemalloc; Aer's own memory is not in it). A sweep is computed in pieces, whose working
memory grows up to a bound and then no more; beyond that, from 3,000 to 30,000 points, the figure is how many bytes the
peak grows by for each byte that the result grows by, that is the arrays of its counts. 1 would be a result written
once in place; another copy while the record is written makes 2; a dictionary a point would make more than 30. Beside
it Aer's `SamplerV2` from 1,000 to 3,000 points, over its own result, one byte a shot.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Sequence

from qiskit import transpile
from qiskit_aer import AerSimulator
from qiskit_aer.primitives import SamplerV2

from benchmarks import comparison
from benchmarks.comparison import fresh_lab
from benchmarks.finding import Finding, Target
from benchmarks.sweep import SHOTS, Values, read, sweep
from benchmarks.timing import Spread
from qpm_lab import Lab
from qpm_lab.counts import CountsTable

POINTS = (1000, 3000, 10_000, 30_000)
TARGET = Target(4, False, " B/B")

Run = Callable[[int], int]
"""Takes the number of points, returns the bytes of the result."""


def measure(quick: bool) -> list[Finding]:
    """Ours, which has the target, and Aer's beside it."""
    points = (20, 40, 60) if quick else POINTS
    return [
        _finding("the memory of a 10,000-point sweep", "the result itself", _peaks("governed", points), 1, TARGET),
        _finding("the same by Aer `SamplerV2`", "its own result", _peaks("sampler", points[:2]), 0, None),
    ]


def _peaks(contender: str, points: Sequence[int]) -> dict[int, tuple[int, int]]:
    return {each: _in_a_process(contender, each) for each in points}


def _finding(work: str, against: str, peaks: dict[int, tuple[int, int]], start: int, target: Target | None) -> Finding:
    """The growth from the `start`-th size to the last; its spread is over the steps between."""
    sizes = list(peaks.values())
    steps = [_slope(early, late) for early, late in itertools.pairwise(sizes[start:])]
    measured = Spread(_slope(sizes[start], sizes[-1]), min(steps), max(steps))
    shown = ", ".join(f"{n:,}: {peak / 1e6:.1f} of {result / 1e6:.2f}" for n, (peak, result) in peaks.items())
    return Finding(work, against, " B/B", measured, f"peak MB of result MB by points: {shown}", target)


def _slope(early: tuple[int, int], late: tuple[int, int]) -> float:
    return (late[0] - early[0]) / (late[1] - early[1])


def _in_a_process(contender: str, points: int) -> tuple[int, int]:
    """Bytes at the peak and of the result."""
    command = [sys.executable, "-m", "benchmarks.sweep_memory", contender, str(points)]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    peak, result = json.loads(printed.splitlines()[-1])
    return peak, result


def _governed(lab: Lab) -> Run:
    def run(points: int) -> int:
        circuit, values = sweep(points, every=False)
        table = lab.submit(circuit, parameters=values, shots=SHOTS).result().histograms
        read(table)
        if not isinstance(table, CountsTable):
            raise TypeError("A sweep has its counts in a table.")
        return sum(part.nbytes for part in (table.keys, table.indices, table.values, table.offsets))

    return run


def _sampler(points: int) -> int:
    circuit, values = sweep(points, every=False)
    bits = (
        SamplerV2(default_shots=SHOTS)
        .run([(transpile(circuit, AerSimulator()), _stacked(values))])
        .result()[0]
        .data.meas
    )
    read(bits.get_counts(i) for i in range(points))
    return int(bits.array.nbytes)


def _stacked(values: Values) -> dict[tuple[object, ...], object]:
    (angle,), (column,) = values.keys(), values.values()
    return {(angle,): column[:, None]}


def _peak(run: Run, points: int) -> tuple[int, int]:
    run(50)
    tracemalloc.start()
    result = run(points)
    return tracemalloc.get_traced_memory()[1], result


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] in ("governed", "sampler"):
        with fresh_lab() as lab:
            contender = _governed(lab) if sys.argv[1] == "governed" else _sampler
            print(json.dumps(_peak(contender, int(sys.argv[2]))))
    else:
        comparison.main(measure)
