"""Circuits prepared once for each content: as they stand, or with the measurements of one basis appended."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qpm_lab.circuits import Prepared, prepare_template
from qpm_lab.circuits.content import content_key, has_own_gates
from qpm_lab.runner.naming import own_name

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

Basis = tuple[tuple[int, str], ...]
"""Qubit and the Pauli that is measured on it, `X`, `Y` or `Z`, ascending."""

KEPT_CIRCUITS = 64
"""Circuits whose templates are kept."""
_TURNS = {"Z": (0.0, 0.0), "X": (math.pi / 2, math.pi), "Y": (math.pi / 2, math.pi / 2)}
"""θ and λ of u(θ, 0, λ): nothing, H, and S† followed by H."""
MAX_OPERATIONS = 50_000
"""Operations of all kept templates of one circuit."""


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A circuit ready for values."""

    prepared: Prepared
    names: tuple[str, ...]
    """Its open parameters, in Qiskit's order."""

    @classmethod
    def of(cls, circuit: QuantumCircuit) -> Template:
        """The circuit without its metadata, which the ledger may not be able to hold."""
        circuit.metadata = {}
        return cls(prepare_template(circuit), tuple([p.name for p in circuit.parameters]))


class Templates:
    """A bounded store of templates by content, the longest unused dropped first; safe to share between threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, OneCircuit] = OrderedDict()
        self._lock = threading.Lock()

    def of_all(self, circuits: Iterable[QuantumCircuit]) -> dict[int, OneCircuit]:
        """The templates of circuits as they are now, by `id`."""
        return {key: self.of(circuit) for key, circuit in {id(each): each for each in circuits}.items()}

    def of(self, circuit: QuantumCircuit) -> OneCircuit:
        """The templates of a circuit as it is now."""
        content = content_key(circuit, definitions=True)
        if content is None:
            return OneCircuit(circuit)
        key = (own_name(circuit.name), content)
        with self._lock:
            found = self._kept.pop(key, None) or OneCircuit(_private(circuit))
            self._kept[key] = found
            if len(self._kept) > KEPT_CIRCUITS:
                self._kept.popitem(last=False)
            return found

    def __len__(self) -> int:
        return len(self._kept)


class OneCircuit:
    """The templates of one circuit, which nobody changes meanwhile."""

    def __init__(self, circuit: QuantumCircuit) -> None:
        self._circuit = circuit
        self._most = 1 + MAX_OPERATIONS // (len(circuit.data) + 1)
        self._own: dict[Hashable, Template] = {}

    def __getitem__(self, basis: Basis | None) -> Template:
        """Measured in that basis; None: as it stands."""
        if basis is None:
            return self._kept(None, lambda: Template.of(self._circuit.copy()))
        return self._kept(basis, lambda: Template.of(measured_in(self._circuit, basis)))

    def turned(self, qubits: tuple[int, ...]) -> Template:
        """Measured on these qubits in a basis that is a value like any other: see `turns`."""
        return self._kept(("turned", qubits), lambda: turned(self._circuit, qubits))

    def _kept(self, key: Hashable, make: Callable[[], Template]) -> Template:
        template = self._own.get(key)
        if template is None:
            if len(self._own) >= self._most:
                self._own = {}
            template = self._own[key] = make()
        return template


def _private(circuit: QuantumCircuit) -> QuantumCircuit:
    """A copy that shares nothing: the definitions of the user's own gates may change."""
    return deepcopy(circuit) if has_own_gates(circuit) else circuit.copy()


def measured_in(circuit: QuantumCircuit, basis: Basis) -> QuantumCircuit:
    """The circuit followed by the change of basis and measurements into a register of their own, the last one.

    X is measured after H, Y after S† and H.
    """
    copy: QuantumCircuit = circuit.copy()
    for qubit, pauli in basis:
        if pauli == "Y":
            copy.sdg(qubit)
        if pauli != "Z":
            copy.h(qubit)
    return _measured(copy, [qubit for qubit, _ in basis])


def turned(circuit: QuantumCircuit, qubits: Sequence[int]) -> Template:
    """The circuit followed by a turn and a measurement of each qubit, into a register of their own, the last one.

    The turn is u(θ, 0, λ) with two parameters of its own, so that all bases are points of one sweep. For an ideal
    simulator only: on a machine a turn that does nothing still costs fidelity.
    """
    from qiskit.circuit import Parameter

    own = [p.name for p in circuit.parameters]
    mark = "basis"
    while any(name.startswith(mark) for name in own):
        mark += "_"
    copy: QuantumCircuit = circuit.copy()
    for qubit in qubits:
        copy.u(Parameter(f"{mark}[{qubit}].theta"), 0, Parameter(f"{mark}[{qubit}].lambda"), qubit)
    extra = [f"{mark}[{qubit}].{angle}" for qubit in qubits for angle in ("theta", "lambda")]
    measured = _measured(copy, qubits)
    measured.metadata = {}
    return Template(prepare_template(measured), (*own, *extra))


def turns(qubits: Sequence[int], basis: Basis) -> list[float]:
    """The values with which a `turned` circuit is measured in a basis; a qubit it does not name is measured in Z."""
    own = dict(basis)
    return [angle for qubit in qubits for angle in _TURNS[own.get(qubit, "Z")]]


def _measured(copy: QuantumCircuit, qubits: Sequence[int]) -> QuantumCircuit:
    from qiskit import ClassicalRegister

    taken = {register.name for register in (*copy.qregs, *copy.cregs)}
    name = next(n for n in ("meas", *(f"meas{k}" for k in range(len(taken) + 1))) if n not in taken)
    register = ClassicalRegister(len(qubits), name)
    copy.add_register(register)
    copy.measure(qubits, register)
    return copy
