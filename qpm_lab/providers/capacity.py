"""What this machine can hold and what a run took of it: memory, in bytes, and CPU time, in seconds."""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass
from pathlib import Path

from qpm_lab.errors import CapacityError
from qpm_lab.experiment import BackendInfo

HEADROOM = 0.9
"""Share of the free memory a simulation may take."""
UNCHECKED_BYTES = 64 * 2**20
"""Below this a run fits everywhere, and asking the system costs more than it tells."""
LONGEST_SECONDS = 24 * 3600.0
"""A simulation expected to take longer is refused."""
_CGROUP = Path("/sys/fs/cgroup")


_share: int | None = None


def processors() -> int:
    """How many processors this process may keep busy."""
    if _share is not None:
        return _share
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def share_processors(number: int | None) -> None:
    """Leaves the other processors to processes beside this one; None takes all again."""
    global _share
    _share = number


def free_bytes() -> int:
    """Memory a new run may take now: of the machine, or of the container when that is less."""
    import psutil

    free = int(psutil.virtual_memory().available)
    in_container = _container_free_bytes()
    return free if in_container is None else min(free, in_container)


def total_bytes() -> int:
    """Memory of this machine, whoever uses it now."""
    import psutil

    return int(psutil.virtual_memory().total)


def _container_free_bytes(group: Path = _CGROUP) -> int | None:
    """A hub's pod sees its host's memory in /proc; the limit that kills it stands in its cgroup."""
    try:
        limit = (group / "memory.max").read_text().strip()
        used = int((group / "memory.current").read_text())
        cache = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        return None if limit == "max" else int(limit) - used + int(cache.get("inactive_file", 0))
    except (OSError, ValueError):
        return None


def bytes_text(size: float) -> str:
    """A size for a person.

    >>> bytes_text(64 * 2**40), bytes_text(1536)
    ('64 TiB', '1.5 KiB')
    """
    for unit in ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"):
        if size < 1024:
            return f"{size:.3g} {unit}"
        size /= 1024
    return f"2^{math.log2(size) + 70:.0f} B" if size >= 1024 else f"{size:.3g} ZiB"


def state_qubits(memory: float, bytes_per_amplitude: float) -> int:
    """How many qubits a state vector in `memory` bytes may have."""
    return max(0, int(math.log2(max(1.0, memory / bytes_per_amplitude))))


def require_memory(need: float, what: str, *, bytes_per_amplitude: float, per_qubit: int = 1) -> None:
    """Refuses a run that does not fit into free memory.

    Args:
        need: Bytes the run takes at its peak.
        what: The circuit and how it would be simulated, as the subject of the message.
        bytes_per_amplitude: Bytes one amplitude takes at the peak, for the size that would fit.
        per_qubit: Doublings of the memory with each qubit; 2 for a density matrix.

    Raises:
        CapacityError: With the size needed, what there is, and what would fit.
    """
    if need <= UNCHECKED_BYTES:
        return
    free = free_bytes()
    if need <= free * HEADROOM:
        return
    fits = state_qubits(free * HEADROOM, bytes_per_amplitude) // per_qubit
    raise CapacityError(
        f"{what} needs {bytes_text(need)}; this machine has {bytes_text(free)} free.",
        f"At most {fits} qubits of this circuit's kind fit.",
    )


def require_qubits(qubits: int, backend: BackendInfo) -> None:
    """Refuses a circuit wider than the backend.

    Raises:
        CapacityError: With both widths, and what a state of that width would take.
    """
    if qubits > backend.qubits:
        size = bytes_text(2.0 ** (qubits + 4)) if qubits < 1000 else f"2^{qubits + 4} B"
        raise CapacityError(
            f"The circuit has {qubits} qubits; {backend.id} takes {backend.qubits}. "
            f"As a state vector it would need {size}.",
            f"Use at most {backend.qubits} qubits, or another backend (%qbackends lists them).",
        )


def time_text(seconds: float) -> str:
    """A duration for a person.

    >>> time_text(7200), time_text(90)
    ('2 hours', '2 minutes')
    """
    for size, name in ((86400 * 365.25, "years"), (86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= size:
            return f"{math.ceil(seconds / size):,} {name}" if seconds / size < 1e6 else "millions of years"
    return f"{math.ceil(seconds)} seconds"


def require_time(seconds: float) -> None:
    """Refuses a simulation that would not end in a day.

    Raises:
        CapacityError: With the time it would take.
    """
    if seconds > LONGEST_SECONDS:
        raise CapacityError(
            f"This simulation would take about {time_text(seconds)}; at most {time_text(LONGEST_SECONDS)} are allowed.",
            "Use fewer shots, fewer qubits or a shallower circuit.",
        )


@dataclass(frozen=True, slots=True)
class Meter:
    """Wall and CPU time since it was made; `Meter.start()` makes one."""

    wall: float
    cpu: float

    @classmethod
    def start(cls) -> Meter:
        return cls(time.perf_counter(), time.process_time())

    def wall_seconds(self) -> float:
        return time.perf_counter() - self.wall

    def cpu_seconds(self) -> float:
        """CPU time of the whole process, since simulators compute in threads of their own."""
        return time.process_time() - self.cpu


def peak_memory_bytes() -> int:
    """The most memory this process has held; 0 where the system does not tell."""
    try:
        # Not ru_maxrss: after a vfork it starts at the peak of the parent.
        with open("/proc/self/status", "rb") as status:
            high = next(line for line in status if line.startswith(b"VmHWM:"))
        return int(high.split()[1]) * 1024
    except (OSError, StopIteration):
        return _peak_by_rusage()


def _peak_by_rusage() -> int:
    try:
        import resource
    except ImportError:
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
