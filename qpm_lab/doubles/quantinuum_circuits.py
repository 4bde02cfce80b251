"""How Quantinuum's double reads pytket's circuits, counts their credits and writes its results."""

from __future__ import annotations

from collections.abc import Mapping
from math import pi
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

_MACHINE = {
    "name": "QuantinuumBackend",
    "device_name": "double",
    "version": "0",
    "device": {"nodes": [], "edges": [], "fully_connected": True},
    "gate_set": ["Rz", "PhasedX", "ZZPhase", "Measure", "Reset", "Barrier"],
    "supports_fast_feedforward": True,
    "supports_reset": True,
    "supports_midcircuit_measurement": True,
}


def circuit_of(asked: Mapping[str, Any]) -> QuantumCircuit:
    """A circuit in pytket's JSON as Qiskit's; angles are in half turns.

    Raises:
        ValueError: An operation is none of the native ones, or qubits are renamed at the end.
    """
    from qiskit import QuantumCircuit as Circuit

    qubits = {_unit(each): n for n, each in enumerate(asked["qubits"])}
    bits = {_unit(each): n for n, each in enumerate(asked["bits"])}
    if any(before != after for before, after in asked["implicit_permutation"]):
        raise ValueError("implicit permutations are not native")
    circuit = Circuit(len(qubits), len(bits))
    for each in asked["commands"]:
        kind, places = each["op"]["type"], [_unit(unit) for unit in each["args"]]
        angles = [float(angle) * pi for angle in each["op"].get("params", ())]
        if kind == "Measure":
            circuit.measure(qubits[places[0]], bits[places[1]])
        elif kind == "Rz":
            circuit.rz(angles[0], qubits[places[0]])
        elif kind == "PhasedX":
            at = qubits[places[0]]
            circuit.rz(-angles[1], at)
            circuit.rx(angles[0], at)
            circuit.rz(angles[1], at)
        elif kind == "ZZPhase":
            first, second = (qubits[place] for place in places)
            circuit.cx(first, second)
            circuit.rz(angles[0], second)
            circuit.cx(first, second)
        elif kind == "Reset":
            circuit.reset(qubits[places[0]])
        elif kind != "Barrier":
            raise ValueError(f"{kind} is not native")
    return circuit


def _unit(written: Any) -> tuple[str, int]:
    name, (index,) = written
    return str(name), int(index)


def credits(asked: Mapping[str, Any], shots: int) -> float:
    """HQC of a program: 5 + C (N1 + 10 N2 + 5 Nm) / 5000, every qubit's preparation counted among Nm."""
    kinds = [each["op"]["type"] for each in asked["commands"]]
    one, two = kinds.count("PhasedX") + kinds.count("Rz"), kinds.count("ZZPhase")
    prepared = len(asked["qubits"]) + kinds.count("Measure") + kinds.count("Reset")
    return 5 + shots * (one + 10 * two + 5 * prepared) / 5000


def as_results(number: str, program: str, counts: Mapping[str, int]) -> dict[str, Any]:
    """A result document: one row of bytes per shot, bit 0 first and highest in its byte."""
    width = len(next(iter(counts)))
    rows = [_packed(outcome[::-1]) for outcome, times in counts.items() for _ in range(times)]
    attributes = {
        "bits": [["c", [n]] for n in range(width)],
        "qubits": [],
        "shots": {"width": width, "array": rows},
        "counts": [],
    }
    return {
        "data": {
            "id": number,
            "type": "result",
            "attributes": attributes,
            "relationships": {"program": {"data": {"id": program, "type": "circuit"}}},
        },
        "included": [{"id": program, "type": "backend_snapshot", "attributes": _MACHINE}],
    }


def _packed(bits: str) -> list[int]:
    padded = bits + "0" * (-len(bits) % 8)
    return [int(padded[n : n + 8], 2) for n in range(0, len(padded), 8)]
