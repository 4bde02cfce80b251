"""A real Dask cluster of two worker processes: same counts, progress, cancel, and what happens when parts die."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from qpm_lab.errors import CancelledError, CircuitError, InputError, ProviderError
from qpm_lab.providers import backend, cluster, connection, on_worker, provider_of
from qpm_lab.providers.cluster import Cluster
from qpm_lab.providers.interface import Progress, RunResult, Task
from qpm_lab.providers.running import FinishedRun, PiecesRun, simulate
from tests.providers.making import deciding, dense, ghz, long, task
from tests.providers.test_sweeps import POINTS, swept, turning
from tests.providers.test_sweeps import deciding as deciding_template

PATIENCE_SECONDS = 90.0


def _until(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)
    return found


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """The address of a cluster as `make cluster` starts it."""
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    command = [sys.executable, "-m", "qpm_lab.providers.local_cluster", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip().partition("=")[2]
        try:
            yield address
        finally:
            connection.close()
            process.terminate()
            process.wait()


@pytest.fixture
def on_dask(scheduler: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("QPM_DASK", scheduler)
    return scheduler


def _prepared(work: Task) -> Any:
    provider: Any = provider_of(work.backend.id)
    return provider.prepared(work)


def _on(address: str, work: Task) -> PiecesRun:
    return PiecesRun(_prepared(work), Cluster(address))


def trajectories(shots: int = 100) -> Task:
    """Some seconds, cut by shots."""
    return task("aer/noisy", dense(13, 2), shots=shots)


@pytest.mark.parametrize(
    "work",
    [
        trajectories(60),
        task("aer/simulator", *(dense(6, 3, seed) for seed in range(60))),
        swept("aer/simulator", turning(), POINTS * 2000, shots=64),
        swept("aer/simulator", deciding_template(), POINTS * 20, shots=64),
        swept("aer/noisy", turning(), POINTS * 60, shots=64),
    ],
    ids=["shots", "circuits", "fast sweep", "plain sweep", "noisy sweep"],
)
def test_the_counts_are_those_of_this_machine(scheduler: str, work: Task) -> None:
    """Where a task runs does not change its result, and the record says where it was."""
    result = _on(scheduler, work).result()
    assert result.counts == simulate(_prepared(work)).counts
    assert result.details["computed_in"] == "dask"
    assert result.details["calls"] > 1
    assert result.cpu_seconds > 0
    assert result.peak_memory_bytes > 2**20


def test_long_work_goes_to_the_cluster_and_small_work_stays(on_dask: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes a moment needs no scheduler, not even one that answers."""
    provider = provider_of("aer/noisy")
    running = provider.submit(trajectories(60))
    assert isinstance(running, PiecesRun)
    assert running.result().details["computed_in"] == "dask"
    monkeypatch.setenv("QPM_DASK", "tcp://127.0.0.1:1")
    assert isinstance(provider.submit(task("aer/noisy", ghz(3))), FinishedRun)


def test_progress_rises_and_what_is_finished_is_there(scheduler: str) -> None:
    """Points are counted, and the first of them can be read before the last is done."""
    work = swept("aer/simulator", deciding_template(), POINTS * 60, shots=64)
    running = _on(scheduler, work)
    seen: list[Progress] = []
    early = 0
    while not running.wait(0.01):
        seen.append(running.progress())
        early = early or len(running.finished())
    done = [p.done for p in seen]
    assert done == sorted(done)
    assert {(p.total, p.unit) for p in seen} == {(360, "points")}
    assert early > 0
    assert len(running.finished()) == 360


def _computing(address: str) -> list[psutil.Process]:
    """The child processes in which the cluster's workers simulate, those that wait for work included."""
    workers = connection.client_at(address).run(os.getpid).values()
    every = [child for pid in workers for child in psutil.Process(pid).children(recursive=True)]
    return [child for child in every if "qpm_lab.providers.worker" in " ".join(child.cmdline())]


def test_cancel_frees_the_workers(scheduler: str) -> None:
    """When cancel returns no worker computes, and no process of one does; the next job runs at once."""
    before = {child.pid for child in _computing(scheduler)}
    running = _on(scheduler, task("aer/simulator", long()))
    busy = _until(lambda: [c for c in _computing(scheduler) if c.cpu_times().user > 1 and c.cpu_percent(0.1) > 10])
    running.cancel()
    assert running.wait(0)
    with pytest.raises(CancelledError):
        running.result()
    assert busy
    assert not [child for child in busy if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
    assert {child.pid for child in _computing(scheduler)} <= before
    client = connection.client_at(scheduler)
    assert sum(client.run(on_worker.active, running.crew._token).values()) == 0
    assert _on(scheduler, trajectories(40)).result().counts


def test_a_worker_killed_in_mid_sweep_costs_a_retry(scheduler: str) -> None:
    """Kill -9 of a worker, and the job completes with the counts it has without."""
    work = swept("aer/simulator", deciding_template(), POINTS * 60, shots=64)
    pids = list(connection.client_at(scheduler).run(os.getpid).values())
    running = _on(scheduler, work)
    _until(lambda: running.progress().done)
    os.kill(pids[0], signal.SIGKILL)
    assert not running.wait(0)
    assert running.result().counts == simulate(_prepared(work)).counts


def test_an_error_of_the_circuit_arrives_as_it_is(scheduler: str) -> None:
    """Type, message and hint come back from the worker, and nobody retries a bad circuit."""

    class Impossible:
        """A task that passes here and fails there."""

        task = Task(backend("pennylane/default.qubit"), (deciding(),), 10, 1)
        costs = _prepared(task_of_one()).costs

        def details(self) -> dict[str, Any]:
            return {}

    impossible: Any = Impossible()
    running = PiecesRun(impossible, Cluster(scheduler))
    with pytest.raises(CircuitError, match="if_else"):
        running.result()


def task_of_one() -> Task:
    return task("pennylane/default.qubit", ghz(2))


def test_one_client_serves_all_runs_and_a_fork_gets_its_own(scheduler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection is made once for each process."""
    first = connection.client_at(scheduler)
    assert connection.client_at(scheduler) is first
    assert connection._open is not None
    monkeypatch.setattr(connection, "_open", (-1, *connection._open[1:]))
    second = connection.client_at(scheduler)
    assert second is not first
    assert first.status == "running"
    first.close()


def test_a_scheduler_file_is_an_address(scheduler: str, tmp_path: Path) -> None:
    """The file that Dask writes is enough."""
    file = tmp_path / "scheduler.json"
    connection.client_at(scheduler).write_scheduler_file(str(file))
    assert _on(str(file), trajectories(40)).result().counts


def test_other_versions_on_the_workers_are_named(scheduler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says which library differs and how, because counts might."""
    monkeypatch.setattr(cluster, "versions", lambda: {**on_worker.versions(), "qiskit-aer": "0.1"})
    with pytest.raises(ProviderError, match=r"qiskit-aer .* \(you have 0\.1\)") as failed:
        _on(scheduler, trajectories()).result()
    assert not failed.value.retryable


def test_without_a_scheduler_the_error_says_what_to_do() -> None:
    """Nobody answers: a provider error within seconds, with both ways out."""
    with pytest.raises(ProviderError, match="No Dask scheduler answers at tcp://127") as failed:
        _on("tcp://127.0.0.1:1", trajectories()).result()
    assert "make cluster" in failed.value.hint
    assert "unset" in failed.value.hint


@pytest.mark.parametrize("address", ["nonsense", "/no/such/file.json", ""])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    """The hint shows the forms there are."""
    with pytest.raises(InputError, match="neither an address nor a scheduler file"):
        connection.client_at(address)


def test_a_lost_scheduler_is_a_failure_that_may_be_tried_again() -> None:
    """The scheduler dies in mid-run: the run fails, and nothing hangs."""
    command = [sys.executable, "-m", "qpm_lab.providers.local_cluster", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip().partition("=")[2]
        workers = list(connection.client_at(address).run(os.getpid).values())
        running = _on(address, trajectories(400))
        _until(lambda: running.progress().message == "simulating")
        process.kill()
        process.wait()
        with pytest.raises(ProviderError, match="lost") as failed:
            running.result()
        connection.close()
    assert failed.value.retryable
    for pid in workers:
        if psutil.pid_exists(pid):
            os.kill(pid, signal.SIGKILL)


WITHOUT_US = """
import sys
class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "qpm_lab":
            raise ModuleNotFoundError("No module named 'qpm_lab'", name="qpm_lab")
sys.meta_path.insert(0, Nothing())
"""
BARE_CLUSTER = """
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
        print(cluster.scheduler_address, flush=True)
        input()
"""


def test_workers_without_qpm_lab_are_named_as_such(tmp_path: Path) -> None:
    """A worker that cannot import this package gives an error that says what to install."""
    (tmp_path / "sitecustomize.py").write_text(WITHOUT_US)
    (tmp_path / "bare.py").write_text(BARE_CLUSTER)
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "bare.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        stdin=pipe,
        stdout=pipe,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        with pytest.raises(ProviderError, match="cannot import qpm_lab") as failed:
            _on(address, trajectories()).result()
        connection.close()
        process.communicate("\n")
    assert "pip install" in failed.value.hint


def test_the_result_of_a_run_is_a_run_result(scheduler: str) -> None:
    """Times and versions are those of every local run."""
    result = _on(scheduler, trajectories(40)).result()
    assert isinstance(result, RunResult)
    assert result.run_seconds > 0
    assert {"qiskit", "qiskit-aer"} <= set(result.details["versions"])
