"""Reads a stranger's circuit in a process of its own, which may be stopped: limits on time and memory that hold.

A thread cannot be stopped and a fork of a Jupyter kernel copies its locks, so a fresh interpreter is started. It costs
about a second, which only texts that are not obviously small pay, and every QPY file.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from qpm_lab.circuits.limits import Limits
from qpm_lab.circuits.qpy import read_qpy
from qpm_lab.errors import CircuitError

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

_ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "RAYON_NUM_THREADS"), "1")


def read_apart(kind: Literal["qasm", "qpy"], data: bytes, limits: Limits) -> list[QuantumCircuit]:
    """The circuits in `data`, read by a child process and checked there against all limits.

    Raises:
        CircuitError: what the child found wrong, or that it took too long or too much memory.
    """
    head = json.dumps({"kind": kind, "limits": asdict(limits)}).encode() + b"\n"
    command = [sys.executable, "-P", "-m", "qpm_lab.circuits.reader"]
    try:
        child = subprocess.run(
            command, input=head + data, capture_output=True, timeout=limits.parse_seconds, env=_environment()
        )
    except subprocess.TimeoutExpired:
        raise CircuitError(
            f"Reading the circuit took longer than {limits.parse_seconds:g} seconds, so it was stopped.",
            "Give a shorter circuit, or build it in Python as a QuantumCircuit.",
        ) from None
    return _circuits(child)


def _circuits(child: subprocess.CompletedProcess[bytes]) -> list[QuantumCircuit]:
    verdict, _, body = child.stdout.partition(b"\n")
    if child.returncode == 0 and verdict == b"circuits":
        return read_qpy(body)
    if child.returncode == 0 and verdict == b"refused":
        said = json.loads(body)
        raise CircuitError(said["message"], said["hint"])
    raise CircuitError(
        "The circuit made its reader stop: it needs too much memory or is damaged.",
        "Give a smaller circuit, or build it in Python as a QuantumCircuit.",
    )


def _environment() -> dict[str, str]:
    import qpm_lab

    root = str(Path(str(qpm_lab.__file__)).parents[1])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, **_ONE_THREAD, "PYTHONPATH": os.pathsep.join(paths)}
