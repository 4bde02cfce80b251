"""How vendors charge: one class per formula, its fields the rates of a catalogue row.

Sums are exact (`Decimal`); they become nano-units, rounded up, in quoting.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Protocol

from pydantic import BaseModel, ConfigDict, Field

from qpm_lab.experiment import Request

Rate = Annotated[Decimal, Field(ge=0, max_digits=24, decimal_places=12, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class Amount:
    """A cost in units of the row's currency, with the QPU time it stands for."""

    low: Decimal
    expected: Decimal
    high: Decimal
    text: str
    """The formula with the figures of this job, for the user."""
    qpu_seconds: Decimal = Decimal(0)
    """Upper estimate; 0 where the vendor does not bill by time."""


class Formula(Protocol):
    """What a catalogue row's `formula` names."""

    def cost(self, request: Request) -> Amount:
        """The cost of a whole job, all its circuits included."""


class _Rates(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Free(_Rates):
    """Nothing is charged."""

    def cost(self, request: Request) -> Amount:
        return Amount(Decimal(0), Decimal(0), Decimal(0), "free")


class TaskAndShot(_Rates):
    """Amazon Braket: a fee per task (one circuit is one task, in a sweep one point) and one per shot."""

    per_task: Rate
    per_shot: Rate

    def cost(self, request: Request) -> Amount:
        tasks, shots = request.executions, request.total_shots
        total = tasks * self.per_task + shots * self.per_shot
        text = f"{tasks:,} × {self.per_task} + {shots:,} shots × {self.per_shot}"
        return Amount(total, total, total, text)


class QpuSeconds(_Rates):
    """IBM: QPU time, 2 s per sub-job and (repetition delay + circuit length) per execution.

    How circuits are packed into sub-jobs is not known before: low and expected take one for the job,
    high one per circuit or point. A circuit's length lies between the documented figures; high also allows for
    every layer of a deep circuit. Error mitigation adds executions that are not modelled.
    """

    per_second: Rate
    seconds_per_subjob: Rate
    repetition_delay_seconds: Rate
    circuit_seconds_low: Rate
    circuit_seconds_high: Rate
    seconds_per_layer_high: Rate

    def cost(self, request: Request) -> Amount:
        low, high = self.circuit_seconds_low, self.circuit_seconds_high
        depth = max(circuit.depth for circuit in request.all_facts)
        longest = max(high, depth * self.seconds_per_layer_high)
        least = self._seconds(request, 1, low)
        likely = self._seconds(request, 1, (low + high) / 2)
        most = self._seconds(request, request.executions, longest)
        rate = self.per_second
        text = f"at most {most.normalize():f} QPU s × {rate} per s"
        return Amount(least * rate, likely * rate, most * rate, text, most)

    def _seconds(self, request: Request, subjobs: int, circuit_seconds: Decimal) -> Decimal:
        each = self.repetition_delay_seconds + circuit_seconds
        return subjobs * self.seconds_per_subjob + request.total_shots * each


FORMULAS: Mapping[str, type[Free] | type[TaskAndShot] | type[QpuSeconds]] = {
    "free": Free,
    "task-and-shot": TaskAndShot,
    "qpu-seconds": QpuSeconds,
}
"""Catalogue name → formula. A new way of charging is a class and a line here."""
