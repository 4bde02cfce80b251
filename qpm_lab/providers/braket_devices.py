"""Amazon Braket's machines: where they stand, what they take, and their calibrations as ours."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from qpm_lab.experiment import BackendInfo
from qpm_lab.providers.answers import field
from qpm_lab.providers.braket_aws import TITLE

GATES = ("cx", "h", "rx", "ry", "rz", "s", "sdg", "swap", "sx", "sxdg", "t", "tdg", "x", "y", "z")
"""What every machine there takes, whichever gates are its own."""
_SIMULATED = (*GATES, "cp", "cz", "p")
_PLACED = ("cz", "rx", "ry", "rz")
"""For machines whose qubits are coupled to few others: circuits are laid out here, on the qubits that are used."""
_SIMULATOR = "arn:aws:braket:::device/quantum-simulator/amazon/"
_QPU = "arn:aws:braket:{}::device/qpu/{}"
ARNS = {
    "aqt_ibex-q1": _QPU.format("eu-north-1", "aqt/Ibex-Q1"),
    "dm1": f"{_SIMULATOR}dm1",
    "ionq_forte-1": _QPU.format("us-east-1", "ionq/Forte-1"),
    "ionq_forte-enterprise-1": _QPU.format("us-east-1", "ionq/Forte-Enterprise-1"),
    "iqm_emerald": _QPU.format("eu-north-1", "iqm/Emerald"),
    "iqm_garnet": _QPU.format("eu-north-1", "iqm/Garnet"),
    "rigetti_cepheus-1-108q": _QPU.format("us-west-1", "rigetti/Cepheus-1-108Q"),
    "sv1": f"{_SIMULATOR}sv1",
    "tn1": f"{_SIMULATOR}tn1",
}
PLACED = frozenset({"iqm_emerald", "iqm_garnet", "rigetti_cepheus-1-108q"})
SIMULATOR_REGION = "us-east-1"


def _machine(name: str, description: str, qubits: int) -> BackendInfo:
    gates = _PLACED if name in PLACED else GATES
    region = ARNS[name].split(":")[3]
    return BackendInfo(
        f"braket/{name}", description, qubits, "qpu", False, True, gates=gates, region=region, legal_seat="US"
    )


def _simulator(name: str, description: str, qubits: int) -> BackendInfo:
    region = SIMULATOR_REGION
    return BackendInfo(
        f"braket/{name}",
        description,
        qubits,
        "simulator",
        False,
        False,
        gates=_SIMULATED,
        region=region,
        legal_seat="US",
    )


BACKENDS = (
    _machine("aqt_ibex-q1", "AQT IBEX Q1 on Amazon Braket, 12 trapped ions", 12),
    _simulator("dm1", "Amazon's density matrix simulator DM1", 17),
    _machine("ionq_forte-1", "IonQ Forte 1 on Amazon Braket, 36 trapped ions", 36),
    _machine("ionq_forte-enterprise-1", "IonQ Forte Enterprise 1 on Amazon Braket, 36 trapped ions", 36),
    _machine("iqm_emerald", "IQM Emerald on Amazon Braket, 54 superconducting qubits", 54),
    _machine("iqm_garnet", "IQM Garnet on Amazon Braket, 20 superconducting qubits", 20),
    BackendInfo(
        "braket/local", "Braket's state vector simulator, here", 26, "simulator", True, False, gates=_SIMULATED
    ),
    _machine("rigetti_cepheus-1-108q", "Rigetti Cepheus-1-108Q on Amazon Braket, 108 superconducting qubits", 108),
    _simulator("sv1", "Amazon's state vector simulator SV1", 34),
    _simulator("tn1", "Amazon's tensor network simulator TN1", 50),
)


def calibration(capabilities: Any) -> bytes:
    """A machine's couplings and errors, as `calibrations.read_calibration` describes them.

    Qubits keep their own numbers, of which some may be missing (IQM counts from 1): those have gates of one qubit like
    the others, because translation looks at them before qubits are placed, but no error and no coupling.

    Args:
        capabilities: `deviceCapabilities` of GetDevice.

    Raises:
        ProviderError: A field is missing.
    """
    graph = _field(capabilities, "paradigm", "connectivity", "connectivityGraph")
    known = capabilities.get("standardized") or {}
    pairs = {tuple(sorted((int(one), int(other)))) for one, others in graph.items() for other in others}
    singles = {int(name): each for name, each in (known.get("oneQubitProperties") or {}).items()}
    qubits = range(max({qubit for pair in pairs for qubit in pair} | singles.keys(), default=-1) + 1)
    gates = {
        **{name: _one_qubit(qubits, singles, "RANDOMIZED_BENCHMARKING") for name in ("rx", "ry")},
        # Turns about z are taken into the frame of the pulses that follow, without a pulse of their own.
        "rz": [_place((qubit,), 0.0) for qubit in qubits],
        "cz": list(_two_qubits(pairs, known.get("twoQubitProperties") or {})),
        "measure": _one_qubit(qubits, singles, "READOUT"),
    }
    document = {
        "schema": 1,
        "qubits": len(qubits),
        "dt_seconds": None,
        "gates": gates,
        "coupling": sorted(place["qubits"] for place in gates["cz"]),
        "qubit_properties": [_relaxation(singles.get(qubit)) for qubit in qubits],
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _one_qubit(qubits: Iterable[int], known: Mapping[int, Mapping[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [_place((qubit,), _error(_fidelities(known.get(qubit)), kind)) for qubit in qubits]


def _two_qubits(pairs: Iterable[tuple[int, ...]], known: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """CZ both ways."""
    for pair in sorted(pairs):
        error = _pair_error(known.get("-".join(map(str, pair))))
        yield _place(pair, error)
        yield _place(pair[::-1], error)


def _field(capabilities: Any, *path: str) -> Any:
    return field(capabilities, *path, vendor=TITLE, what="GetDevice (deviceCapabilities)")


def _place(qubits: Sequence[int], error: float | None) -> dict[str, Any]:
    return {"qubits": list(qubits), "error": error, "duration_seconds": None}


def _fidelities(qubit: Mapping[str, Any] | None) -> Iterable[tuple[str, float]]:
    for each in (qubit or {}).get("oneQubitFidelity", ()):
        yield str(_field(each, "fidelityType", "name")).upper(), float(_field(each, "fidelity"))


def _error(fidelities: Iterable[tuple[str, float]], kind: str) -> float | None:
    """One minus the first fidelity of a kind; its variants (`…_SIMULTANEOUS`) only where there is no other."""
    found = sorted((name, value) for name, value in fidelities if name.startswith(kind))
    return round(1 - found[0][1], 12) if found else None


def _pair_error(pair: Mapping[str, Any] | None) -> float | None:
    """Of CZ, or of whatever two-qubit gate is the machine's own."""
    known = {str(_field(each, "gateName")).upper(): each for each in (pair or {}).get("twoQubitGateFidelity", ())}
    if not known:
        return None
    best = known.get("CZ") or max(known.values(), key=lambda each: float(_field(each, "fidelity")))
    return round(1 - float(_field(best, "fidelity")), 12)


def _relaxation(qubit: Mapping[str, Any] | None) -> dict[str, float | None]:
    times = {name: _seconds((qubit or {}).get(name)) for name in ("T1", "T2")}
    return {"t1_seconds": times["T1"], "t2_seconds": times["T2"], "frequency_hz": None}


def _seconds(time: Mapping[str, Any] | None) -> float | None:
    units = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
    unit = units.get(str((time or {}).get("unit", "")).lower())
    return None if time is None or unit is None else float(_field(time, "value")) * unit
