"""Values for a circuit's parameters: one number each, or arrays for a sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from qpm_lab.circuits.limits import Limits
from qpm_lab.circuits.values import named_values
from qpm_lab.errors import CircuitError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from qiskit import QuantumCircuit

    from qpm_lab.circuits.values import Value


@dataclass(frozen=True, slots=True, eq=False)
class Bindings:
    """The values with which a circuit is run, one row per point."""

    names: tuple[str, ...]
    """The circuit's open parameters."""
    values: NDArray[np.float64]
    """Shape (points, len(names))."""
    shape: tuple[int, ...]
    """Of the sweep, its points in row-major order: `(1000,)`, or `(20, 30)` for a grid."""

    @property
    def points(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: slice) -> Bindings:
        """Some of the points, as a sweep of one axis."""
        part = self.values[rows]
        return Bindings(self.names, part, (len(part),))


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """A circuit with open parameters and all values it is to be run with."""

    circuit: QuantumCircuit
    bindings: Bindings


def bind(circuits: Sequence[QuantumCircuit], parameters: Mapping[Any, Any], limits: Limits) -> list[Any]:
    """Gives every circuit the values of the parameters it has.

    Numbers are put in place. Arrays are broadcast as NumPy does: equal lengths go together, shapes (n, 1) and
    (1, m) make a grid.

    Returns:
        For each circuit the circuit itself, as it was when it had no parameter, or a `Sweep`.

    Raises:
        CircuitError: a name that no circuit has, a parameter left open, a value that is not finite and real, or
            arrays that do not go together.
    """
    known = {p.name: p for circuit in circuits for p in circuit.parameters}
    values = named_values({_vector(key, known): value for key, value in parameters.items()})
    _check_names(values, known)
    return [_bound(circuit, values, limits) for circuit in circuits]


def check_sweep(sweep: Sweep, limits: Limits) -> Sweep:
    """The sweep itself, once its values fit its circuit.

    Raises:
        CircuitError: they do not.
    """
    import numpy as np

    own, bindings = sorted(p.name for p in sweep.circuit.parameters), sweep.bindings
    values = np.asarray(bindings.values, dtype=np.float64)
    fits = values.shape == (prod(bindings.shape), len(bindings.names)) and sorted(bindings.names) == own
    if not fits or not np.all(np.isfinite(values)):
        raise CircuitError("The values of the sweep do not fit its circuit.", "Give a finite row for each point.")
    _check_points(values.shape[:1], limits)
    return sweep


def _bound(circuit: QuantumCircuit, values: Mapping[str, Value], limits: Limits) -> QuantumCircuit | Sweep:
    own = list(circuit.parameters)
    if not own:
        return circuit
    if missing := [p.name for p in own if p.name not in values]:
        raise _missing(missing)
    names = {p.name for p in own}
    fixed = {p: float(values[p.name]) for p in own if not values[p.name].shape}
    template = _assigned(circuit, fixed) if fixed else circuit
    # In the order in which they were given: the first one is the axis of a chart.
    swept = {name: array for name, array in values.items() if array.shape and name in names}
    return Sweep(template, _broadcast(swept, limits)) if swept else template


def _broadcast(arrays: Mapping[str, Value], limits: Limits) -> Bindings:
    import numpy as np

    try:
        shape = np.broadcast_shapes(*(a.shape for a in arrays.values()))
    except ValueError as error:
        listed = ", ".join(f"{name} {a.shape}" for name, a in list(arrays.items())[:6])
        raise CircuitError(
            f"The arrays of the sweep do not go together: {listed}.",
            "Give equal lengths, or shapes (n, 1) and (1, m) for a grid: a[:, None] and b[None, :].",
            cause=error,
        ) from error
    _check_points(shape, limits)
    columns = [np.broadcast_to(a, shape).ravel() for a in arrays.values()]
    return Bindings(tuple(arrays), np.stack(columns, axis=1), shape)


def _check_points(shape: Sequence[int], limits: Limits) -> None:
    points = prod(shape)
    if not points:
        raise CircuitError("The sweep has no point: an array is empty.", "Give at least one value.")
    if points > limits.points:
        raise CircuitError(f"The sweep has {points:,} points.", f"One job takes at most {limits.points:,}.")


def _assigned(circuit: QuantumCircuit, values: Mapping[Any, float]) -> QuantumCircuit:
    try:
        bound: QuantumCircuit = circuit.assign_parameters(values, inplace=False)
    except Exception as error:
        raise CircuitError(
            "The values do not fit the circuit's parameters: an angle is not a finite real number with them.",
            f"Check the formulas of the gates for {', '.join(f'{p.name}={v}' for p, v in list(values.items())[:4])}.",
            cause=error,
        ) from error
    return bound


def _missing(names: Sequence[str]) -> CircuitError:
    shown = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    example = ", ".join(f'"{name}": 0.5' for name in names[:2])
    return CircuitError(
        f"The circuit has parameters without a value: {shown}.",
        f"Give them with --parameter {names[0]}=0.5 (in Python: parameters={{{example}}}).",
    )


def _vector(key: Any, known: Mapping[str, Any]) -> Any:
    """The parameter vector whose name is given; the key itself when it names none."""
    if not isinstance(key, str) or key in known:
        return key
    vectors = (getattr(parameter, "vector", None) for parameter in known.values())
    return next((vector for vector in vectors if vector is not None and vector.name == key), key)


def _check_names(values: Mapping[str, Value], known: Mapping[str, Any]) -> None:
    unknown = sorted(values.keys() - known)
    if not unknown:
        return
    listed = ", ".join(sorted(known)[:20]) if known else "none"
    raise CircuitError(f"The circuit has no parameter {', '.join(unknown[:8])}.", f"Its parameters are: {listed}.")
