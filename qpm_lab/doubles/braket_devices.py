"""What the double says of its devices and prices, in the shapes of Braket's device schema and of AWS's price list."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from qpm_lab.doubles.aqt import characterisation

_SIMULATOR = "arn:aws:braket:::device/quantum-simulator/amazon/"
_MACHINES = {
    "arn:aws:braket:eu-north-1::device/qpu/aqt/Ibex-Q1": ("aqt", 12, 0, 0),
    "arn:aws:braket:us-east-1::device/qpu/ionq/Forte-1": ("ionq", 36, 0, 0),
    "arn:aws:braket:us-east-1::device/qpu/ionq/Forte-Enterprise-1": ("ionq", 36, 0, 0),
    "arn:aws:braket:eu-north-1::device/qpu/iqm/Emerald": ("iqm", 54, 9, 1),
    "arn:aws:braket:eu-north-1::device/qpu/iqm/Garnet": ("iqm", 20, 5, 1),
    "arn:aws:braket:us-west-1::device/qpu/rigetti/Cepheus-1-108Q": ("rigetti", 108, 12, 0),
    f"{_SIMULATOR}dm1": ("simulators", 17, 0, 0),
    f"{_SIMULATOR}sv1": ("simulators", 34, 0, 0),
    f"{_SIMULATOR}tn1": ("simulators", 50, 0, 0),
}
"""ARN → maker, qubits, columns of its grid (0: every pair is coupled), number of its first qubit."""
_KINDS = {
    "aqt": "aqt.aqt_device_capabilities",
    "ionq": "ionq.ionq_device_capabilities",
    "iqm": "iqm.iqm_device_capabilities",
    "rigetti": "rigetti.rigetti_device_capabilities",
    "simulators": "simulators.gate_model_simulator_device_capabilities",
}
_ONE_QUBIT = ["h", "phaseshift", "rx", "ry", "rz", "s", "si", "t", "ti", "v", "vi", "x", "y", "z"]
_OPERATIONS = [*_ONE_QUBIT, "cnot", "cphaseshift", "cz", "swap"]
_PRICES = {"Garnet": ("eu-north-1", "0.00145"), "Forte-1": ("us-east-1", "0.08")}


def device_document(arn: str) -> dict[str, Any] | None:
    """The answer to GetDevice; None for a device that there is not."""
    if arn not in _MACHINES:
        return None
    maker, _, _, _ = _MACHINES[arn]
    qpu = maker != "simulators"
    return {
        "deviceArn": arn,
        "deviceName": arn.rpartition("/")[2],
        "providerName": maker if qpu else "Amazon Braket",
        "deviceType": "QPU" if qpu else "SIMULATOR",
        "deviceStatus": "ONLINE",
        "deviceCapabilities": json.dumps(_capabilities(*_MACHINES[arn])),
        "deviceQueueInfo": [
            {"queue": "QUANTUM_TASKS_QUEUE", "queueSize": "13", "queuePriority": "Normal"},
            {"queue": "QUANTUM_TASKS_QUEUE", "queueSize": "2", "queuePriority": "Priority"},
            {"queue": "JOBS_QUEUE", "queueSize": "4"},
        ],
    }


def _capabilities(maker: str, qubits: int, columns: int, first: int) -> dict[str, Any]:
    action = {
        "actionType": "braket.ir.openqasm.program",
        "version": ["1"],
        "supportedOperations": _OPERATIONS,
        "supportPhysicalQubits": bool(columns),
        "disabledQubitRewiringSupported": bool(columns),
        "supportedResultTypes": [],
    }
    document: dict[str, Any] = {
        "braketSchemaHeader": _header(_KINDS[maker]),
        "service": {
            "braketSchemaHeader": _header("device_service_properties"),
            "executionWindows": [{"executionDay": "Everyday", "windowStartHour": "00:00", "windowEndHour": "23:59:59"}],
            "shotsRange": [1, 20000],
            "updatedAt": "2026-11-20T06:00:00Z",
        },
        "action": {"braket.ir.openqasm.program": action},
        "deviceParameters": {},
        "paradigm": _paradigm(maker, qubits, _pairs(qubits, columns, first), bool(columns)),
    }
    numbers = range(first, first + qubits)
    if columns:
        document["standardized"] = _standardized(numbers, _pairs(qubits, columns, first))
    elif maker == "aqt":
        document["standardized"] = _means()
        measured = characterisation(qubits)
        document["provider"] = {"braketSchemaHeader": _header("aqt.aqt_provider_properties"), "properties": measured}
    return document


def _means() -> dict[str, Any]:
    """The newer shape, for machines that state means only."""
    header = {"name": "braket.device_schema.standardized_gate_model_qpu_device_properties", "version": "3"}
    times = {"T1": {"value": 1.14, "unit": "s"}, "T2": {"value": 0.45, "unit": "s"}}
    return {"braketSchemaHeader": header, **times, "updatedAt": "2026-11-20T06:00:00Z"}


def _header(name: str) -> dict[str, str]:
    return {"name": f"braket.device_schema.{name}", "version": "1"}


def _pairs(qubits: int, columns: int, first: int) -> list[tuple[int, int]]:
    """Neighbours in a grid."""
    if not columns:
        return []
    beside = [(n, n + 1) for n in range(qubits - 1) if (n + 1) % columns]
    below = [(n, n + columns) for n in range(qubits - columns)]
    return sorted((one + first, other + first) for one, other in beside + below)


def _paradigm(maker: str, qubits: int, pairs: Sequence[tuple[int, int]], sparse: bool) -> dict[str, Any]:
    if maker == "simulators":
        return {
            "braketSchemaHeader": _header("simulators.gate_model_simulator_paradigm_properties"),
            "qubitCount": qubits,
        }
    graph: dict[str, list[str]] = {}
    for one, other in pairs:
        graph.setdefault(str(one), []).append(str(other))
        graph.setdefault(str(other), []).append(str(one))
    return {
        "braketSchemaHeader": _header("gate_model_qpu_paradigm_properties"),
        "qubitCount": qubits,
        "nativeGateSet": ["cz", "prx"] if sparse else ["gpi", "gpi2", "ms"],
        "connectivity": {"fullyConnected": not sparse, "connectivityGraph": graph},
    }


def _standardized(qubits: Sequence[int], pairs: Sequence[tuple[int, int]]) -> dict[str, Any]:
    return {
        "braketSchemaHeader": _header("standardized_gate_model_qpu_device_properties"),
        "oneQubitProperties": {str(qubit): _qubit(qubit) for qubit in qubits},
        "twoQubitProperties": {f"{one}-{other}": _pair(one, other) for one, other in pairs},
    }


def _qubit(number: int) -> dict[str, Any]:
    return {
        "T1": {"value": 40.0 + number / 10, "standardError": None, "unit": "us"},
        "T2": {"value": 20.0 + number / 10, "standardError": None, "unit": "us"},
        "oneQubitFidelity": [
            {"fidelityType": {"name": "RANDOMIZED_BENCHMARKING"}, "fidelity": 0.999 - number / 1e6},
            {"fidelityType": {"name": "READOUT"}, "fidelity": 0.98 - number / 1e5},
        ],
    }


def _pair(one: int, other: int) -> dict[str, Any]:
    kind = {"name": "INTERLEAVED_RANDOMIZED_BENCHMARKING"}
    return {
        "twoQubitGateFidelity": [
            {"gateName": "CZ", "fidelity": 0.994 - (one + other) / 1e5, "fidelityType": kind},
        ]
    }


def price_list() -> str:
    """A price list with AWS's five lines of metadata, its column names, and tasks and shots of some machines."""
    out = io.StringIO()
    out.write('"FormatVersion","v1.0"\n"Disclaimer","A double"\n"Publication Date","2026-11-20T00:00:00Z"\n')
    out.write('"Version","20261120000000"\n"OfferCode","AmazonBraket"\n')
    table = csv.writer(out)
    table.writerow(["Region Code", "DeviceName", "Product Family", "Currency", "PricePerUnit"])
    for device, (region, shot) in _PRICES.items():
        table.writerow([region, device, "Quantum Task", "USD", "0.30"])
        table.writerow([region, device, "Quantum Task-Shot", "USD", shot])
    return out.getvalue()
