"""What a template's gates come down to: the steps that simulate it.

Gates without a matrix of their own are taken apart; gates that no measurement can see are left out; gates
on one qubit are gathered into one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from qpm_lab.providers.outcomes import Gates
from qpm_lab.providers.vectorised.gates import Constant, Full, Gate, Swept, by_matrix, gate_of
from qpm_lab.providers.vectorised.matrices import product

MAX_GATES = 100_000
Placed: TypeAlias = tuple[Gate, tuple[int, ...]]
"""A gate and the qubits it acts on, the lowest bit of its matrix first."""


@dataclass(frozen=True, slots=True)
class Step:
    """Work done on the states at once."""

    qubits: tuple[int, ...]
    gates: Full | tuple[Constant | Swept, ...]
    """One full matrix, or gates in order; more than one on a single qubit only."""


class NoMatrix(Exception):
    """An instruction without a matrix: its name, and why that is so."""


def placed(gates: Gates, columns: Mapping[str, int]) -> list[Placed]:
    """The gates with their matrices, definitions written out.

    Args:
        gates: Operations, their parameters open or bound, and their qubits.
        columns: Name of a parameter → column of the values.

    Raises:
        NoMatrix: an instruction is no unitary that is known, or there are too many.
        CircuitError: a constant angle is not a finite real number.
    """
    return list(_Flattening(columns).gates(gates))


class _Flattening:
    """Takes gates apart until each has a matrix."""

    def __init__(self, columns: Mapping[str, int]) -> None:
        self._columns = columns
        self._touched: set[int] = set()
        self._visited = 0

    def gates(self, gates: Gates) -> Iterator[Placed]:
        for operation, qubits in gates:
            self._visited += 1
            if self._visited > MAX_GATES:
                raise NoMatrix(operation.name, f"it has more than {MAX_GATES:,} gates when written out")
            if operation.name not in ("barrier", "delay") and not self._resets_fresh(operation, qubits):
                yield from self._one(operation, qubits)
                self._touched.update(qubits)

    def _one(self, operation: Any, qubits: tuple[int, ...]) -> Iterator[Placed]:
        gate = gate_of(operation, self._columns)
        parts = None if gate else _parts(operation, qubits)
        if parts is not None:
            yield from self.gates(parts)
        elif gate := gate or by_matrix(operation, self._columns):
            yield gate, qubits
        else:
            raise NoMatrix(operation.name, f"{operation.name} has neither a matrix nor a definition")

    def _resets_fresh(self, operation: Any, qubits: tuple[int, ...]) -> bool:
        return operation.name == "reset" and self._touched.isdisjoint(qubits)


def _parts(operation: Any, qubits: tuple[int, ...]) -> Gates | None:
    """An operation's definition on the circuit's own qubits; None when it has none."""
    from qiskit.circuit.exceptions import CircuitError as QiskitError

    try:
        definition = getattr(operation, "definition", None)
    except QiskitError:  # rv, for one, has none as long as its parameters are open
        return None
    if definition is None:
        return None
    place = dict(zip(definition.qubits, qubits, strict=True))
    return tuple([(each.operation, tuple([place[bit] for bit in each.qubits])) for each in definition.data])


def visible(gates: Sequence[Placed], order: Sequence[int]) -> tuple[list[Placed], list[Gate]]:
    """The gates that the measured distribution depends on, and the others.

    No measurement sees phases at the end, nor what happens outside of its light cone.
    """
    kept: list[Placed] = []
    unseen: list[Gate] = []
    mixed: set[int] = set()
    live = set(order)
    for gate, qubits in reversed(gates):
        if live.isdisjoint(qubits) or (gate.diagonal and mixed.isdisjoint(qubits)):
            unseen.append(gate)
            continue
        kept.append((gate, qubits))
        live.update(qubits)
        if not gate.diagonal:
            mixed.update(qubits)
    return kept[::-1], unseen


def steps(gates: Iterable[Placed]) -> Iterator[Step]:
    """Gathers the gates on a single qubit until a wider gate needs it."""
    waiting: dict[int, list[Constant | Swept]] = {}
    for gate, qubits in gates:
        if len(qubits) == 1 and not isinstance(gate, Full):
            _gather(waiting.setdefault(qubits[0], []), gate)
            continue
        for qubit in qubits:
            if qubit in waiting:
                yield Step((qubit,), tuple(waiting.pop(qubit)))
        yield Step(qubits, gate if isinstance(gate, Full) else (gate,))
    for qubit, gathered in waiting.items():
        yield Step((qubit,), tuple(gathered))


def _gather(waiting: list[Constant | Swept], gate: Constant | Swept) -> None:
    last = waiting[-1] if waiting else None
    if isinstance(gate, Constant) and isinstance(last, Constant):
        waiting[-1] = Constant(product(gate.rows, last.rows, 2))
    else:
        waiting.append(gate)
