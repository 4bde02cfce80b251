"""The machines of IQM's double: what they can do, how they are calibrated, and how their circuits are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

MEASURED = "2026-11-01T06:00:00Z"
_ONE_QUBIT = ("prx", "measure")


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine."""

    id: str
    title: str
    calibration_set: str
    qubits: tuple[str, ...]
    resonators: tuple[str, ...]
    loci: Mapping[str, tuple[tuple[str, ...], ...]]
    """Where each operation acts."""

    def architecture(self) -> dict[str, Any]:
        """The dynamic quantum architecture."""
        gates = {
            name: {
                "implementations": {"standard": {"loci": [list(locus) for locus in loci]}},
                "default_implementation": "standard",
                "override_default_implementation": {},
            }
            for name, loci in self.loci.items()
        }
        return {
            "calibration_set_id": self.calibration_set,
            "qubits": list(self.qubits),
            "computational_resonators": list(self.resonators),
            "gates": gates,
        }

    def calibration(self) -> dict[str, Any]:
        """The calibration set: durations and coherence times."""
        nanoseconds = {"prx": 20.0, "cz": 40.0, "move": 60.0, "measure": 1000.0}
        told = [
            (f"gates.{name}.standard.{'__'.join(locus)}.duration", nanoseconds[name] * 1e-9, "s")
            for name, loci in self.loci.items()
            for locus in loci
        ]
        for component in (*self.qubits, *self.resonators):
            told.append((f"characterization.model.{component}.t1_time", 4e-5, "s"))
            told.append((f"characterization.model.{component}.t2_time", 2e-5, "s"))
        return self._observed("calibration-set", told)

    def metrics(self) -> dict[str, Any]:
        """The quality metrics: fidelities, each qubit's its own."""
        methods = {"prx": ("rb", 0.999), "cz": ("irb", 0.99), "move": ("irb", 0.995), "measure": ("ssro", 0.98)}
        told = []
        for name, loci in self.loci.items():
            method, best = methods[name]
            for n, locus in enumerate(loci):
                told.append((f"metrics.{method}.{name}.standard.{'__'.join(locus)}.fidelity", best - n * 1e-5, ""))
        return self._observed("quality-metric-set", told)

    def _observed(self, kind: str, told: list[tuple[str, float, str]]) -> dict[str, Any]:
        return {
            "observation_set_type": kind,
            "describes_id": None,
            "invalid": False,
            "dut_label": "M000",
            "observation_set_id": self.calibration_set,
            "created_timestamp": MEASURED,
            "end_timestamp": MEASURED,
            "observations": [
                {
                    "observation_id": n,
                    "dut_field": name,
                    "value": value,
                    "unit": unit,
                    "uncertainty": None,
                    "invalid": False,
                    "created_timestamp": MEASURED,
                    "modified_timestamp": MEASURED,
                    "dut_label": "M000",
                    "source": {"type": "configuration_source"},
                    "tags": [],
                    "observation_set_ids": [self.calibration_set],
                }
                for n, (name, value, unit) in enumerate(told)
            ],
        }

    def refusal(self, asked: Mapping[str, Any]) -> str:
        """Why a submission is not taken; empty when it is."""
        if not asked["circuits"] or int(asked["shots"]) < 1:
            return "At least one circuit and one shot are needed."
        if asked.get("calibration_set_id") not in (None, self.calibration_set):
            return "The calibration set is unknown."
        for circuit in asked["circuits"]:
            for each in circuit["instructions"]:
                locus, name = tuple(each["locus"]), each["name"]
                if name in ("barrier", "delay"):
                    continue
                if name not in self.loci or not {locus, locus[::-1]} & set(self.loci[name]):
                    return f"{name} is not calibrated on {', '.join(locus)}."
        return ""


def circuit_of(machine: Machine, asked: Mapping[str, Any]) -> tuple[list[str], QuantumCircuit]:
    """A circuit in IQM's format as Qiskit's, one classical bit per measurement, and the measurements' keys in order."""
    from qiskit import QuantumCircuit as Circuit

    place = {name: n for n, name in enumerate((*machine.qubits, *machine.resonators))}
    keys = [str(each["args"]["key"]) for each in asked["instructions"] if each["name"] == "measure"]
    if len(set(keys)) != len(keys):
        raise ValueError("measurement keys must be unique")
    circuit = Circuit(len(place), len(keys))
    for each in asked["instructions"]:
        qubits, told = [place[name] for name in each["locus"]], each["args"]
        if each["name"] == "prx":
            circuit.r(float(told["angle"]), float(told["phase"]), qubits[0])
        elif each["name"] == "cz":
            circuit.cz(*qubits)
        elif each["name"] == "move":
            circuit.swap(*qubits)
        elif each["name"] == "measure":
            circuit.measure(qubits[0], keys.index(str(told["key"])))
        elif each["name"] not in ("barrier", "delay"):
            raise ValueError(f"operation {each['name']!r} is not known")
    return keys, circuit


def _lattice(rows: int, columns: int) -> list[tuple[str, str]]:
    places = {(row, column): f"QB{row * columns + column + 1}" for row in range(rows) for column in range(columns)}
    across = [(name, places[row, column + 1]) for (row, column), name in places.items() if column + 1 < columns]
    down = [(name, places[row + 1, column]) for (row, column), name in places.items() if row + 1 < rows]
    return across + down


def _crystal(number: int, title: str, rows: int, columns: int) -> Machine:
    qubits = tuple(f"QB{n + 1}" for n in range(rows * columns))
    single = tuple((name,) for name in qubits)
    loci: dict[str, tuple[tuple[str, ...], ...]] = dict.fromkeys(_ONE_QUBIT, single)
    return _made(number, title, qubits, (), {**loci, "cz": tuple(_lattice(rows, columns))})


def _star(number: int, title: str, size: int) -> Machine:
    qubits = tuple(f"QB{n + 1}" for n in range(size))
    single = tuple((name,) for name in qubits)
    through = tuple((name, "CR1") for name in qubits)
    loci: dict[str, tuple[tuple[str, ...], ...]] = dict.fromkeys(_ONE_QUBIT, single)
    return _made(number, title, qubits, ("CR1",), {**loci, "cz": through, "move": through})


def _made(
    number: int,
    title: str,
    qubits: tuple[str, ...],
    resonators: tuple[str, ...],
    loci: Mapping[str, tuple[tuple[str, ...], ...]],
) -> Machine:
    id_, calibration_set = (f"{kind}0000000-0000-4000-8000-{number:012d}" for kind in "ac")
    return Machine(id_, title, calibration_set, qubits, resonators, loci)


MACHINES = {
    "garnet": _crystal(1, "IQM Garnet", 4, 5),
    "emerald": _crystal(2, "IQM Emerald", 6, 9),
    "sirius": _star(3, "IQM Sirius", 16),
}
"""By the alias in the API's paths."""
