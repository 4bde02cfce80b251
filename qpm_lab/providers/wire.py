"""How a simulation and its child process talk: frames of a kind, a length and a payload.

To the child go tasks; for each comes one result or error.
"""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any

from qpm_lab.counts import CountsTable
from qpm_lab.errors import CapacityError, CircuitError, InputError, ProviderError, QpmError
from qpm_lab.experiment import BackendInfo
from qpm_lab.providers.interface import RunResult, Task

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

TASK, RESULT, ERROR = b"T", b"R", b"E"
LARGEST_PAYLOAD = 2**30
"""Bytes; twenty million outcomes of thirty bits."""
_HEADER = struct.Struct(">cQ")
_LENGTH = struct.Struct(">Q")
_ERRORS: dict[str, type[QpmError]] = {each.__name__: each for each in (CapacityError, CircuitError, InputError)}


def write_frame(stream: IO[bytes], kind: bytes, payload: bytes) -> None:
    """Writes one frame and flushes."""
    if len(payload) > LARGEST_PAYLOAD:
        raise CapacityError(
            f"The result has {len(payload):,} bytes; at most {LARGEST_PAYLOAD:,} can be kept.",
            "Use fewer shots, or measure fewer qubits.",
        )
    stream.write(_HEADER.pack(kind, len(payload)))
    stream.write(payload)
    stream.flush()


def read_frame(stream: IO[bytes]) -> tuple[bytes, bytes] | None:
    """The next frame; None at the end of the stream, also when it was cut off.

    Raises:
        ProviderError: What came is not a frame.
    """
    header = stream.read(_HEADER.size)
    if len(header) < _HEADER.size:
        return None
    kind, length = _HEADER.unpack(header)
    if kind not in (TASK, RESULT, ERROR) or length > LARGEST_PAYLOAD:
        raise ProviderError("The simulation process sent something unreadable.", retryable=True)
    payload = stream.read(length)
    return None if len(payload) < length else (kind, payload)


def write_task(stream: IO[bytes], task: Task, processors: int) -> None:
    """Sends a task to the child, with how many processors it may keep busy."""
    write_frame(stream, TASK, packed_task(task, processors))


def packed_task(task: Task, processors: int) -> bytes:
    return _LENGTH.pack(processors) + task_bytes(task)


def read_task(payload: bytes, backend: Callable[[str], BackendInfo]) -> tuple[Task, int]:
    """What `packed_task` wrote."""
    return task_from(payload[_LENGTH.size :], backend), _LENGTH.unpack_from(payload)[0]


def task_bytes(task: Task) -> bytes:
    """A task as a NumPy archive: a JSON head, the circuits as QPY and the values of each sweep."""
    import numpy as np

    head = {
        "backend": task.backend.id,
        "shots": task.shots,
        "seed": task.seed,
        "forms": task.forms,
        "bindings": [None if each is None else [each.names, each.shape] for each in task.bindings],
    }
    values: dict[str, Any] = {f"values_{i}": each.values for i, each in enumerate(task.bindings) if each is not None}
    buffer = io.BytesIO()
    np.savez(buffer, head=_raw(json.dumps(head).encode()), circuits=_raw(circuits_bytes(task.circuits)), **values)
    return buffer.getvalue()


def _raw(data: bytes) -> Any:
    import numpy as np

    return np.frombuffer(data, dtype=np.uint8)


def circuits_bytes(circuits: tuple[QuantumCircuit, ...]) -> bytes:
    """Circuits as QPY."""
    from qiskit import qpy

    buffer = io.BytesIO()
    qpy.dump(list(circuits), buffer)
    return buffer.getvalue()


def task_from(payload: bytes, backend: Callable[[str], BackendInfo]) -> Task:
    """The task that `task_bytes` wrote."""
    import numpy as np
    from qiskit import qpy

    from qpm_lab.circuits import Bindings

    with np.load(io.BytesIO(payload), allow_pickle=False) as arrays:
        head = json.loads(arrays["head"].tobytes())
        circuits = tuple(qpy.load(io.BytesIO(arrays["circuits"].tobytes())))
        bindings = tuple(
            None if each is None else Bindings(tuple(each[0]), arrays[f"values_{i}"], tuple(each[1]))
            for i, each in enumerate(head["bindings"])
        )
    return Task(
        backend(head["backend"]),
        circuits,
        head["shots"],
        head["seed"],
        bindings=bindings,
        forms=tuple(head["forms"]),
    )


def result_bytes(result: RunResult) -> bytes:
    """A result as its JSON head's length, the head, and the counts: a table's bytes, or JSON."""
    table = isinstance(result.counts, CountsTable)
    head = json.dumps(
        {
            "table": table,
            "run_seconds": result.run_seconds,
            "cpu_seconds": result.cpu_seconds,
            "peak_memory_bytes": result.peak_memory_bytes,
            "details": dict(result.details),
        }
    ).encode()
    counts = result.counts.to_bytes() if isinstance(result.counts, CountsTable) else _plain(result.counts)
    return _LENGTH.pack(len(head)) + head + counts


def _plain(counts: Sequence[Mapping[str, int]]) -> bytes:
    return json.dumps([dict(each) for each in counts]).encode()


def result_from(payload: bytes) -> RunResult:
    start = _LENGTH.size + _LENGTH.unpack_from(payload)[0]
    values = json.loads(payload[_LENGTH.size : start])
    rest = payload[start:]
    counts = CountsTable.from_bytes(rest) if values.pop("table") else tuple(json.loads(rest))
    return RunResult(counts, **values)


def error_bytes(error: QpmError) -> bytes:
    marks = (error.retryable, error.uncertain) if isinstance(error, ProviderError) else (False, False)
    return json.dumps([type(error).__name__, error.message, error.hint, *marks]).encode()


def error_from(payload: bytes) -> QpmError:
    name, message, hint, retryable, uncertain = json.loads(payload)
    if name in _ERRORS:
        return _ERRORS[name](message, hint)
    return ProviderError(message, hint, retryable=retryable, uncertain=uncertain)
