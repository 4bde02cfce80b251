"""The machines of IBM's double: invented calibrations on a grid, in the shape of IBM's configuration and properties."""

from __future__ import annotations

from functools import cache
from itertools import chain
from random import Random
from typing import Any

_LARGE = ("ibm_aachen", "ibm_boston", "ibm_fez", "ibm_kingston", "ibm_marrakesh", "ibm_pittsburgh")
GRIDS = {"ibm_torino": (7, 19), **dict.fromkeys(_LARGE, (12, 13))}
"""Machine → rows and columns; IBM's real ones are less densely coupled."""
ONE_QUBIT = ("id", "rz", "sx", "x")
CALIBRATED_AT = "2026-11-20T06:00:00+00:00"
_FALSE = ("local", "simulator", "conditional", "open_pulse")


def listed(name: str, queue: int) -> dict[str, Any]:
    """The machine's row in the list of machines."""
    rows, columns = GRIDS[name]
    status = {"name": "online", "reason": "available"}
    return {
        "name": name,
        "status": status,
        "is_simulator": False,
        "qubits": rows * columns,
        "queue_length": queue,
        "processor_type": {"family": "Heron", "revision": "2"},
    }


def pairs(name: str) -> list[tuple[int, int]]:
    """Coupled qubits, each pair in both directions."""
    rows, columns = GRIDS[name]
    right = [(q, q + 1) for q in range(rows * columns) if (q + 1) % columns]
    below = [(q, q + columns) for q in range((rows - 1) * columns)]
    return sorted(chain.from_iterable(((a, b), (b, a)) for a, b in right + below))


@cache
def configuration(name: str) -> dict[str, Any]:
    """What does not change from day to day."""
    rows, columns = GRIDS[name]
    single = [[q] for q in range(rows * columns)]
    coupled = [list(pair) for pair in pairs(name)]
    gates = [
        {"name": gate, "parameters": ["theta"] if gate == "rz" else [], "qasm_def": "", "coupling_map": where}
        for gate, where in [*((each, single) for each in ONE_QUBIT), ("cz", coupled)]
    ]
    return {
        "backend_name": name,
        "backend_version": "1.0.0",
        "n_qubits": rows * columns,
        "basis_gates": [*ONE_QUBIT, "cz"],
        "gates": gates,
        **dict.fromkeys(_FALSE, False),
        "memory": True,
        "coupling_map": coupled,
        "supported_instructions": [*ONE_QUBIT, "cz", "delay", "measure", "reset", "if_else"],
        "supported_features": ["qasm3", "parameters", "dynamic_circuits"],
        "dynamic_reprate_enabled": True,
        "rep_delay_range": [0.0, 500.0],
        "default_rep_delay": 250.0,
        "max_experiments": 300,
        "max_shots": 100000,
        "online_date": "2023-11-01T04:00:00+00:00",
        "dt": 4.0,
        "dtm": 4.0,
        "processor_type": {"family": "Heron", "revision": "2"},
    }


@cache
def properties(name: str) -> dict[str, Any]:
    """Errors, times and durations; the same in every process."""
    random = Random(name)
    qubits = GRIDS[name][0] * GRIDS[name][1]
    single = [_gate(gate, [q], random) for gate in ONE_QUBIT for q in range(qubits)]
    return {
        "backend_name": name,
        "backend_version": "1.0.0",
        "last_update_date": CALIBRATED_AT,
        "qubits": [_qubit(random) for _ in range(qubits)],
        "gates": [*single, *(_gate("cz", list(pair), random) for pair in pairs(name) if pair[0] < pair[1])]
        + [_gate("cz", list(pair), random) for pair in pairs(name) if pair[0] > pair[1]],
        "general": [],
    }


def _qubit(random: Random) -> list[dict[str, Any]]:
    return [
        _value("T1", "us", random.uniform(100, 300)),
        _value("T2", "us", random.uniform(60, 200)),
        _value("readout_error", "", random.uniform(0.005, 0.03)),
        _value("prob_meas0_prep1", "", random.uniform(0.005, 0.03)),
        _value("prob_meas1_prep0", "", random.uniform(0.005, 0.03)),
        _value("readout_length", "ns", 1560),
    ]


def _gate(name: str, qubits: list[int], random: Random) -> dict[str, Any]:
    error = 0.0 if name == "rz" else random.uniform(0.002, 0.006) if name == "cz" else random.uniform(1e-4, 5e-4)
    length = 0 if name == "rz" else 68 if name == "cz" else 32
    values = [_value("gate_error", "", error), _value("gate_length", "ns", length)]
    return {"gate": name, "qubits": qubits, "parameters": values, "name": "_".join(map(str, [name, *qubits]))}


def _value(name: str, unit: str, value: float) -> dict[str, Any]:
    return {"date": CALIBRATED_AT, "name": name, "unit": unit, "value": value}
