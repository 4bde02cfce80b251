"""The faults themselves: drawn from a seed, around a local simulator or around a vendor."""

from __future__ import annotations

import hashlib
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qpm_lab.counts import CountsTable
from qpm_lab.errors import CancelledError, CapacityError, ProviderError
from qpm_lab.experiment import BackendInfo
from qpm_lab.providers.chaos import Chaos
from qpm_lab.providers.interface import Progress, Provider, Running, RunResult, Task
from qpm_lab.providers.remote import RemoteProvider
from qpm_lab.providers.vendor import Answer, Parcel, Standing

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.transpiler import Target

FEW_BITS = 20
"""Up to this width every outcome is drawn at once; beyond it each replaced shot is drawn by itself."""
MOST_DRAWN = 10**6
STUCK = "stuck in the queue, on purpose"
ON_PURPOSE = "It is on purpose: the backend's id asks for it."


def with_faults(chaos: Chaos, info: BackendInfo, wrapped: BackendInfo, provider: Provider) -> Provider:
    """Who runs the wrapped backend, made to misbehave.

    Args:
        chaos: How.
        info: The backend under its id with faults.
        wrapped: The backend itself.
        provider: Who runs it.
    """
    if isinstance(provider, RemoteProvider) and not wrapped.local:
        made: Provider = ChaosRemote(chaos, info, wrapped, provider)
        return made
    return ChaosProvider(chaos, wrapped, provider)


class Dice:
    """Whether a fault strikes: each kind has its own row of draws, so that one does not shift the other's."""

    def __init__(self, chaos: Chaos) -> None:
        self._chaos = chaos
        self._drawn: Counter[str] = Counter()
        self._guard = threading.Lock()

    def hit(self, name: str) -> bool:
        """The next draw of a fault by its rate."""
        with self._guard:
            self._drawn[name] += 1
            drawn = self._drawn[name]
        return random.Random(f"{self._chaos.seed}/{name}/{drawn}").random() < float(getattr(self._chaos, name))


class ChaosProvider:
    """A local simulator with faults."""

    name = "chaos"

    def __init__(self, chaos: Chaos, wrapped: BackendInfo, provider: Provider) -> None:
        self._chaos = chaos
        self._wrapped = wrapped
        self._provider = provider
        self._dice = Dice(chaos)

    def backends(self) -> Sequence[BackendInfo]:
        """None is listed: it is a prefix."""
        return ()

    def check(self, task: Task) -> None:
        self._provider.check(self._inner(task))
        _check(self._chaos, task)

    def target(self, backend_id: str) -> Target:
        return self._provider.target(self._wrapped.id)

    def routed(self, circuit: QuantumCircuit, backend_id: str) -> QuantumCircuit:
        return self._provider.routed(circuit, self._wrapped.id)

    def expected_seconds(self, task: Task) -> float:
        if self._chaos.stuck:
            return float("inf")
        return self._provider.expected_seconds(self._inner(task)) + self._chaos.latency_seconds

    def submit(self, task: Task) -> Running:
        """Starts the run, unless it is stuck.

        Raises:
            ProviderError: an outage.
        """
        if self._dice.hit("outage"):
            raise _outage(self._wrapped.id)
        inner = None if self._chaos.stuck else self._provider.submit(self._inner(task))
        return ChaosRun(self._chaos, self._dice, task, inner)

    def _inner(self, task: Task) -> Task:
        return replace(task, backend=self._wrapped)


class ChaosRun:
    """A local run with faults; `inner` is None for one that is stuck."""

    vendor_id: str | None = None

    def __init__(self, chaos: Chaos, dice: Dice, task: Task, inner: Running | None) -> None:
        self._chaos = chaos
        self._task = task
        self._inner = inner
        self._due = time.monotonic() + chaos.latency_seconds
        self._cancelled = threading.Event()
        self._lost, self._unreadable = dice.hit("lost_answer"), dice.hit("schema_change")
        self._twice = dice.hit("duplicate")

    def progress(self) -> Progress:
        return Progress(message=STUCK) if self._inner is None else self._inner.progress()

    def wait(self, timeout_seconds: float) -> bool:
        if self._inner is None:
            return self._cancelled.wait(timeout_seconds)
        late = max(0.0, self._due - time.monotonic())
        if self._cancelled.wait(min(late, timeout_seconds)):
            return True
        return late <= timeout_seconds and self._inner.wait(timeout_seconds - late)

    def finished(self) -> Sequence[Mapping[str, int]]:
        return ()

    def result(self) -> RunResult:
        """What came back, if anything did."""
        self._cancelled.wait(None if self._inner is None else max(0.0, self._due - time.monotonic()))
        if self._inner is None:
            raise CancelledError("The job was cancelled.", "Nothing was spent.")
        result = self._inner.result()
        if self._lost:
            raise ProviderError("The answer of the run was lost.", f"{ON_PURPOSE} Run it again.")
        if self._unreadable:
            raise _unreadable(self._task.backend.id)
        counts = with_noise(result.counts, self._chaos, self._task.seed)
        return replace(result, counts=counts, details={**result.details, **_told(self._chaos, self._twice)})

    def cancel(self) -> None:
        self._cancelled.set()
        if self._inner is not None:
            self._inner.cancel()


class ChaosRemote(RemoteProvider):
    """A vendor with faults; its client, keys, prices and time limits are the vendor's own."""

    def __init__(self, chaos: Chaos, info: BackendInfo, wrapped: BackendInfo, provider: RemoteProvider) -> None:
        super().__init__(provider.vendor, provider.access)
        self._chaos = chaos
        self._info = info
        self._wrapped = wrapped
        self._provider = provider
        self._dice = Dice(chaos)
        self._stopped: set[str] = set()

    def backends(self) -> Sequence[BackendInfo]:
        """The one that is wrapped, under its id with faults."""
        return (self._info,)

    def check(self, task: Task) -> None:
        super().check(task)
        _check(self._chaos, task)

    def target(self, backend_id: str) -> Target:
        return self._provider.target(self._wrapped.id)

    def parcels(self, task: Task) -> list[Parcel]:
        return self._provider.parcels(replace(task, backend=self._wrapped))

    def _call(self, name: str, arguments: dict[str, Any]) -> Any:
        if "backend" in arguments:
            arguments = {**arguments, "backend": self._wrapped.id.partition("/")[2]}
        time.sleep(self._chaos.latency_seconds)
        if name in ("send", "availability") and self._dice.hit("outage"):
            raise _outage(self.vendor.title)
        if name == "standing" and self._chaos.stuck and arguments["vendor_id"] not in self._stopped:
            return Standing("queued", message=STUCK)
        return self._after(name, arguments, lambda: self._provider._call(name, arguments))

    def _after(self, name: str, arguments: dict[str, Any], call: Callable[[], Any]) -> Any:
        found = call()
        if name == "send" and self._dice.hit("lost_answer"):
            title = self.vendor.title
            raise ProviderError(f"The answer of {title} to a submission was lost.", ON_PURPOSE, uncertain=True)
        if name == "find" and self._dice.hit("duplicate"):
            return (*found, *found)
        if name == "cancel":
            self._stopped.add(arguments["vendor_id"])
        return self._answer(found, arguments["parcel"], call) if name == "answer" else found

    def _answer(self, answer: Answer, parcel: Parcel, again: Callable[[], Answer]) -> Answer:
        if self._dice.hit("schema_change"):
            raise _unreadable(self.vendor.title)
        twice = self._dice.hit("duplicate")
        answer = again() if twice else answer
        counts = with_noise(answer.counts, self._chaos, parcel.seed)
        return replace(answer, counts=counts, details={**answer.details, **_told(self._chaos, twice)})


def with_noise(counts: Sequence[Mapping[str, int]], chaos: Chaos, seed: int) -> Sequence[Mapping[str, int]]:
    """Histograms with each shot replaced by a uniformly random outcome with probability `chaos.fidelity_loss`.

    A function of its arguments alone: an answer that is read twice is the same twice.
    """
    if not chaos.fidelity_loss:
        return counts
    made = [_noisy(each, chaos.fidelity_loss, f"{chaos.seed}/{seed}/{n}") for n, each in enumerate(counts)]
    return CountsTable.of(made) if isinstance(counts, CountsTable) else made


def _noisy(counts: Mapping[str, int], share: float, seed: str) -> dict[str, int]:
    import numpy as np

    keys = sorted(counts)
    drawn = hashlib.sha256(f"{seed}/{[(key, counts[key]) for key in keys]}".encode()).digest()
    draw = np.random.default_rng(int.from_bytes(drawn[:16]))
    values = np.array([counts[key] for key in keys], dtype=np.int64)
    replaced = draw.binomial(values, share)
    made = Counter({key: int(left) for key, left in zip(keys, values - replaced, strict=True) if left})
    bits = sum(sign in "01" for sign in keys[0]) if keys else 0
    for key, number in _uniform(draw, int(replaced.sum()), bits).items():
        signs = iter(key)
        made["".join(sign if sign == " " else next(signs) for sign in keys[0])] += number
    return dict(made)


def _uniform(draw: Any, number: int, bits: int) -> dict[str, int]:
    """So many uniformly random bit strings."""
    import numpy as np

    if not bits or not number:
        return {"": number} if number else {}
    if bits <= FEW_BITS:
        counts = draw.multinomial(number, np.full(1 << bits, 0.5**bits))
        return {format(value, f"0{bits}b"): int(counts[value]) for value in np.flatnonzero(counts)}
    rows = draw.integers(48, 50, size=(number, bits), dtype=np.uint8)  # the signs 0 and 1
    return dict(Counter(row.tobytes().decode() for row in rows))


def _check(chaos: Chaos, task: Task) -> None:
    """Refuses noise that would not fit into memory."""
    wide = any(circuit.num_clbits > FEW_BITS for circuit in task.circuits)
    if chaos.fidelity_loss and wide and task.shots * task.executions * chaos.fidelity_loss > MOST_DRAWN:
        raise CapacityError(
            f"Beyond {FEW_BITS} measured bits, fidelity_loss replaces at most {MOST_DRAWN:,} shots of one job.",
            "Ask for fewer shots.",
        )


def _told(chaos: Chaos, twice: bool) -> dict[str, Any]:
    return {"chaos": {**chaos.told(), **({"delivered_twice": True} if twice else {})}}


def _outage(title: str) -> ProviderError:
    return ProviderError(f"{title} cannot be reached; nothing was sent.", f"{ON_PURPOSE} Try again.", retryable=True)


def _unreadable(title: str) -> ProviderError:
    """As an adapter says it of an answer whose fields have changed."""
    return ProviderError(f"The field 'counts' is missing in {title}'s answer.", ON_PURPOSE, uncertain=True)
