"""Jobs to be priced."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from qpm_lab.experiment import BackendInfo, CircuitFacts, Principal, Quote, Request, from_nano

TODAY = date(2026, 11, 20)
GHZ: dict[str, Any] = {
    "qubits": 5,
    "clbits": 5,
    "depth": 6,
    "gates": {"h": 1, "cx": 4},
    "two_qubit_gates": 4,
    "one_qubit_gates": 1,
    "measurements": 5,
    "wide_gates": {2: 4},
}


def facts(**changed: Any) -> CircuitFacts:
    """Five entangled qubits: one gate on one qubit, four on two, five measurements."""
    return CircuitFacts("sha256:0", **{**GHZ, **changed})


def job(
    name: str,
    *,
    circuits: int = 1,
    shots: int = 1000,
    kind: Literal["qpu", "simulator"] = "qpu",
    **changed: Any,
) -> Request:
    """So many equal circuits on a backend."""
    backend = BackendInfo(name, "", 100, kind, local=False, noisy=True)
    return Request(Principal("ada"), backend, (facts(**changed),) * circuits, shots)


def ends(quoted: Quote) -> tuple[str, str, str] | None:
    """Low, expected and high as decimal text; None when unknown."""
    if quoted.low is None or quoted.expected is None or quoted.high is None:
        return None
    return from_nano(quoted.low), from_nano(quoted.expected), from_nano(quoted.high)
