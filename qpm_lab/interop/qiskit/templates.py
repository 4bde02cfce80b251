"""Circuits prepared once for each content: as they stand, or with the measurements of one basis appended."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterable
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qpm_lab.circuits import Prepared, prepare_template
from qpm_lab.interop.qiskit.content import content_key, has_own_gates

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

Basis = tuple[tuple[int, str], ...]
"""Qubit and the Pauli that is measured on it, `X`, `Y` or `Z`, ascending."""

KEPT_CIRCUITS = 64
"""Circuits whose templates are kept."""
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
        key = content_key(circuit)
        if key is None:
            return OneCircuit(circuit)
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
        self._own: dict[Basis | None, Template] = {}

    def __getitem__(self, basis: Basis | None) -> Template:
        """Measured in that basis; None: as it stands."""
        template = self._own.get(basis)
        if template is None:
            if len(self._own) >= self._most:
                self._own = {}
            circuit = self._circuit.copy() if basis is None else measured_in(self._circuit, basis)
            template = self._own[basis] = Template.of(circuit)
        return template


def _private(circuit: QuantumCircuit) -> QuantumCircuit:
    """A copy that shares nothing: the definitions of the user's own gates may change."""
    return deepcopy(circuit) if has_own_gates(circuit) else circuit.copy()


def measured_in(circuit: QuantumCircuit, basis: Basis) -> QuantumCircuit:
    """The circuit followed by the change of basis and measurements into a register of their own, the last one.

    X is measured after H, Y after S† and H.
    """
    from qiskit import ClassicalRegister

    copy: QuantumCircuit = circuit.copy()
    taken = {register.name for register in (*copy.qregs, *copy.cregs)}
    name = next(n for n in ("meas", *(f"meas{k}" for k in range(len(taken) + 1))) if n not in taken)
    register = ClassicalRegister(len(basis), name)
    copy.add_register(register)
    for qubit, pauli in basis:
        if pauli == "Y":
            copy.sdg(qubit)
        if pauli != "Z":
            copy.h(qubit)
    copy.measure([qubit for qubit, _ in basis], register)
    return copy
