"""How a simulation and its child process talk: frames of a kind, a length and a payload.

To the child goes one task (JSON, then QPY); from it come progress and one result or error (JSON).
"""

from __future__ import annotations

import io
import json
import struct
from typing import IO, TYPE_CHECKING, Any

from qpm_lab.errors import CapacityError, CircuitError, InputError, ProviderError, QpmError
from qpm_lab.experiment import BackendInfo
from qpm_lab.providers.interface import Progress, RunResult, Task

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

TASK, CIRCUITS, PROGRESS, RESULT, ERROR = b"T", b"C", b"P", b"R", b"E"
LARGEST_PAYLOAD = 2**30
"""Bytes; twenty million outcomes of thirty bits."""
_HEADER = struct.Struct(">cQ")
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
    if kind not in (TASK, CIRCUITS, PROGRESS, RESULT, ERROR) or length > LARGEST_PAYLOAD:
        raise ProviderError("The simulation process sent something unreadable.", retryable=True)
    payload = stream.read(length)
    return None if len(payload) < length else (kind, payload)


def write_task(stream: IO[bytes], task: Task) -> None:
    """Sends a task to the child."""
    head = {"backend": task.backend.id, "shots": task.shots, "seed": task.seed}
    write_frame(stream, TASK, json.dumps(head).encode())
    write_frame(stream, CIRCUITS, circuits_bytes(task.circuits))


def circuits_bytes(circuits: tuple[QuantumCircuit, ...]) -> bytes:
    """Circuits as QPY."""
    from qiskit import qpy

    buffer = io.BytesIO()
    qpy.dump(list(circuits), buffer)
    return buffer.getvalue()


def read_task(stream: IO[bytes], backend: Any) -> Task:
    """The task as the child reads it.

    Args:
        stream: Where it comes from.
        backend: Function from a backend id to its BackendInfo.
    """
    from qiskit import qpy

    head, circuits = read_frame(stream), read_frame(stream)
    if head is None or circuits is None:
        raise ProviderError("The task was cut off.", retryable=True)
    values = json.loads(head[1])
    info: BackendInfo = backend(values["backend"])
    loaded = tuple(qpy.load(io.BytesIO(circuits[1])))
    return Task(info, loaded, values["shots"], values["seed"])


def progress_bytes(progress: Progress) -> bytes:
    return json.dumps([progress.done, progress.total, progress.unit, progress.message]).encode()


def progress_from(payload: bytes) -> Progress:
    return Progress(*json.loads(payload))


def result_bytes(result: RunResult) -> bytes:
    return json.dumps(
        {
            "counts": [dict(counts) for counts in result.counts],
            "run_seconds": result.run_seconds,
            "cpu_seconds": result.cpu_seconds,
            "peak_memory_bytes": result.peak_memory_bytes,
            "details": dict(result.details),
        }
    ).encode()


def result_from(payload: bytes) -> RunResult:
    values = json.loads(payload)
    return RunResult(**{**values, "counts": tuple(values["counts"])})


def error_bytes(error: QpmError) -> bytes:
    retryable = isinstance(error, ProviderError) and error.retryable
    return json.dumps([type(error).__name__, error.message, error.hint, retryable]).encode()


def error_from(payload: bytes) -> QpmError:
    name, message, hint, retryable = json.loads(payload)
    if name in _ERRORS:
        return _ERRORS[name](message, hint)
    return ProviderError(message, hint, retryable=retryable)
