"""What the runner asks of whoever runs circuits; the lowest file of this family."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from qpm_lab.experiment import BackendInfo

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.transpiler import Target

    from qpm_lab.circuits import Bindings


@dataclass(frozen=True, slots=True)
class Task:
    """Exactly what is handed to a backend."""

    backend: BackendInfo
    circuits: tuple[QuantumCircuit, ...]
    """Measured circuits; only those that are swept have open parameters."""
    shots: int
    """Of each execution."""
    seed: int
    """Always set: the runner draws one when the user gave none, and records it."""
    token: str = ""
    """The intent's random token, for vendors that take an idempotency key, name or tag."""
    bindings: tuple[Bindings | None, ...] = ()
    """For each circuit the values of its open parameters, None when it has none; empty when no circuit has."""
    forms: tuple[str, ...] = ()
    """For each circuit what tells it from every other (`circuits.Prepared.form`), empty where that is not known:
    work that depends on the circuit alone is then done once and kept."""

    @property
    def points(self) -> tuple[int, ...]:
        """How often each circuit is executed: once, or once for each point of its sweep."""
        if not self.bindings:
            return (1,) * len(self.circuits)
        return tuple([1 if each is None else each.points for each in self.bindings])

    @property
    def executions(self) -> int:
        """How many histograms come back."""
        return sum(self.points) if self.bindings else len(self.circuits)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. `total` 0 means that the backend cannot tell."""

    done: int = 0
    total: int = 0
    unit: str = "shots"
    message: str = ""


@dataclass(frozen=True, slots=True)
class RunResult:
    """Counts as they came back, and what it took."""

    counts: Sequence[Mapping[str, int]]
    """One histogram per execution, circuit after circuit, the points of a sweep in order; keys are bit strings in
    Qiskit's order, registers joined by spaces. A `CountsTable` for a sweep."""
    run_seconds: float
    queue_seconds: float = 0.0
    cpu_seconds: float = 0.0
    """CPU time of local work, child processes included."""
    peak_memory_bytes: int = 0
    billed: tuple[str, int] | None = None
    """Currency and nano-units when the vendor said what it charged."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """JSON values worth recording: simulation method, device seed, versions."""


ProgressCallback = Callable[[Progress], None]


class Running(Protocol):
    """A submitted run."""

    vendor_id: str | None
    """The vendor's job id; None for local simulation."""

    def progress(self) -> Progress:
        """The latest known progress; never blocks."""

    def wait(self, timeout_seconds: float) -> bool:
        """Waits up to the time given; True when a result or failure is there."""

    def finished(self) -> Sequence[Mapping[str, int]]:
        """The histograms that are complete so far, from the first on; never blocks."""

    def result(self) -> RunResult:
        """The result of a finished run.

        Raises:
            ProviderError: the run failed; `retryable` when a further attempt may succeed.
            CancelledError: it was cancelled.
        """

    def cancel(self) -> None:
        """Stops the run and frees what it holds; returns when it no longer computes."""


class Provider(Protocol):
    """One vendor or simulator family; `name` is the part of a backend id before the slash."""

    name: str

    def backends(self) -> Sequence[BackendInfo]:
        """All backends, without importing an SDK, a key or the network."""

    def check(self, task: Task) -> None:
        """Refuses what cannot run here, before anything is reserved or started.

        Raises:
            CapacityError: too large; the message says the size it would need and what there is.
            CircuitError: an instruction the backend cannot run, by name.
        """

    def target(self, backend_id: str) -> Target:
        """The backend's gates, couplings and calibrations as Qiskit's transpiler reads them."""

    def routed(self, circuit: QuantumCircuit, backend_id: str) -> QuantumCircuit:
        """The circuit as the backend will execute it: in its gates, on its own qubits, measurements kept.

        Always the same for the same circuit, and what `submit` would do with it. A backend that needs no routing gives
        the circuit itself.

        Raises:
            CapacityError: wider than the backend.
            CircuitError: an instruction the backend cannot run, by name.
        """

    def expected_seconds(self, task: Task) -> float:
        """How long the run should take, by a model of the task only; infinite when nobody can tell."""

    def submit(self, task: Task) -> Running:
        """Starts the run. Small local work may be finished when this returns."""
