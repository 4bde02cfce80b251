"""The circuits of a sweep, one for each point."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from qpm_lab.errors import CircuitError

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

    from qpm_lab.circuits import Bindings


def bound(
    template: QuantumCircuit,
    bindings: Bindings,
    then: Callable[[QuantumCircuit], QuantumCircuit] | None = None,
) -> Iterator[QuantumCircuit]:
    """The template with the values of each point in turn.

    Args:
        template: Its open parameters are among those of `bindings`.
        bindings: The points.
        then: What is done to each circuit.

    Raises:
        CircuitError: an expression has no real value at some point.
    """
    own = {p.name for p in template.parameters}
    used = [(i, name) for i, name in enumerate(bindings.names) if name in own]
    for row in bindings.values.tolist():
        circuit = _assigned(template, {name: row[i] for i, name in used})
        yield then(circuit) if then else circuit


def _assigned(template: QuantumCircuit, values: dict[str, float]) -> QuantumCircuit:
    try:
        circuit: QuantumCircuit = template.assign_parameters(values, inplace=False)
    except Exception as error:
        shown = ", ".join(f"{name} = {value:g}" for name, value in list(values.items())[:4])
        raise CircuitError(
            f"The circuit cannot be run with {shown}: {str(error)[:300]}", "Leave this point out.", cause=error
        ) from error
    return circuit
