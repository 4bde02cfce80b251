"""IonQ's characterization of a machine as the calibration that is kept with every job."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

ONE_QUBIT = ("h", "rx", "ry", "rz", "s", "sdg", "sx", "sxdg", "t", "tdg", "x", "y", "z")
TWO_QUBITS = ("cx", "rxx", "ryy", "rzz")
"""Each is one entangling gate of the machine."""
GATES = (*ONE_QUBIT, *TWO_QUBITS, "swap")
_MOST_QUBITS = 1024


def content(found: Mapping[str, Any]) -> bytes | None:
    """What IonQ says of a machine, in the form of `calibrations.read_calibration`.

    IonQ states medians over the machine, so that every qubit and every pair has the same figures; an unstated one is
    None. A swap has no figure and no place: IonQ relabels ions where it can, and a gate without places is what tells
    the transpiler that all qubits are coupled.

    Args:
        found: A characterization of IonQ's API v0.4; fidelities are shares, times are in seconds.

    Returns:
        JSON, or None when it says nothing about qubits.
    """
    qubits = found.get("qubits")
    if isinstance(qubits, bool) or not isinstance(qubits, int) or not 0 < qubits <= _MOST_QUBITS:
        return None
    relaxation = {"t1_seconds": _time(found, "t1"), "t2_seconds": _time(found, "t2"), "frequency_hz": None}
    document = {
        "schema": 1,
        "qubits": qubits,
        "dt_seconds": None,
        "gates": dict(_gates(found, qubits)),
        "coupling": [list(pair) for pair in permutations(range(qubits), 2)],
        "qubit_properties": [relaxation] * qubits,
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _gates(found: Mapping[str, Any], qubits: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    alone = [[qubit] for qubit in range(qubits)]
    pairs = [list(pair) for pair in permutations(range(qubits), 2)]
    for names, key, time, places in (
        (ONE_QUBIT, "1q", "1q", alone),
        (TWO_QUBITS, "2q", "2q", pairs),
        (("measure",), "spam", "readout", alone),
    ):
        figures = {"error": _error(found, key), "duration_seconds": _time(found, time)}
        for name in names:
            yield name, [{"qubits": place, **figures} for place in places]
    yield "swap", [{"qubits": None, "error": None, "duration_seconds": None}]


def _error(found: Mapping[str, Any], name: str) -> float | None:
    """One minus a median fidelity, or a mean where no median is stated."""
    told = (found.get("fidelity") or {}).get(name) or {}
    fidelity = _number(told.get("median", told.get("mean")))
    return None if fidelity is None or fidelity > 1 else round(1 - fidelity, 12)


def _time(found: Mapping[str, Any], name: str) -> float | None:
    return _number((found.get("timing") or {}).get(name))


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else None


def utc(moment: datetime) -> str:
    """RFC 3339."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
