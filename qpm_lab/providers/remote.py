"""A vendor as a provider: what holds for all of them, whatever their clients do."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import copy_context
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qpm_lab.errors import CancelledError, CapacityError, CircuitError, ProviderError, UnreadableKeyError
from qpm_lab.experiment import BackendInfo
from qpm_lab.providers.apart.environment import interpreter
from qpm_lab.providers.apart.line import CALL_SECONDS
from qpm_lab.providers.apart.pool import Pool
from qpm_lab.providers.binding import bound as points_of
from qpm_lab.providers.interface import Progress, RunResult, Task
from qpm_lab.providers.outcomes import NotTerminal, terminal
from qpm_lab.providers.routing import on_target
from qpm_lab.providers.targets import device_target
from qpm_lab.providers.vendor import Access, Answer, Availability, Parcel, Standing, Vendor

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.transpiler import Target

FRESH_SECONDS = 900.0
"""How long a calibration that was read is taken for the present one."""
NO_ACCESS = Access()


class RemoteProvider:
    """Speaks to a vendor through its client in a process apart.

    Args:
        vendor: Who it is.
        access: Gives keys, address and settings; `providers.use_access` says where they come from.
    """

    def __init__(self, vendor: Vendor, access: Callable[[str], Access] = lambda name: NO_ACCESS) -> None:
        self.vendor = vendor
        self.name = vendor.name
        self.access = access
        self._pool = Pool(vendor, lambda: self.access(self.name))
        self._runs = Pool(vendor, lambda: self.access(self.name))
        """For runs on this machine, which may be long: they must not hold up what is asked of the vendor."""
        self._targets: dict[str, tuple[float, Target]] = {}

    def backends(self) -> Sequence[BackendInfo]:
        """Its machines, each with what it lacks; asks neither key nor network."""
        try:
            access, fault = self.access(self.name), ""
        except UnreadableKeyError as error:  # other vendors, and lists, have nothing to do with that
            access, fault = NO_ACCESS, str(error)
        missing = [name for name in self.vendor.secrets if not access.secrets.get(name)]
        installed = interpreter(self.vendor) is not None
        return tuple(self._with_state(info, installed, missing, fault) for info in self._known(access))

    def _known(self, access: Access) -> Iterable[BackendInfo]:
        yield from self.vendor.backends
        known = {info.id for info in self.vendor.backends}
        for name, told in dict(access.options.get("backends") or {}).items():
            if f"{self.name}/{name}" not in known:
                yield _own_backend(self.vendor, name, told)

    def _with_state(self, info: BackendInfo, installed: bool, missing: Sequence[str], fault: str) -> BackendInfo:
        if not installed:
            return replace(info, state="not-installed", note=f"Install its client: qpm provider install {self.name}")
        if missing and not info.local:
            names = [self.name if name == "token" else f"{self.name}/{name}" for name in missing]
            return replace(info, state="needs-key", note=fault or _store(names))
        return info

    def check(self, task: Task) -> None:
        """Refuses what this vendor cannot run.

        Raises:
            CapacityError: more qubits or shots than it takes.
            CircuitError: it measures and goes on, or decides, where the vendor cannot.
        """
        vendor, info = self.vendor, task.backend
        if task.shots > vendor.most_shots:
            raise CapacityError(f"{info.id} takes at most {vendor.most_shots:,} shots per circuit, not {task.shots:,}.")
        for circuit in task.circuits:
            used = len({bit for each in circuit.data for bit in each.qubits})
            if used > info.qubits:
                raise CapacityError(f"{info.id} has {info.qubits} qubits; the circuit uses {used}.")
            if not vendor.decides and isinstance(found := terminal(circuit), NotTerminal):
                raise CircuitError(f"{info.id} cannot run this circuit: {found.reason}.", "Try aer/simulator.")

    def target(self, backend_id: str) -> Target:
        """Its gates, couplings and calibrations; read from the vendor and kept for a quarter of an hour.

        Raises:
            ProviderError: the vendor cannot be asked.
        """
        kept = self._targets.get(backend_id)
        if kept is None or time.monotonic() - kept[0] > FRESH_SECONDS:
            content: bytes | None = self._call("calibration", {"backend": _name(backend_id)})
            info = next(info for info in self.backends() if info.id == backend_id)
            kept = self._targets[backend_id] = (time.monotonic(), device_target(content, info.gates, info.qubits))
        return kept[1]

    def routed(self, circuit: QuantumCircuit, backend_id: str) -> QuantumCircuit:
        """The circuit in the machine's gates, on its own qubits."""
        return on_target(circuit, backend_id, self.target(backend_id))

    def expected_seconds(self, task: Task) -> float:
        return float("inf")

    def submit(self, task: Task) -> LocalRun:
        """Runs on a local backend of this vendor; jobs for its machines are sent in parcels instead.

        Raises:
            ProviderError: the backend is a machine of the vendor.
        """
        if not task.backend.local:
            raise ProviderError(f"{task.backend.id} takes parcels.", "Submit it as a job.")
        return LocalRun(self, task, self._runs)

    def parcels(self, task: Task) -> list[Parcel]:
        """A task in as few vendor jobs as the vendor allows, in order; circuits routed, values bound.

        Each has a token of its own, made from the task's and its place.
        """
        circuits = [self.routed(circuit, task.backend.id) for circuit in bound(task)]
        most = self.vendor.most_circuits
        return [
            Parcel(
                _name(task.backend.id),
                tuple(circuits[at : at + most]),
                task.shots,
                token_of(task.token, n),
                (task.seed + at) % 2**63,  # by one seed two parcels of the same circuit would be drawn alike
            )
            for n, at in enumerate(range(0, len(circuits), most))
        ]

    @property
    def settled_seconds(self) -> float | None:
        """After these a job that is not listed was not taken: the time a request may take and the time a job may be
        missing from the vendor's list. None when nobody states the latter.
        """
        stated = self.access(self.name).options.get("visibility_seconds", self.vendor.durability.visibility_seconds)
        return None if stated is None else float(stated) + self.call_seconds

    @property
    def call_seconds(self) -> float:
        """How long one call may take; `timeout_seconds` in the site's settings."""
        return float(self.access(self.name).options.get("timeout_seconds", CALL_SECONDS))

    @property
    def longest_pause_seconds(self) -> float:
        """How long a job may go without being asked after; `poll_seconds` in the site's settings."""
        return float(self.access(self.name).options.get("poll_seconds", 60.0))

    def availability(self, backend_id: str) -> Availability:
        """The machine now, by the vendor."""
        found: Availability = self._call("availability", {"backend": _name(backend_id)})
        return found

    def price(self, parcel: Parcel) -> tuple[str, str] | None:
        """Currency and amount by the vendor's own estimate; None where it has none."""
        found: tuple[str, str] | None = self._call("price", {"parcel": parcel})
        return found

    def send(self, parcel: Parcel) -> str:
        """Submits one vendor job; returns its id.

        Raises:
            ProviderError: `uncertain` when nobody can tell whether the vendor took it.
        """
        return str(self._call("send", {"parcel": parcel}))

    def find(self, backend_id: str, token: str) -> list[str]:
        """Ids of all vendor jobs that carry the token."""
        found = self._call("find", {"backend": _name(backend_id), "token": token})
        return [str(each) for each in found or ()]

    def standing(self, backend_id: str, vendor_id: str) -> Standing:
        """How a vendor job stands."""
        found: Standing = self._call("standing", {"backend": _name(backend_id), "vendor_id": vendor_id})
        return found

    def answer(self, parcel: Parcel, vendor_id: str) -> Answer:
        """The result of a vendor job that is done."""
        found: Answer = self._call("answer", {"parcel": parcel, "vendor_id": vendor_id})
        return found

    def stop(self, backend_id: str, vendor_id: str) -> None:
        """Asks the vendor to stop a job."""
        self._call("cancel", {"backend": _name(backend_id), "vendor_id": vendor_id})

    def _call(self, name: str, arguments: dict[str, Any]) -> Any:
        return self._pool.call(name, arguments, self.call_seconds)

    def close(self) -> None:
        """Ends its processes."""
        self._pool.close()
        self._runs.close()


class LocalRun:
    """A run on a simulator that a vendor's client brings along."""

    vendor_id: str | None = None

    def __init__(self, provider: RemoteProvider, task: Task, pool: Pool) -> None:
        self._task = task
        self._ended = threading.Event()
        self._result: RunResult | Exception | None = None
        self._kill: Callable[[], None] = lambda: None
        self._cancelled = False
        work = (self._run, provider, pool)
        threading.Thread(target=copy_context().run, args=work, name="qpm-apart", daemon=True).start()

    def _run(self, provider: RemoteProvider, pool: Pool) -> None:
        began = time.perf_counter()
        try:
            parcels = provider.parcels(self._task)
            answers = [self._one(pool, parcel) for parcel in parcels]
            counts = tuple(each for answer in answers for each in answer.counts)
            self._result = RunResult(counts, time.perf_counter() - began, details=dict(answers[0].details))
        except Exception as error:
            self._result = error  # raised where the run is waited for
        finally:
            self._ended.set()

    def _one(self, pool: Pool, parcel: Parcel) -> Answer:
        if self._cancelled:
            raise CancelledError("The job was cancelled.", "Nothing was spent.")
        with pool.line() as line:
            self._kill = line.kill
            try:
                answer: Answer = line.call("run", {"parcel": parcel}, None)
            finally:
                self._kill = lambda: None
            return answer

    def progress(self) -> Progress:
        done = self._task.shots * self._task.executions
        return Progress(done, done, "shots", "done") if self._ended.is_set() else Progress(message="simulating")

    def wait(self, timeout_seconds: float) -> bool:
        return self._ended.wait(timeout_seconds)

    def finished(self) -> Sequence[Mapping[str, int]]:
        return ()

    def result(self) -> RunResult:
        self._ended.wait()
        if isinstance(self._result, RunResult):
            return self._result
        if self._cancelled:
            raise CancelledError("The job was cancelled.", "Nothing was spent.")
        raise self._result or ProviderError("The run has no result.")

    def cancel(self) -> None:
        self._cancelled = True
        self._kill()
        self._ended.wait()


def token_of(token: str, part: int) -> str:
    """The token of one part of a submission: 32 hex digits, the same whenever it is asked for."""
    return hashlib.sha256(f"{token}/{part}".encode()).hexdigest()[:32]


def bound(task: Task) -> list[QuantumCircuit]:
    """Every execution of a task as a circuit of its own."""
    if not task.bindings:
        return list(task.circuits)
    found: list[QuantumCircuit] = []
    for circuit, values in zip(task.circuits, task.bindings, strict=True):
        found += [circuit] if values is None else points_of(circuit, values)
    return found


def _store(names: Sequence[str]) -> str:
    what = "its key" if len(names) == 1 else "its keys"
    return f"Store {what}: {', then '.join(f'qpm secret set {name}' for name in names)}"


def _name(backend_id: str) -> str:
    return backend_id.partition("/")[2]


def _own_backend(vendor: Vendor, name: str, told: Mapping[str, Any]) -> BackendInfo:
    """A machine that the site's settings add."""
    pattern = vendor.backends[0] if vendor.backends else None
    return BackendInfo(
        id=f"{vendor.name}/{name}",
        description=str(told.get("description") or f"{name}, from this site's settings"),
        qubits=int(told["qubits"]),
        kind=told.get("kind", "qpu"),
        local=bool(told.get("local", False)),
        noisy=bool(told.get("noisy", True)),
        gates=tuple(told.get("gates", ())),
        region=str(told.get("region", "")),
        legal_seat=str(told.get("legal_seat", pattern.legal_seat if pattern else "")),
    )
