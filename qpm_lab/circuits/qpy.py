"""QPY, Qiskit's binary form. Version 13 is what every Qiskit from 2.1 on reads, so it is what is written."""

from __future__ import annotations

import io
import json
import warnings
from typing import TYPE_CHECKING, Any

from qpm_lab.circuits.loading import load_qiskit
from qpm_lab.circuits.wide_conditions import as_expressions, as_pairs
from qpm_lab.errors import CircuitError

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

WRITTEN_VERSION = 13
OLDEST_READ = 13
"""Older versions carry symbolic angles as SymPy text or in a native form that goes to a C++ reader."""
MAGIC = b"QISKIT"


def write_qpy(circuit: QuantumCircuit) -> bytes:
    """The circuit as QPY version 13.

    Raises:
        CircuitError: it holds something that QPY 13 cannot express.
    """
    return dump([circuit])


def dump(circuits: list[QuantumCircuit]) -> bytes:
    """Several circuits as one QPY file of version 13."""
    try:
        return _dumped([as_expressions(circuit) for circuit in circuits])
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # a panic in Qiskit's Rust code is a BaseException
        raise CircuitError(
            f"The circuit cannot be stored as QPY: {error}",
            "Replace the named part by gates of Qiskit's circuit library.",
            cause=error,
        ) from error


class _AsText(json.JSONEncoder):
    """Metadata is the user's own; what JSON does not know is kept as a short text rather than refused."""

    def default(self, o: Any) -> str:
        return repr(o)[:200]


def _dumped(circuits: list[QuantumCircuit]) -> bytes:
    load_qiskit()
    from qiskit import qpy

    target = io.BytesIO()
    qpy.dump(circuits, target, version=WRITTEN_VERSION, metadata_serializer=_AsText)
    return target.getvalue()


def read_qpy(data: bytes) -> list[QuantumCircuit]:
    """Reads QPY in this process: for bytes we wrote and whose digest was checked.

    Damaged bytes can exhaust the memory and abort the process; `prepare` reads a stranger's within bounds.

    Raises:
        CircuitError: not QPY, too old, too new, or damaged.
    """
    load_qiskit()
    check_version(data)
    from qiskit import qpy

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return [as_pairs(circuit) for circuit in qpy.load(io.BytesIO(data))]
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:
        raise CircuitError(
            "The QPY file is damaged or cut off.", "Write it again from the original circuit.", cause=error
        ) from error


def check_version(data: bytes) -> None:
    """Refuses anything but QPY of a version that is safe and known, before a reader sees it."""
    if data[:6] != MAGIC or len(data) < 7:
        raise CircuitError("This is not a QPY file.", "Write one with qiskit.qpy.dump(circuit, file).")
    version = data[6]
    if version < OLDEST_READ:
        raise CircuitError(
            f"QPY version {version} is not read: versions before {OLDEST_READ} are unsafe to open.",
            "Load it with the Qiskit that wrote it and save it again as OpenQASM 3, or with "
            f"qpy.dump(circuit, file, version={WRITTEN_VERSION}) from Qiskit 1.3 on.",
        )
    from qiskit.qpy.common import QPY_VERSION

    if version > QPY_VERSION:
        raise CircuitError(
            f"QPY version {version} is newer than this Qiskit reads (up to {QPY_VERSION}).",
            f"Upgrade Qiskit, or save with qpy.dump(circuit, file, version={WRITTEN_VERSION}).",
        )
