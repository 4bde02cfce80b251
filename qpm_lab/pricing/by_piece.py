"""Charged by the piece: nothing, or a fee per circuit and one per shot."""

from __future__ import annotations

from decimal import Decimal

from qpm_lab.experiment import Request
from qpm_lab.pricing.interface import Amount, Rate, Rates

NOTHING = Decimal(0)


class Free(Rates):
    """Nothing is charged."""

    def cost(self, request: Request) -> Amount:
        return Amount((NOTHING, NOTHING, NOTHING), "free")


class TaskAndShot(Rates):
    """Amazon Braket and Scaleway: a fee per task (one circuit is one task, in a sweep one point) and one per shot."""

    per_task: Rate
    per_shot: Rate

    def cost(self, request: Request) -> Amount:
        tasks, shots = request.executions, request.total_shots
        total = tasks * self.per_task + shots * self.per_shot
        text = f"{tasks:,} × {self.per_task} + {shots:,} shots × {self.per_shot}"
        return Amount((total, total, total), text)

    def weight(self, circuits: int, shots: int) -> Decimal:
        return circuits * self.per_task + shots * self.per_shot
