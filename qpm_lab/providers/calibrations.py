"""What was known of a backend when a job ran, frozen: the content of a `Target` under its digest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from qpm_lab.circuits.remembered import Remembered
from qpm_lab.errors import InputError

if TYPE_CHECKING:
    from qiskit.transpiler import Target

SCHEMA = 1
LARGEST_BYTES = 16 * 2**20
"""Ten thousand qubits with all their gates; what is longer is not read."""
_KEPT = 32


@dataclass(frozen=True, slots=True)
class Calibration:
    """A backend as it was: equal content has an equal digest, in whatever process it was taken."""

    digest: str
    """`sha256:` and 64 hex digits, of `content`."""
    content: bytes
    """Canonical JSON; see `read_calibration`."""
    description: str
    """One line for a person: qubits, couplings and middle errors."""


def of_target(target: Target) -> Calibration:
    """The calibration of a target. While it is as it was, it costs a look at its numbers."""
    return _KNOWN.get(_marks(target), lambda: _taken(target))


def read_calibration(content: bytes) -> dict[str, Any]:
    """What a calibration holds.

    Args:
        content: As in `Calibration.content`.

    Returns:
        `schema`; `qubits`, a number or None; `dt_seconds`; `gates`: name → list of `{"qubits", "error",
        "duration_seconds"}`, where `qubits` is None for a gate that acts anywhere and an unknown value is None (the
        error of `measure` is that of readout, the others are average gate errors); `coupling`: pairs of qubits that a
        two-qubit gate joins, in its direction; `qubit_properties`: for each qubit `{"t1_seconds", "t2_seconds",
        "frequency_hz"}`.

    Raises:
        InputError: It is no calibration.
    """
    if len(content) > LARGEST_BYTES:
        raise InputError(f"A calibration has at most {LARGEST_BYTES:,} bytes; this has {len(content):,}.")
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError("The calibration is not JSON.", "Read it again from the ledger.", cause=error) from error
    if not isinstance(found, dict) or found.get("schema") != SCHEMA or not isinstance(found.get("gates"), dict):
        raise InputError("This is no calibration that can be read here.", f"Its schema should be {SCHEMA}.")
    return found


_KNOWN: Remembered[Calibration] = Remembered(most=_KEPT)


def _marks(target: Target) -> tuple[Any, ...]:
    """All numbers of a target, in any order: cheap to collect and to compare."""
    gates = tuple([(name, tuple(_numbers(target, name))) for name in target.operation_names])
    return (target.num_qubits, target.dt, gates, tuple(_relaxation(target)))


def _numbers(target: Target, name: str) -> Iterator[tuple[Any, ...]]:
    for qubits, known in (target[name] or {None: None}).items():
        yield (qubits, None, None) if known is None else (qubits, known.error, known.duration)


def _relaxation(target: Target) -> Iterator[tuple[Any, ...]]:
    for known in target.qubit_properties or ():
        yield (None, None, None) if known is None else (known.t1, known.t2, known.frequency)


def _taken(target: Target) -> Calibration:
    gates = {name: sorted(_numbers(target, name), key=repr) for name in sorted(target.operation_names)}
    document = {
        "schema": SCHEMA,
        "qubits": target.num_qubits,
        "dt_seconds": target.dt,
        "gates": {
            name: [{"qubits": where, "error": error, "duration_seconds": time} for where, error, time in places]
            for name, places in gates.items()
        },
        "coupling": sorted({where for places in gates.values() for where, *_ in places if where and len(where) == 2}),
        "qubit_properties": [
            {"t1_seconds": t1, "t2_seconds": t2, "frequency_hz": frequency} for t1, t2, frequency in _relaxation(target)
        ],
    }
    content = json.dumps(document, sort_keys=True, separators=(",", ":"), default=_plain).encode()
    return Calibration(f"sha256:{sha256(content).hexdigest()}", content, _described(document))


def _plain(value: Any) -> float:
    """NumPy's numbers, and angles, as JSON has them."""
    return float(value)


def _described(document: dict[str, Any]) -> str:
    parts = [f"{document['qubits']} qubits", f"{len(set(map(frozenset, document['coupling'])))} couplings"]
    pairs = [each for places in document["gates"].values() for each in places if len(each["qubits"] or ()) == 2]
    for what, places in (("two-qubit", pairs), ("readout", document["gates"].get("measure", []))):
        errors = sorted(each["error"] for each in places if each["error"] is not None)
        if errors:
            parts.append(f"median {what} error {errors[len(errors) // 2]:.2g}")
    return ", ".join(parts) if len(parts) > 2 else f"{document['qubits']} qubits, no errors stated"
