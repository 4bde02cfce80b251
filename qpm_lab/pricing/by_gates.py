"""Charged by the gate: IonQ's gate-shots, Quantinuum's credits."""

from __future__ import annotations

from decimal import Decimal

from pydantic import model_validator

from qpm_lab.experiment import Request
from qpm_lab.pricing.interface import UNCOUNTABLE, Amount, Ends, Part, Rate, Rates, countable, parts
from qpm_lab.pricing.usage import Usage


class GateShots(Rates):
    """IonQ: shots × (one-qubit gates × p₁ + two-qubit gates × p₂), with a minimum per execution.

    The page writes the minimum as a summand and calls it a minimum. Low and expected take the larger of both, high
    their sum. Low takes the minimum without error mitigation. High also allows for what translation may add: three
    rotations for a gate on one qubit, four gates on one qubit around each two-qubit gate of a wider gate.
    """

    one_qubit: Rate
    two_qubit: Rate
    minimum: Rate
    """Per execution."""
    minimum_unmitigated: Rate
    """The same with error mitigation off."""

    @model_validator(mode="after")
    def _in_order(self) -> GateShots:
        if self.minimum_unmitigated > self.minimum:
            raise ValueError("the minimum without mitigation is above the one with it")
        return self

    def cost(self, request: Request) -> Amount:
        if not countable(request):
            return Amount(None, UNCOUNTABLE)
        low = expected = high = Decimal(0)
        for part in parts(request):
            gates = self._gates(part, part.one_qubit, part.two_qubit)
            low += max(part.executions * self.minimum_unmitigated, gates)
            expected += max(part.executions * self.minimum, gates)
            high += part.executions * self.minimum + self._most(part)
        text = f"{_gate_shots(request)}, at least {self.minimum} per execution; high: added to it"
        return Amount((low, expected, high), text)

    def _most(self, part: Part) -> Decimal:
        taken_apart = part.two_qubit_most - part.facts.wide_gates.get(2, 0) if part.facts.wide_gates else 0
        return self._gates(part, 3 * part.one_qubit + 4 * taken_apart, part.two_qubit_most)

    def _gates(self, part: Part, one: int, two: int) -> Decimal:
        return part.shots * (one * self.one_qubit + two * self.two_qubit)


class Hqc(Rates):
    """Quantinuum: 5 + C (N₁ + 10 N₂ + 5 Nₘ) / 5000 credits for a circuit with C shots.

    N₁ and N₂ are gates of the machine, Nₘ preparations, measurements and resets. The published formula leaves open
    whether a virtual Rz counts, and translation turns each gate on one qubit into a rotation and an Rz, and a CNOT
    into one ZZ with three such pairs. Low counts no gate on one qubit, expected those that are written, high two for
    each and six for each two-qubit gate.
    """

    per_hqc: Rate | None
    """Money for one credit; null where it is not known: then only credits are told."""
    unit: str = "HQC"

    def cost(self, request: Request) -> Amount:
        if not countable(request):
            return Amount(None, UNCOUNTABLE)
        ends: Ends = (Decimal(0), Decimal(0), Decimal(0))
        for part in parts(request):
            low, expected, high = ends
            one, two = part.one_qubit, part.two_qubit
            most = part.two_qubit_most
            ends = (
                low + _credits(part, 0, two),
                expected + _credits(part, one, two),
                high + _credits(part, 2 * one + 6 * most, most),
            )
        text = f"{ends[0].normalize():f} to {ends[2].normalize():f} {self.unit}"
        if self.per_hqc is None:
            return Amount(None, text, native=(self.unit, ends))
        low, expected, high = (end * self.per_hqc for end in ends)
        return Amount((low, expected, high), f"{text} × {self.per_hqc}", native=(self.unit, ends))

    def metered(self, usage: Usage) -> Decimal | None:
        return None if usage.hqc is None or self.per_hqc is None else usage.hqc * self.per_hqc


def _credits(part: Part, one: int, two: int) -> Decimal:
    # Every qubit is prepared once, whether the circuit says so or not.
    spam = part.facts.measurements + part.facts.qubits
    return 5 * part.executions + Decimal(part.shots * (one + 10 * two + 5 * spam)) / 5000


def _gate_shots(request: Request) -> str:
    found = list(parts(request))
    ones = sum(part.shots * part.one_qubit for part in found)
    twos = sum(part.shots * part.two_qubit for part in found)
    return f"{ones:,} one-qubit and {twos:,} two-qubit gate-shots"
