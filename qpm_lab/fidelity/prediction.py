"""What a backend's reported errors predict for a circuit: not a measurement."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qpm_lab.errors import InputError
from qpm_lab.experiment import Estimate

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.transpiler import Target

ESTIMAND = "probability that no reported error happens in the circuit (ESP)"
METHOD = "prediction from reported errors, not a measurement"
ASSUMPTION = (
    "Errors are independent, stochastic and as reported; crosstalk, drift, idling and coherent errors do not exist. "
    "Measured fidelities have been lower in every case."
)
REASON = "a prediction has no interval"
_WITHOUT_ERROR = frozenset({"barrier", "delay"})


@dataclass(frozen=True, slots=True, repr=False)
class Prediction(Estimate):
    """A value without an interval, which says of itself that nothing was measured."""

    def __str__(self) -> str:
        return f"no prediction: {self.reason}" if self.value is None else f"{self.value:.4f} predicted, {self.reason}"


def expected_success_probability(circuit: QuantumCircuit, target: Target) -> Prediction:
    """The product of 1 − error over all operations of a circuit: a prediction, optimistic as a rule.

    Backends report average gate errors. What adds up is the process error, larger by (d + 1) / d: each two-qubit
    error is multiplied by 5/4, each one-qubit error by 3/2 (Nielsen, arXiv:quant-ph/0205035). Readout and reset
    errors are taken as reported. An error that is not reported counts as none and is named in `reason`.

    Args:
        circuit: In the backend's gates and on its qubits, qubit i of the circuit being qubit i of the target.
        target: Qiskit's description of the backend.

    Returns:
        An estimate without low and high, and with 0 shots and level 0: a prediction has no interval. No value when
        no error at all is reported.

    Raises:
        InputError: No circuit or no target, or an operation of the circuit is not in the target on its
            qubits, or is control flow.
    """
    _require_kinds(circuit, target)
    place = {bit: index for index, bit in enumerate(circuit.qubits)}
    product, known, missing = 1.0, 0, set()
    for each in circuit.data:
        if each.name in _WITHOUT_ERROR:
            continue
        qubits = tuple(place[bit] for bit in each.qubits)
        error = _reported(target, each, qubits)
        if error is None:
            missing.add(f"{each.name} on {', '.join(map(str, qubits))}")
            continue
        known += 1
        product *= max(0.0, 1 - error)
    value = product if known or not missing else None
    reason = _named(missing, known)
    return Prediction(value, None, None, 0.0, ESTIMAND, METHOD, 0, reason, assumption=ASSUMPTION)


def _require_kinds(circuit: object, target: object) -> None:
    from qiskit import QuantumCircuit
    from qiskit.transpiler import Target

    if not isinstance(circuit, QuantumCircuit):
        raise InputError(f"A prediction is of a Qiskit circuit, not of a {type(circuit).__name__}.")
    if not isinstance(target, Target):
        raise InputError(
            f"A prediction needs Qiskit's description of the backend, not a {type(target).__name__}.",
            "Give `backend.target`.",
        )


def _reported(target: Target, instruction: Any, qubits: tuple[int, ...]) -> float | None:
    """Process error of one operation; readout and reset as reported; None when nothing is."""
    if instruction.is_control_flow() or not target.instruction_supported(instruction.name, qubits):
        raise InputError(
            f"The operation {instruction.name} on {', '.join(map(str, qubits))} is not in the target.",
            "Give the circuit in the backend's gates and on its qubits.",
        )
    properties = (target[instruction.name] or {}).get(qubits)
    error = None if properties is None else properties.error
    if error is None or not math.isfinite(error):
        return None
    dimension = 2 ** len(qubits)
    factor = 1.0 if instruction.name in {"measure", "reset"} else (dimension + 1) / dimension
    return min(max(float(error), 0.0), 1.0) * factor


def _named(missing: set[str], known: int) -> str:
    if not missing:
        return REASON
    listed = ", ".join(sorted(missing)[:6]) + (f" and {len(missing) - 6} more" if len(missing) > 6 else "")
    if not known:
        return f"the target reports no error for what the circuit does: {listed}"
    return f"{REASON}; not reported and counted as none: {listed}"
