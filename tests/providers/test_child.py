"""Long simulations in a child process, and what happens when one of the two dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import psutil
import pytest
from qiskit import QuantumCircuit

from qpm_lab.errors import CancelledError, CircuitError, ProviderError
from qpm_lab.providers import provider_of
from qpm_lab.providers.child import ChildRun
from qpm_lab.providers.interface import Progress
from qpm_lab.providers.running import FinishedRun
from tests.providers.making import deciding, ghz, leaning, long, run, task

PATIENCE_SECONDS = 60.0


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def _simulating(running: ChildRun) -> int:
    _until(lambda: running.progress().message == "simulating")
    assert running.pid is not None
    return running.pid


def test_small_work_is_finished_at_once_and_long_work_is_not() -> None:
    """A submit returns at once either way; only long work gets a process."""
    provider = provider_of("aer/simulator")
    assert isinstance(provider.submit(task("aer/simulator", ghz(5))), FinishedRun)
    running = provider.submit(task("aer/simulator", long()))
    assert isinstance(running, ChildRun)
    running.cancel()


def test_a_loop_without_end_can_be_cancelled() -> None:
    """A loop that waits for a measurement never runs where it could not be stopped."""
    circuit = QuantumCircuit(1, 1)
    circuit.measure(0, 0)
    with circuit.while_loop((circuit.clbits[0], 0)):
        circuit.measure(0, 0)
    running = provider_of("aer/simulator").submit(task("aer/simulator", circuit, shots=1))
    assert isinstance(running, ChildRun)
    _simulating(running)
    assert not running.wait(0.2)
    running.cancel()
    assert running.wait(0)


@pytest.mark.parametrize("name", ["aer/simulator", "aer/noisy", "pennylane/lightning.qubit"])
def test_a_child_gives_the_counts_of_an_inline_run(name: str) -> None:
    """Where a task runs does not change its result."""
    child = ChildRun(task(name, leaning(), ghz(4))).result()
    assert [dict(c) for c in child.counts] == [dict(c) for c in run(name, leaning(), ghz(4)).counts]
    assert child.cpu_seconds > 0
    assert child.peak_memory_bytes > 2**20


def test_cancel_kills_and_reaps_the_child() -> None:
    """When cancel returns there is no process, not even a zombie."""
    running = ChildRun(task("aer/simulator", long()))
    pid = _simulating(running)
    running.cancel()
    assert not psutil.pid_exists(pid)
    with pytest.raises(CancelledError):
        running.result()


def test_cancel_before_the_start_and_twice_is_harmless() -> None:
    """An early or repeated cancel leaves a cancelled run."""
    running = ChildRun(task("aer/simulator", long()))
    running.cancel()
    running.cancel()
    assert running.wait(0)
    with pytest.raises(CancelledError):
        running.result()


def test_cancel_after_the_end_keeps_the_result() -> None:
    """A late cancel does not throw a result away."""
    running = ChildRun(task("aer/simulator", ghz(3), shots=10))
    assert running.wait(PATIENCE_SECONDS)
    running.cancel()
    assert sum(running.result().counts[0].values()) == 10


def test_a_killed_child_may_be_retried() -> None:
    """Death by signal 9, as by the kernel's memory killer, is a retryable provider error."""
    running = ChildRun(task("aer/simulator", long()))
    os.kill(_simulating(running), signal.SIGKILL)
    with pytest.raises(ProviderError, match="memory ran out") as failed:
        running.result()
    assert failed.value.retryable


def test_a_crashed_child_says_what_it_said_last() -> None:
    """Another signal is named."""
    running = ChildRun(task("aer/simulator", long()))
    os.kill(_simulating(running), signal.SIGSEGV)
    with pytest.raises(ProviderError, match="SIGSEGV") as failed:
        running.result()
    assert failed.value.retryable


def test_an_error_in_the_child_arrives_as_it_is() -> None:
    """Type, message and hint survive the pipe, and nobody retries a bad circuit."""
    with pytest.raises(CircuitError, match="if_else") as failed:
        ChildRun(task("pennylane/default.qubit", deciding())).result()
    assert "aer/simulator" in failed.value.hint


def test_the_death_of_the_parent_ends_the_child() -> None:
    """After kill -9 of the process that submitted, no simulation goes on."""
    script = (
        "from tests.providers.making import *; from qpm_lab.providers.child import ChildRun; import time\n"
        "r = ChildRun(task('aer/simulator', long()))\n"
        "while r.progress().message != 'simulating': time.sleep(0.02)\n"
        "print(r.pid, flush=True); r.wait(600)"
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
    made: list[ChildRun] = []
    thread = threading.Thread(target=lambda: made.append(ChildRun(task("aer/simulator", ghz(4), shots=50))))
    thread.start()
    thread.join()
    assert sum(made[0].result().counts[0].values()) == 50


def test_an_interrupt_of_the_group_leaves_the_child_alone() -> None:
    """Jupyter interrupts a kernel's whole process group; the run is cancelled by us, or not at all."""
    running = ChildRun(task("aer/simulator", long()))
    pid = _simulating(running)
    assert os.getpgid(pid) != os.getpgid(0)
    running.cancel()


def test_a_large_result_comes_through_the_pipe() -> None:
    """Hundreds of thousands of outcomes arrive whole."""
    circuit = QuantumCircuit(19)
    circuit.h(range(19))
    circuit.measure_all()
    counts = ChildRun(task("aer/simulator", circuit, shots=300_000)).result().counts[0]
    assert sum(counts.values()) == 300_000
    assert len(counts) > 200_000


def test_trajectories_report_progress_that_only_rises() -> None:
    """Done shots grow to the total, which is what was asked for."""
    work = task("aer/noisy", deciding(), shots=6000)
    seen: list[Progress] = []
    provider = provider_of("aer/noisy")
    result = provider.simulate(work, seen.append)
    done = [p.done for p in seen]
    assert done == sorted(set(done))
    assert done[0] == 0
    assert done[-1] == 6000 == sum(result.counts[0].values())
    assert len(done) > 2
