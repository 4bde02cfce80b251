"""Circuits as AQT takes them, its samples as Qiskit's histograms, and its characterisation as our calibration."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING, Any

from qpm_lab.errors import CircuitError, ProviderError
from qpm_lab.providers.answers import checked_counts, field, words
from qpm_lab.providers.aqt_api import TITLE

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


@dataclass(frozen=True, slots=True)
class Sent:
    """A circuit as it is sent."""

    circuit: QuantumCircuit
    """In `r`, `rz` and `rxx` with angles in the ranges that AQT takes; measured at its end."""
    bits: Mapping[int, int]
    """Classical bit → the qubit that it is read from."""


def prepared(circuit: QuantumCircuit) -> Sent:
    """A circuit with its measurements at the end and the angles that AQT takes.

    Args:
        circuit: In `r`, `rz` and `rxx`, bound.

    Raises:
        CircuitError: It acts on a qubit after measuring it, or has another operation.
    """
    from qiskit.circuit import Measure

    gates = circuit.copy_empty_like()
    bits: dict[int, int] = {}
    for each in circuit.data:
        qubits = [circuit.find_bit(bit).index for bit in each.qubits]
        if each.name == "measure":
            bits[circuit.find_bit(each.clbits[0]).index] = qubits[0]
        elif each.name != "barrier":
            _check(each.name, set(qubits) & set(bits.values()))
            gates.append(each)
    wrapped = _wrapped(gates)
    for bit, qubit in sorted(bits.items()):
        wrapped.append(Measure(), [qubit], [bit])
    return Sent(wrapped, bits)


def _check(name: str, measured: set[int]) -> None:
    if name not in ("r", "rz", "rxx"):
        raise CircuitError(f"{TITLE} cannot run {words(name)!r}.", "Replace it by standard gates.")
    if measured:
        raise CircuitError(f"{TITLE} measures only at the end of a circuit.", "Move the measurements to its end.")


def _wrapped(gates: QuantumCircuit) -> QuantumCircuit:
    """With the passes of AQT's own transpiler plugin, which knows the ranges of its angles."""
    from qiskit.transpiler import PassManager
    from qiskit.transpiler.passes import Decompose, Optimize1qGatesDecomposition
    from qiskit_aqt_provider.transpiler_plugin import RewriteRxAsR, WrapRxxAngles

    steps = [
        WrapRxxAngles(),
        Decompose([f"{WrapRxxAngles.SUBSTITUTE_GATE_NAME}*"]),
        Optimize1qGatesDecomposition(basis=["rx", "rz"]),
        RewriteRxAsR(),
    ]
    wrapped: QuantumCircuit = PassManager(steps).run(gates)
    return wrapped


def job_request(circuits: Sequence[QuantumCircuit], shots: int) -> Any:
    """The submission as AQT's provider writes it, in its own type.

    Raises:
        CircuitError: AQT does not take it: too many operations, qubits or shots.
    """
    from qiskit_aqt_provider._transformers import circuits_to_aqt_job

    sent = [prepared(circuit).circuit for circuit in circuits]
    try:
        return circuits_to_aqt_job(sent, shots)
    except ValueError as error:
        raise CircuitError(f"{TITLE} does not take this: {words(error)}", "Nothing was sent.", cause=error) from error


def histogram(samples: Any, sent: Sent, shots: int, what: str) -> dict[str, int]:
    """Counts over all classical bits, bit 0 rightmost.

    Args:
        samples: One list per shot, with the state of every qubit, qubit 0 first.
        sent: What was run.
        shots: How many there have to be.
        what: Which answer it is.

    Raises:
        ProviderError: They are not what was asked for.
    """
    if not isinstance(samples, list):
        raise ProviderError(f"{TITLE}'s answer to {what} has no samples.", "Update qpm_lab, or report it.")
    width = sent.circuit.num_qubits
    rows: dict[str, int] = {}
    for sample in samples:
        row = "".join(map(str, sample)) if isinstance(sample, list) and len(sample) == width else words(sample)
        rows[row] = rows.get(row, 0) + 1
    counts: dict[str, int] = {}
    for row, count in checked_counts(rows, width, shots, vendor=TITLE, what=what).items():
        read = (row[sent.bits[bit]] if bit in sent.bits else "0" for bit in reversed(range(sent.circuit.num_clbits)))
        key = "".join(read)
        counts[key] = counts.get(key, 0) + count
    return counts


def calibration(known: Any, qubits: int) -> bytes:
    """A characterisation as `calibrations.read_calibration` describes calibrations.

    Args:
        known: `characterisation` of a resource; fidelities are percentages, of two qubits and of readout one mean.
        qubits: How many ions can be used.

    Raises:
        ProviderError: A field is missing.
    """
    pair = _error(_field(known, "mean_two_qubit_gate_fidelity", "value"))
    readout = _error(_field(known, "spam_fidelity_lower_bound"))
    times = {
        name: _field(known, f"{name}_micros") * 1e-6
        for name in ("readout_time", "single_qubit_gate_duration", "two_qubit_gate_duration")
    }
    singles = [_error(_field(known, "single_qubit_gate_fidelity", str(qubit), "value")) for qubit in range(qubits)]
    joined = list(permutations(range(qubits), 2))
    relaxation = {
        "t1_seconds": _field(known, "t1_s", "value"),
        "t2_seconds": _field(known, "t2_coherence_time_s", "value"),
        "frequency_hz": None,
    }
    document = {
        "schema": 1,
        "qubits": qubits,
        "dt_seconds": None,
        "gates": {
            "r": [_place([n], error, times["single_qubit_gate_duration"]) for n, error in enumerate(singles)],
            # Turns about z are virtual: they change the phase of later pulses.
            "rz": [_place([n], 0.0, 0.0) for n in range(qubits)],
            "rxx": [_place(list(way), pair, times["two_qubit_gate_duration"]) for way in joined],
            "measure": [_place([n], readout, times["readout_time"]) for n in range(qubits)],
        },
        "coupling": [list(way) for way in joined],
        "qubit_properties": [relaxation] * qubits,
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _field(known: Any, *path: str) -> Any:
    return field(known, *path, vendor=TITLE, what="GET /v1/resources/ID (characterisation)")


def _error(percent: float) -> float:
    return round(1 - percent / 100, 12)


def _place(qubits: list[int], error: float, seconds: float) -> dict[str, Any]:
    return {"qubits": qubits, "error": error, "duration_seconds": seconds}
