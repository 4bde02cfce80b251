"""Values for a circuit's parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qpm_lab.errors import CircuitError

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


def bind(circuits: Sequence[QuantumCircuit], parameters: Mapping[Any, Any]) -> list[QuantumCircuit]:
    """Gives every circuit the values of the parameters it has; circuits without any are returned as they are.

    Raises:
        CircuitError: a name that no circuit has, a parameter left open, or a value that is not one finite number.
    """
    values = {_name(key): _number(key, value) for key, value in parameters.items()}
    known = {p.name for circuit in circuits for p in circuit.parameters}
    _check_names(values, known)
    return [_bound(circuit, values) for circuit in circuits]


def _bound(circuit: QuantumCircuit, values: Mapping[str, float]) -> QuantumCircuit:
    own = list(circuit.parameters)
    if not own:
        return circuit
    if missing := [p.name for p in own if p.name not in values]:
        shown = ", ".join(missing[:8]) + (", …" if len(missing) > 8 else "")
        example = ", ".join(f'"{name}": 0.5' for name in missing[:2])
        raise CircuitError(
            f"The circuit has parameters without a value: {shown}.",
            f"Give them with --parameter {missing[0]}=0.5 (in Python: parameters={{{example}}}).",
        )
    try:
        bound: QuantumCircuit = circuit.assign_parameters({p: values[p.name] for p in own}, inplace=False)
    except Exception as error:
        raise CircuitError(
            f"The values do not fit the circuit's parameters: {error}", "Check the formulas and values.", cause=error
        ) from error
    return bound


def _check_names(values: Mapping[str, float], known: set[str]) -> None:
    unknown = sorted(values.keys() - known)
    if not unknown:
        return
    listed = ", ".join(sorted(known)[:20]) if known else "none"
    raise CircuitError(f"The circuit has no parameter {', '.join(unknown[:8])}.", f"Its parameters are: {listed}.")


def _name(key: Any) -> str:
    name = key if isinstance(key, str) else getattr(key, "name", None)
    if not isinstance(name, str):
        raise CircuitError(
            f"A parameter is named by a {type(key).__name__}.", "Use the Parameter itself or its name as key."
        )
    return name


def _number(key: Any, value: Any) -> float:
    if isinstance(value, (str, bytes, bool)) or hasattr(value, "parameters"):
        raise CircuitError(f"The value of {_name(key)} is not a number.", "Give one number, for example 0.5.")
    if getattr(value, "ndim", 0) or isinstance(value, (list, tuple, set, dict)):
        raise CircuitError(
            f"The value of {_name(key)} is an array: sweeps over parameters are not supported.",
            "Give one number, or submit a list of circuits.",
        )
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise CircuitError(
            f"The value of {_name(key)} is not a real number.", "Give one number, for example 0.5.", cause=error
        ) from error
    if not math.isfinite(number):
        raise CircuitError(f"The value of {_name(key)} is {number}.", "Give a finite number.")
    return number
