"""Charged by time: what the machine is kept for. The estimates of time are in the catalogue, beside the price."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from qpm_lab.experiment import NANO, Request
from qpm_lab.pricing.interface import UNCOUNTABLE, Amount, Ends, Part, Rate, Rates, countable, parts
from qpm_lab.pricing.usage import Usage


class QpuSeconds(Rates):
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
        if not countable(request):
            return Amount(None, UNCOUNTABLE)
        low, high = self.circuit_seconds_low, self.circuit_seconds_high
        layers = max((part.layers for part in parts(request)), default=0)
        least = self._seconds(request, 1, low)
        likely = self._seconds(request, 1, (low + high) / 2)
        most = self._seconds(request, request.executions, max(high, layers * self.seconds_per_layer_high))
        rate = self.per_second
        text = f"at most {most.normalize():f} QPU s × {rate} per s"
        return Amount((least * rate, likely * rate, most * rate), text, most)

    def metered(self, usage: Usage) -> Decimal | None:
        return None if usage.qpu_nanoseconds is None else seconds(usage.qpu_nanoseconds) * self.per_second

    def _seconds(self, request: Request, subjobs: int, circuit_seconds: Decimal) -> Decimal:
        each = self.repetition_delay_seconds + circuit_seconds
        return subjobs * self.seconds_per_subjob + request.total_shots * each


class Estimate(BaseModel):
    """A time that nobody states: what we take it to be at least, about, and at most."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    low: Rate
    expected: Rate
    high: Rate

    @model_validator(mode="after")
    def _in_order(self) -> Estimate:
        if not self.low <= self.expected <= self.high:
            raise ValueError("low ≤ expected ≤ high does not hold")
        return self

    @property
    def ends(self) -> Ends:
        return self.low, self.expected, self.high


class Timed(Rates):
    """A price for a stretch of execution time: the start of each execution, and its shots, are estimated."""

    price: Rate
    """For each `seconds` of execution."""
    seconds: Rate = Field(gt=0)
    whole: bool = False
    """True when every begun stretch is charged in full."""
    start_seconds: Estimate
    """Of each execution."""
    shot_seconds: Estimate
    seconds_per_layer_high: Rate = Decimal(0)
    """Added to the high end of a shot for each layer of the circuit."""

    def cost(self, request: Request) -> Amount:
        if not countable(request):
            return Amount(None, UNCOUNTABLE)
        money, longest = [], Decimal(0)
        for end in range(3):
            times = [self._time(part, end) for part in parts(request)]
            money.append(sum((self._money(each) for each in times), Decimal(0)))
            longest = sum(times, Decimal(0))
        text = f"at most {longest.normalize():f} s × {self.price} per {self.seconds} s"
        qpu = longest if request.backend.kind == "qpu" else Decimal(0)
        return Amount((money[0], money[1], money[2]), text, qpu)

    def metered(self, usage: Usage) -> Decimal | None:
        return None if usage.qpu_nanoseconds is None else self._money(seconds(usage.qpu_nanoseconds))

    def _time(self, part: Part, end: int) -> Decimal:
        shot = self.shot_seconds.ends[end] + (part.layers * self.seconds_per_layer_high if end == 2 else 0)
        return part.executions * self.start_seconds.ends[end] + part.shots * shot

    def _money(self, time: Decimal) -> Decimal:
        if not self.whole:
            return time * self.price / self.seconds
        return (time / self.seconds).to_integral_value(ROUND_CEILING) * self.price


class SimulatorTime(Rates):
    """A simulator in the cloud: time per task with a minimum, and an end that the service sets.

    A state of n qubits has 2ⁿ amplitudes (a density matrix 4ⁿ), each changed by every gate. How many changes a second
    are made is an estimate; without one (a tensor network) expected is the start alone and high the end.
    """

    per_minute: Rate
    minimum_seconds: Rate
    longest_seconds: Rate
    start_seconds_expected: Rate
    start_seconds_high: Rate
    bits_per_qubit: int = Field(ge=0, le=2)
    """1 for a state, 2 for a density matrix, 0 where time does not follow from the number of qubits."""
    changes_per_second_expected: Rate = Field(gt=0)
    changes_per_second_high: Rate = Field(gt=0)
    """For the high end: the slower of the two."""

    @model_validator(mode="after")
    def _in_order(self) -> SimulatorTime:
        slower = self.changes_per_second_high <= self.changes_per_second_expected
        if not slower or self.start_seconds_expected > self.start_seconds_high:
            raise ValueError("the figures of the high end make it shorter than expected")
        if self.minimum_seconds > self.longest_seconds:
            raise ValueError("the minimum is longer than the longest time")
        return self

    def cost(self, request: Request) -> Amount:
        low = expected = high = Decimal(0)
        for part in parts(request):
            tasks = part.executions
            low += tasks * self.minimum_seconds
            expected += tasks * self._time(part, self.start_seconds_expected, self.changes_per_second_expected)
            known = self.bits_per_qubit and part.facts.countable
            slow = self._time(part, self.start_seconds_high, self.changes_per_second_high)
            high += tasks * (slow if known else self.longest_seconds)
        money = (low * self.per_minute / 60, expected * self.per_minute / 60, high * self.per_minute / 60)
        return Amount(money, f"at most {high.normalize():f} s × {self.per_minute} per minute")

    def _time(self, part: Part, start: Decimal, changes_per_second: Decimal) -> Decimal:
        gates = part.one_qubit + part.two_qubit
        changes = gates * 2 ** min(self.bits_per_qubit * part.facts.qubits, 200) if self.bits_per_qubit else 0
        time = start + Decimal(changes) / changes_per_second
        return min(max(time, self.minimum_seconds), self.longest_seconds)


def seconds(nanoseconds: int) -> Decimal:
    """Exact seconds of integer nanoseconds."""
    return Decimal(nanoseconds) / NANO
