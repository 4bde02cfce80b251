"""1,000 single jobs on the record: GHZ-5, 4,096 shots, each a bare Aer run and what its record adds to it.

The contenders take turns job by job in one process, in an environment of their own (`scripts/bench-env.sh`, with the
Aer that devqubit asks for): the bare run on a circuit transpiled before; `Lab.submit(circuit).result().counts`;
devqubit as its README shows it (`track`, `run.wrap`, one parameter, one metric; stores in files and SQLite); MLflow
with a SQLite store, in the few calls its documentation recommends (`log_params`, `log_metrics`, one dictionary of
counts). Overhead is what a job takes more than the bare run beside it, summed over blocks of 100 jobs; the figure is
how many times ours fits into the other's. Only ours decides, reserves and syncs to disk before it answers; devqubit
keeps the circuit and the environment as well, MLflow neither.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from qiskit import transpile
from qiskit_aer import AerSimulator

from benchmarks import comparison
from benchmarks.circuits import ghz
from benchmarks.comparison import fresh_lab
from benchmarks.finding import Finding, Target
from benchmarks.timing import Spread, Work, differences, interleave, milliseconds

SHOTS = 4096
BLOCKS = 10
TARGET = Target(3, True, "×")
WORK = "the record of 1,000 single jobs"
AGAINST = {"devqubit": "`devqubit.track`", "mlflow": "MLflow tracking (SQLite)"}

Counts = Mapping[str, int]


def measure(quick: bool) -> list[Finding]:
    """The overhead of each tracker beside ours."""
    jobs = 2 * BLOCKS if quick else 1000
    with fresh_lab() as lab, tempfile.TemporaryDirectory() as folder:
        simulator, circuit = AerSimulator(), ghz()
        ready = transpile(circuit, simulator)

        def bare() -> Counts:
            counts: Counts = simulator.run(ready, shots=SHOTS).result().get_counts()
            return counts

        contenders: dict[str, Work] = {
            "bare": bare,
            "governed": lambda: lab.submit(circuit, shots=SHOTS).result().counts,
            "devqubit": _devqubit(simulator, ready, Path(folder)),
            "mlflow": _mlflow(bare, Path(folder)),
        }
        times = interleave(contenders, rounds=jobs, warm_up=3)
    return [_finding(name, times) for name in AGAINST]


def _devqubit(simulator: Any, ready: Any, folder: Path) -> Work:
    os.environ["DEVQUBIT_HOME"] = str(folder / "devqubit")
    from devqubit import track

    def job() -> None:
        with track(project="ghz") as run:
            counts = run.wrap(simulator).run(ready, shots=SHOTS).result().get_counts()
            run.log_param("shots", SHOTS)
            run.log_metric("p00000", counts.get("00000", 0) / SHOTS)

    return job


def _mlflow(bare: Callable[[], Counts], folder: Path) -> Work:
    os.environ["MLFLOW_LOGGING_LEVEL"] = "WARNING"
    import mlflow

    mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
    mlflow.set_experiment(experiment_id=mlflow.create_experiment("ghz", (folder / "artifacts").as_uri()))

    def job() -> None:
        with mlflow.start_run():
            counts = bare()
            mlflow.log_params({"backend": "aer", "shots": SHOTS})
            mlflow.log_metrics({"p00000": counts.get("00000", 0) / SHOTS})
            mlflow.log_dict(dict(counts), "counts.json")

    return job


def _finding(name: str, times: Mapping[str, Sequence[float]]) -> Finding:
    theirs, ours = (differences(times[each], times["bare"]) for each in (name, "governed"))
    detail = f"{milliseconds(ours)} a job against {milliseconds(theirs)}, over {milliseconds(times['bare'])} bare"
    measured = Spread.of([sum(t) / max(sum(o), 1e-9) for t, o in zip(_blocks(theirs), _blocks(ours), strict=True)])
    return Finding(WORK, AGAINST[name], "×", measured, detail, TARGET)


def _blocks(values: Sequence[float]) -> list[Sequence[float]]:
    size = len(values) // BLOCKS
    return [values[i : i + size] for i in range(0, size * BLOCKS, size)]


if __name__ == "__main__":
    comparison.main(measure)
