"""Long simulations in a child process, and what happens when one of the two dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import cast

import psutil
import pytest
from qiskit import QuantumCircuit

from qpm_lab.errors import CancelledError, CircuitError, ProviderError
from qpm_lab.providers import provider_of
from qpm_lab.providers.children import SAME_PIECE, Processes, children
from qpm_lab.providers.crew import Threads
from qpm_lab.providers.interface import Progress, Task
from qpm_lab.providers.running import FinishedRun, PiecesRun, simulate
from qpm_lab.providers.simulator import LocalSimulator
from tests.providers.making import deciding, dense, ghz, leaning, long, run, task

PATIENCE_SECONDS = 60.0


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


class InChildren(PiecesRun):
    """A run in child processes, whatever its expected time."""

    crew: Processes

    def __init__(self, task: Task) -> None:
        super().__init__(cast(LocalSimulator, provider_of(task.backend.id)).prepared(task), Processes())


def _simulating(running: InChildren) -> int:
    _until(lambda: running.progress().message == "simulating")
    (pid,) = running.crew.pids
    return pid


def _another(running: InChildren, than: set[int]) -> int:
    _until(lambda: bool(set(running.crew.pids) - than))
    (pid,) = set(running.crew.pids) - than
    return pid


def test_small_work_is_finished_at_once_and_long_work_is_not() -> None:
    """A submit returns at once either way; only long work gets a process."""
    provider = provider_of("aer/simulator")
    assert isinstance(provider.submit(task("aer/simulator", ghz(5))), FinishedRun)
    running = provider.submit(task("aer/simulator", long()))
    assert isinstance(running, PiecesRun)
    running.cancel()


def test_many_small_circuits_need_no_process() -> None:
    """A few seconds of short pieces are computed beside the caller, who sees them come in."""
    provider = provider_of("aer/simulator")
    work = task("aer/simulator", *(dense(7, 4, seed) for seed in range(700)), shots=2048)
    running = provider.submit(work)
    assert isinstance(running, PiecesRun)
    assert isinstance(running.crew, Threads)
    _until(lambda: len(running.finished()) > 0)
    running.cancel()
    assert 0 < len(running.finished()) <= 700


def test_a_loop_without_end_can_be_cancelled() -> None:
    """A loop that waits for a measurement never runs where it could not be stopped."""
    circuit = QuantumCircuit(1, 1)
    circuit.measure(0, 0)
    with circuit.while_loop((circuit.clbits[0], 0)):
        circuit.measure(0, 0)
    running = provider_of("aer/simulator").submit(task("aer/simulator", circuit, shots=1))
    assert isinstance(running, PiecesRun)
    _until(lambda: running.progress().message == "simulating")
    assert not running.wait(0.2)
    running.cancel()
    assert running.wait(0)


@pytest.mark.parametrize("name", ["aer/simulator", "aer/noisy", "pennylane/lightning.qubit"])
def test_a_child_gives_the_counts_of_an_inline_run(name: str) -> None:
    """Where a task runs does not change its result."""
    child = InChildren(task(name, leaning(), ghz(4))).result()
    assert [dict(c) for c in child.counts] == [dict(c) for c in run(name, leaning(), ghz(4)).counts]
    assert child.cpu_seconds > 0
    assert child.peak_memory_bytes > 2**20


def test_cancel_kills_and_reaps_the_child() -> None:
    """When cancel returns there is no process, not even a zombie."""
    running = InChildren(task("aer/simulator", long()))
    pid = _simulating(running)
    running.cancel()
    assert not psutil.pid_exists(pid)
    with pytest.raises(CancelledError):
        running.result()


def test_cancel_before_the_start_and_twice_is_harmless() -> None:
    """An early or repeated cancel leaves a cancelled run."""
    running = InChildren(task("aer/simulator", long()))
    running.cancel()
    running.cancel()
    assert running.wait(0)
    with pytest.raises(CancelledError):
        running.result()


def test_cancel_after_the_end_keeps_the_result() -> None:
    """A late cancel does not throw a result away."""
    running = InChildren(task("aer/simulator", ghz(3), shots=10))
    assert running.wait(PATIENCE_SECONDS)
    running.cancel()
    assert sum(running.result().counts[0].values()) == 10


def test_a_killed_child_costs_a_retry_of_its_piece() -> None:
    """Death by signal 9 in mid-run leaves the job complete, with the counts it has without."""
    work = task("aer/noisy", dense(13, 2), shots=60)
    running = InChildren(work)
    _until(lambda: bool(running.crew.pids))
    os.kill(running.crew.pids[0], signal.SIGKILL)
    assert running.result().counts == simulate(cast(LocalSimulator, provider_of("aer/noisy")).prepared(work)).counts


@pytest.mark.parametrize(("number", "said"), [(signal.SIGKILL, "memory ran out"), (signal.SIGSEGV, "SIGSEGV")])
def test_a_piece_that_kills_every_child_fails_the_run(number: signal.Signals, said: str) -> None:
    """After a few children the run gives up, says what happened, and may be tried again."""
    running = InChildren(task("aer/simulator", long()))
    killed: set[int] = set()
    for _ in range(SAME_PIECE):
        pid = _another(running, killed)
        killed.add(pid)
        os.kill(pid, number)
    with pytest.raises(ProviderError, match=said) as failed:
        running.result()
    assert failed.value.retryable


def test_the_next_job_gets_the_same_child() -> None:
    """Imports are paid once: the child of a finished job computes the next one."""
    InChildren(task("aer/simulator", ghz(3))).result()
    warm = children().take()
    children().give_back(warm)
    running = InChildren(task("aer/simulator", long()))
    assert _simulating(running) == warm.pid
    running.cancel()
    assert not psutil.pid_exists(warm.pid)


def test_a_child_that_waited_too_long_goes() -> None:
    """Idle children are closed."""
    InChildren(task("aer/simulator", ghz(3))).result()
    assert children().idle
    children().close()
    assert not children().idle


def test_an_error_in_the_child_arrives_as_it_is() -> None:
    """Type, message and hint survive the pipe, and nobody retries a bad circuit."""
    with pytest.raises(CircuitError, match="if_else") as failed:
        InChildren(task("pennylane/default.qubit", deciding())).result()
    assert "aer/simulator" in failed.value.hint


def test_the_death_of_the_parent_ends_the_child() -> None:
    """After kill -9 of the process that submitted, no simulation goes on."""
    script = (
        "from tests.providers.making import *; from tests.providers.test_child import InChildren; import time\n"
        "r = InChildren(task('aer/simulator', long()))\n"
        "while r.progress().message != 'simulating': time.sleep(0.02)\n"
        "print(r.crew.pids[0], flush=True); r.wait(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    _until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_the_end_of_the_submitting_thread_does_not_end_the_child() -> None:
    """A job submitted in the background outlives the thread that submitted it."""
    made: list[InChildren] = []
    thread = threading.Thread(target=lambda: made.append(InChildren(task("aer/simulator", ghz(4), shots=50))))
    thread.start()
    thread.join()
    assert sum(made[0].result().counts[0].values()) == 50


def test_an_interrupt_of_the_group_leaves_the_child_alone() -> None:
    """Jupyter interrupts a kernel's whole process group; the run is cancelled by us, or not at all."""
    running = InChildren(task("aer/simulator", long()))
    pid = _simulating(running)
    assert os.getpgid(pid) != os.getpgid(0)
    running.cancel()


def test_a_large_result_comes_through_the_pipe() -> None:
    """Hundreds of thousands of outcomes arrive whole."""
    circuit = QuantumCircuit(19)
    circuit.h(range(19))
    circuit.measure_all()
    counts = InChildren(task("aer/simulator", circuit, shots=300_000)).result().counts[0]
    assert sum(counts.values()) == 300_000
    assert len(counts) > 200_000


def test_trajectories_report_progress_that_only_rises() -> None:
    """Done shots grow to the total, which is what was asked for."""
    work = task("aer/noisy", deciding(), shots=6000)
    seen: list[Progress] = []
    provider = provider_of("aer/noisy")
    result = simulate(cast(LocalSimulator, provider).prepared(work), seen.append)
    done = [p.done for p in seen]
    assert done == sorted(done)
    assert done[0] == 0
    assert done[-1] == 6000 == sum(result.counts[0].values())
    assert len(done) > 2
