"""How much a machine executes of a circuit at most: what vendors count who charge by the gate."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

MOST_LOOKED_AT = 2_000_000
"""Instructions and definitions visited; beyond, nobody waits for a count and the circuit is not countable."""
LARGEST = 2**53 - 1
"""The largest count that every reader of JSON keeps exactly; nobody pays for more."""
_NOTHING = frozenset({"Barrier", "Delay", "BreakLoopOp", "ContinueLoopOp", "Store", "GlobalPhaseGate"})
_MEASURED = frozenset({"Measure", "Reset"})
_ENTANGLING = {"swap": 3, "iswap": 2, "dcx": 2, "xx_plus_yy": 2, "xx_minus_yy": 2}
"""Two-qubit gates that take several of any machine's own; every controlled rotation takes one ZZ of some angle."""
_BY_MATRIX = frozenset({"UnitaryGate", "Isometry", "DiagonalGate", "UCGate", "HamiltonianGate"})
_BY_MATRIX |= frozenset({"UCRXGate", "UCRYGate", "UCRZGate", "MCGupDiag"})
_BY_STATE = frozenset({"Initialize", "StatePreparation"})


@dataclass(slots=True)
class Executed:
    """Counts of operations; blocks of loops as often as they repeat, every branch of an `if`."""

    one_qubit: int = 0
    wide: Counter[int] = field(default_factory=Counter)
    """Number of qubits, 2 or more → gates."""
    measurements: int = 0
    """And resets."""
    countable: bool = True
    """False where a `while` or too deep a nesting leaves the counts without a bound."""

    def add(self, other: Executed, times: int = 1) -> None:
        """Adds what is executed `times` times."""
        self.one_qubit += times * other.one_qubit
        self.measurements += times * other.measurements
        self.countable = self.countable and (other.countable or times == 0)
        for qubits, count in other.wide.items():
            self.wide[qubits] += times * count


def executed(circuit: QuantumCircuit) -> Executed:
    """What is executed of a circuit at most, in one execution.

    The user's own gates and subroutines count by their definitions. Gates with many controls and the standard gates on
    three or more qubits count as one gate of their width: vendors have a price for them. Of a gate that is given by a
    matrix or a state counts what textbook syntheses need: (23/48) 4ⁿ CNOTs for n qubits (Shende, Bullock and Markov,
    arXiv:quant-ph/0406176), for a state 2ⁿ⁺¹.
    """
    found = _Counting().circuit(circuit)
    if max(found.one_qubit, found.measurements, *found.wide.values(), 0) > LARGEST:
        return Executed(countable=False)
    return found


class _Counting:
    """One count: what was found of a definition is kept, and there is an end to looking."""

    def __init__(self) -> None:
        self._left = MOST_LOOKED_AT
        self._known: dict[int, tuple[Any, Executed]] = {}

    def circuit(self, circuit: QuantumCircuit) -> Executed:
        found = Executed()
        for instruction in circuit.data:
            self._left -= 1
            if self._left < 0:
                found.countable = False
                break
            if not instruction.is_standard_gate():
                self._other(instruction, found)
            elif (qubits := len(instruction.qubits)) == 1:
                found.one_qubit += 1
            elif qubits:
                found.wide[qubits] += _ENTANGLING.get(instruction.name, 1)
        return found

    def _other(self, instruction: Any, found: Executed) -> None:
        # By their classes: a gate of the user's own may have any name.
        operation = instruction.operation
        kind = getattr(operation, "base_class", type(operation)).__name__
        if kind in _MEASURED:
            found.measurements += len(instruction.qubits)
        elif instruction.is_control_flow() and kind not in _NOTHING:
            self._blocks(operation, found)
        elif kind not in _NOTHING and not instruction.is_directive():
            self._gate(operation, kind, len(instruction.qubits), found)

    def _blocks(self, operation: Any, found: Executed) -> None:
        times = _repetitions(operation)
        for block in operation.blocks:
            found.add(self.circuit(block), 1 if times is None else times)
        found.countable = found.countable and times is not None

    def _gate(self, operation: Any, kind: str, qubits: int, found: Executed) -> None:
        definition = getattr(operation, "definition", None) if kind not in _BY_MATRIX | _BY_STATE else None
        if kind in _BY_MATRIX | _BY_STATE:
            _by_textbook(operation, kind, qubits, found)
        elif _multi_controlled(operation):
            found.wide[qubits] += 1
        elif definition is not None:
            found.add(self._definition(definition))
        elif qubits == 1:
            found.one_qubit += 1
        else:
            # Opaque: on two qubits it may be a gate of the machine itself.
            found.wide[qubits] += 1
            found.countable = found.countable and qubits == 2 and hasattr(operation, "definition")

    def _definition(self, definition: Any) -> Executed:
        known = self._known.get(id(definition))
        if known is None:
            # The definition is kept beside its count: its id stays its own.
            known = self._known[id(definition)] = (definition, self.circuit(definition))
        return known[1]


def _repetitions(operation: Any) -> int | None:
    """How often the blocks run at most; None when nobody can say."""
    if operation.name == "while_loop":
        return None
    if operation.name != "for_loop":
        return 1
    try:
        return len(operation.params[0])
    except (TypeError, OverflowError):
        return None


def _multi_controlled(operation: Any) -> bool:
    """A gate on one qubit under two or more controls."""
    base = getattr(operation, "base_gate", None)
    return base is not None and base.num_qubits == 1 and operation.num_ctrl_qubits >= 2


def _by_textbook(operation: Any, kind: str, qubits: int, found: Executed) -> None:
    if kind in _BY_STATE:
        # A state that is named by a number or by letters is a product of single qubits.
        named = qubits == 1 or len(operation.params) < 2**qubits
        cnots = 0 if named else 2 ** (qubits + 1)
        found.measurements += qubits if kind == "Initialize" else 0
    else:
        cnots = {1: 0, 2: 3}.get(qubits, -(-23 * 4**qubits // 48))
    found.wide[2] += cnots
    # Between two CNOTs a qubit needs one gate at most; the letters of a state take two.
    found.one_qubit += 2 * cnots + qubits * (2 if kind in _BY_STATE else 1)
