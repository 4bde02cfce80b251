"""Whether a result meets the conditions set for it: an interval decides, never a single number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qpm_lab import fidelity
from qpm_lab.counts import CountsTable
from qpm_lab.errors import ValidationError
from qpm_lab.experiment import Estimate
from qpm_lab.runner.conditions import Condition

LEVEL = 0.95
NO_HELLINGER = "there is no Hellinger fidelity of this result"
NO_INTERVAL = "there is no interval"

Histograms = Sequence[Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One condition and what decided it: of several circuits or points that which comes closest to failing."""

    condition: Condition
    passed: bool
    value: float | None
    low: float | None
    high: float | None
    reason: str | None = None
    """Why it failed, where the interval alone does not tell."""
    estimand: str | None = None
    """What the interval is of: a fidelity by proxies counts preparation and readout, one by mirror circuits not."""

    def to_dict(self) -> dict[str, Any]:
        return {
            "text": self.condition.text,
            "passed": self.passed,
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "threshold": self.condition.threshold,
            "reason": self.reason,
            "estimand": self.estimand,
        }


@dataclass(frozen=True, slots=True)
class Validation:
    """The verdict on a result."""

    verdicts: tuple[Verdict, ...]

    @property
    def passed(self) -> bool:
        """True when every condition is met."""
        return all(verdict.passed for verdict in self.verdicts)

    def to_dict(self) -> dict[str, Any]:
        return {"passed": self.passed, "conditions": [verdict.to_dict() for verdict in self.verdicts]}


@dataclass(frozen=True, slots=True)
class _Interval:
    value: float | None
    low: float | None
    high: float | None
    reason: str | None
    estimand: str | None = None


def judge(conditions: Sequence[Condition], counts: Histograms, estimates: Sequence[Estimate], shots: int) -> Validation:
    """Holds a result against its conditions.

    `>=` and `>` pass only if the lower end of the interval does, `<=` and `<` only if the upper end does; a value
    that is refused may still pass by its interval. Every circuit, or every point of a sweep, has to meet each of
    them. Intervals of `p(BITS)` are exact (Clopper–Pearson) and hold together with probability 0.95 at least
    (Bonferroni over the outcomes named and the histograms).

    Args:
        conditions: At least one.
        counts: One histogram per circuit or point.
        estimates: The fidelity of each circuit.
        shots: Of each histogram.
    """
    outcomes = {condition.bits for condition in conditions if condition.measure == "p"}
    alpha = (1 - LEVEL) / max(1, len(outcomes) * len(counts))
    return Validation(
        tuple(
            _of_outcome(condition, counts, shots, alpha)
            if condition.measure == "p"
            else _of_estimates(condition, [_interval(condition, estimate) for estimate in estimates])
            for condition in conditions
        )
    )


def failure(told: Mapping[str, Any], next_step: str) -> ValidationError:
    """The error that ends whatever relied on a result.

    Args:
        told: A failed validation, as `Validation.to_dict` gives it.
        next_step: What to do about it.
    """
    missed = [_missed(each) for each in told["conditions"] if not each["passed"]]
    return ValidationError(f"The job completed, but its result does not meet {'; nor '.join(missed)}.", next_step)


def _missed(told: Mapping[str, Any]) -> str:
    if told["low"] is None or told["reason"]:
        return f"{told['text']}: {str(told['reason']).rstrip('.')}"
    return f"{told['text']}: its interval is {told['low']:.4f} – {told['high']:.4f}"


def _interval(condition: Condition, estimate: Estimate) -> _Interval:
    found: Estimate | None = estimate
    if condition.measure == "hellinger":
        found = getattr(estimate, "hellinger", None)
    if found is None:
        return _Interval(None, None, None, estimate.reason or NO_HELLINGER)
    return _Interval(found.value, found.low, found.high, found.reason, found.estimand)


def _of_estimates(condition: Condition, intervals: Sequence[_Interval]) -> Verdict:
    for place, each in enumerate(intervals):
        if each.low is None or each.high is None:
            reason = _where("result", place, intervals) + (each.reason or NO_INTERVAL)
            return Verdict(condition, False, each.value, each.low, each.high, reason, each.estimand)
    place = _worst(condition, [each.low if condition.bounds_below else each.high for each in intervals])
    return _decided(condition, intervals[place], _where("result", place, intervals))


def _of_outcome(condition: Condition, counts: Histograms, shots: int, alpha: float) -> Verdict:
    found = _successes(condition.bits, counts)
    place = _worst(condition, found)
    low, high = fidelity.clopper_pearson(found[place], shots, alpha)
    interval = _Interval(found[place] / shots, low, high, None)
    return _decided(condition, interval, _where("result.histograms", place, found))


def _worst(condition: Condition, ends: Sequence[Any]) -> int:
    """The place of what comes closest to failing."""
    extreme = min if condition.bounds_below else max
    return extreme(range(len(ends)), key=ends.__getitem__)


def _decided(condition: Condition, interval: _Interval, where: str) -> Verdict:
    low, high = interval.low, interval.high
    assert low is not None
    assert high is not None
    passed = condition.met_by(low, high)
    reason = None
    if where and not passed:
        side, end = ("lower", low) if condition.bounds_below else ("upper", high)
        reason = f"{where}the {side} end of its interval is {end:.4f}"
    return Verdict(condition, passed, interval.value, low, high, reason, interval.estimand)


def _where(what: str, place: int, among: Sequence[Any]) -> str:
    return f"{what}[{place}]: " if len(among) > 1 else ""


def _successes(bits: str, counts: Histograms) -> Sequence[int]:
    """How often an outcome occurred in each histogram, however its registers are spaced."""
    if isinstance(counts, CountsTable):
        columns = [counts.column(name).tolist() for name in counts.names if name.replace(" ", "") == bits]
        return columns[0] if columns else [0] * len(counts)
    return [sum(n for key, n in each.items() if key.replace(" ", "") == bits) for each in counts]
