"""A job's histograms as Qiskit's `Result`, hexadecimal and with the headers that give them back their registers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit.result import Result
from qiskit.result.models import ExperimentResult, ExperimentResultData, MeasLevel

from qpm_lab.circuits.measuring import has_measurement

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


class LabResult(Result):
    """Qiskit's `Result`, which also tells circuits with equal names apart: by which circuit it is.

    Args:
        circuits: The circuits as they were submitted, in order; each may stand for several experiments.
        **fields: Fields of `Result`.
    """

    def __init__(self, *, circuits: Sequence[QuantumCircuit] = (), **fields: Any) -> None:
        super().__init__(**fields)
        self._circuits = circuits

    def data(self, experiment: Any = None) -> Any:
        """As in Qiskit; a circuit is found by identity before its name is looked at."""
        return super().data(self._place(experiment))

    def get_counts(self, experiment: Any = None) -> Any:
        """As in Qiskit; a circuit is found by identity before its name is looked at."""
        return super().get_counts(self._place(experiment))

    def get_memory(self, experiment: Any = None) -> Any:
        """As in Qiskit; a circuit is found by identity before its name is looked at."""
        return super().get_memory(self._place(experiment))

    def _place(self, experiment: Any) -> Any:
        places = [place for place, circuit in enumerate(self._circuits) if circuit is experiment]
        return places[0] if len(places) == 1 else experiment


def header_of(circuit: QuantumCircuit) -> dict[str, Any]:
    """What Qiskit's assembler says about a circuit; one that measures nothing and has no bits is measured in full."""
    header = {
        "name": circuit.name,
        "n_qubits": circuit.num_qubits,
        "qreg_sizes": [[register.name, register.size] for register in circuit.qregs],
        "creg_sizes": [[register.name, register.size] for register in circuit.cregs],
        "memory_slots": circuit.num_clbits,
        "global_phase": _phase(circuit),
        "metadata": dict(circuit.metadata or {}),
    }
    if [bit for register in circuit.cregs for bit in register] != circuit.clbits:
        header["creg_sizes"] = []  # loose or shared bits: the outcome has no groups
    if not circuit.num_clbits:
        header.update(creg_sizes=[["meas", circuit.num_qubits]], memory_slots=circuit.num_qubits)
    return header


def is_silent(circuit: QuantumCircuit) -> bool:
    """True when its classical bits stay zero, as nothing is measured into them."""
    return circuit.num_clbits > 0 and not has_measurement(circuit)


def experiment(
    counts: Mapping[str, int], header: Mapping[str, Any], *, shots: int, seed: int, rng: np.random.Generator | None
) -> ExperimentResult:
    """One histogram as an experiment; with `rng` the single shots too, in a random order."""
    by_value = {hex(int(key.replace(" ", ""), 2)): count for key, count in counts.items()}
    data: dict[str, Any] = {"counts": by_value}
    if rng is not None:
        data["memory"] = _memory(by_value, rng)
    return ExperimentResult(
        shots=shots,
        success=True,
        data=ExperimentResultData(**data),
        meas_level=MeasLevel.CLASSIFIED,
        status="DONE",
        seed=seed,
        header=dict(header),
    )


def nothing_read(header: Mapping[str, Any], shots: int) -> dict[str, int]:
    """The histogram of a circuit that measures nothing."""
    return {"0" * int(header["memory_slots"]): shots}


def _memory(counts: Mapping[str, int], rng: np.random.Generator) -> list[str]:
    values: Iterable[int] = counts.values()
    order = rng.permutation(np.repeat(np.arange(len(counts)), list(values)))
    names = list(counts)
    return [names[place] for place in order.tolist()]


def _phase(circuit: QuantumCircuit) -> float:
    phase = circuit.global_phase
    return 0.0 if getattr(phase, "parameters", None) else float(phase)
