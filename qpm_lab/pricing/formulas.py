"""The ways of charging, by the name a catalogue row gives them. A new way is a class and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from qpm_lab.pricing.by_gates import GateShots, Hqc
from qpm_lab.pricing.by_piece import Free, TaskAndShot
from qpm_lab.pricing.by_time import QpuSeconds, SimulatorTime, Timed

AnyFormula = Free | TaskAndShot | QpuSeconds | Timed | SimulatorTime | GateShots | Hqc

FORMULAS: Mapping[str, type[AnyFormula]] = {
    "free": Free,
    "task-and-shot": TaskAndShot,
    "qpu-seconds": QpuSeconds,
    "timed": Timed,
    "simulator-time": SimulatorTime,
    "gate-shots": GateShots,
    "hqc": Hqc,
}
