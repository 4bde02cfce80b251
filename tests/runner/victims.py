"""What the tests run in processes of their own; started by a fork server that has the SDKs loaded."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

PRELOAD = [
    "qiskit",
    "qiskit.qasm3",
    "qiskit.quantum_info",
    "qiskit_aer",
    "qpm_lab.lab",
    "tests.runner.victims",
]


def fork_server() -> ForkServerContext:
    """A context whose processes start in milliseconds because everything is imported already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    return context


def ghz(qubits: int = 2) -> Any:
    """An asymmetric circuit: a GHZ state with its highest qubit flipped."""
    from qiskit import QuantumCircuit

    circuit = QuantumCircuit(qubits, name=f"ghz{qubits}")
    circuit.h(0)
    for qubit in range(qubits - 1):
        circuit.cx(qubit, qubit + 1)
    circuit.x(qubits - 1)
    return circuit


def die_at(home: Path, boundary: str, **options: Any) -> None:
    """Submits one job and kills this process at the named boundary."""
    from qpm_lab.lab import Lab

    lab = Lab(home)

    def pull_the_plug(name: str) -> None:
        if name == boundary:
            os.kill(os.getpid(), signal.SIGKILL)

    lab.runner.boundary = pull_the_plug
    lab.submit(ghz(), shots=100, **options).wait(30)


def die_in_a_session(home: Path, boundary: str, told: Any) -> None:
    """Runs a loop in a session and kills this process in its third step, at the named boundary or after it."""
    from qpm_lab.lab import Lab

    lab = Lab(home)
    steps: list[int] = []

    def pull_the_plug(name: str) -> None:
        if name == boundary and len(steps) == 3:
            os.kill(os.getpid(), signal.SIGKILL)

    lab.runner.boundary = pull_the_plug
    with lab.session(max_jobs=50, max_shots=5000):
        while True:
            steps.append(1)
            job = lab.submit(ghz(), shots=100)
            told.put((job.id, dict(job.result().counts)))
            pull_the_plug("between")


def work_until_killed(home: Path, backend: str = "aer/simulator", *, in_session: bool = False) -> None:
    """Submits jobs without end."""
    from qpm_lab.lab import Lab

    lab = Lab(home)
    if in_session:
        lab.session(max_jobs=5000, max_shots=50_000)
    (home / f"ready-{os.getpid()}").touch()
    while True:
        lab.submit(ghz(), shots=10, backend=backend)


def hold_a_job(home: Path, running: Any, go_on: Any) -> None:
    """Runs one job that waits, right after it was started, until it may go on."""
    from qpm_lab.lab import Lab

    lab = Lab(home)

    def wait(name: str) -> None:
        if name == "after-submit":
            running.set()
            go_on.wait(60)

    lab.runner.boundary = wait
    job = lab.submit(ghz(), shots=100)
    job.wait(60)
    lab.close()


def race(home: Path, policies: Path, tries: int, start: Any, granted: Any) -> None:
    """Submits `tries` jobs as fast as it can and puts the number granted."""
    from qpm_lab.errors import QuotaError
    from qpm_lab.lab import Lab

    lab = Lab(home, policies)
    start.wait(60)
    count = 0
    for _ in range(tries):
        try:
            lab.submit(ghz(), shots=7).wait(60)
            count += 1
        except QuotaError:
            time.sleep(0)
    granted.put(count)
    lab.close()
