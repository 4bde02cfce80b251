"""The child process of `sandbox`: limits itself, reads one circuit file from stdin, answers with QPY or a refusal."""

from __future__ import annotations

import json
import sys
import warnings
from typing import TYPE_CHECKING

from qpm_lab.circuits.limits import Limits
from qpm_lab.errors import CircuitError

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


def main() -> None:
    """Reads a JSON line and the data after it; writes `circuits` or `refused`, a newline and the body."""
    head = json.loads(sys.stdin.buffer.readline())
    limits = Limits(**head["limits"])
    _limit_this_process(limits)
    verdict, body = _answer(head["kind"], sys.stdin.buffer.read(), limits)
    sys.stdout.buffer.write(verdict + b"\n" + body)


def _limit_this_process(limits: Limits) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits; the time limit of the parent holds there too
        return
    for kind, amount in (
        (resource.RLIMIT_AS, limits.parse_memory_bytes),
        (resource.RLIMIT_CPU, int(limits.parse_seconds) + 5),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (amount if hard == resource.RLIM_INFINITY else min(amount, hard), hard))


def _answer(kind: str, data: bytes, limits: Limits) -> tuple[bytes, bytes]:
    warnings.simplefilter("ignore")
    from qpm_lab.circuits import qpy

    try:
        circuits = _read(kind, data, limits)
        return b"circuits", qpy.dump(circuits)
    except CircuitError as error:
        return b"refused", json.dumps({"message": error.message, "hint": error.hint}).encode()
    except (MemoryError, RecursionError):
        too_much = CircuitError("The circuit is nested too deeply or too large to read.", "Simplify it.")
        return b"refused", json.dumps({"message": too_much.message, "hint": too_much.hint}).encode()


def _read(kind: str, data: bytes, limits: Limits) -> list[QuantumCircuit]:
    from qpm_lab.circuits import qasm, qpy
    from qpm_lab.circuits.inspection import inspect

    circuits = qpy.read_qpy(data) if kind == "qpy" else [qasm.parse_text(data.decode(), limits)]
    if len(circuits) > limits.circuits:
        raise CircuitError(f"The file holds {len(circuits):,} circuits.", f"At most {limits.circuits:,} are read.")
    for circuit in circuits:
        inspect(circuit, limits)
    return circuits


if __name__ == "__main__":
    main()
