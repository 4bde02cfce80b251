"""Has a backend become worse than it was? A circuit of known outcome, the canary, run again and again."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from numbers import Integral, Real
from typing import Any

from qpm_lab.errors import InputError
from qpm_lab.experiment import Estimate
from qpm_lab.fidelity.arguments import as_list, as_number, is_whole, shown
from qpm_lab.fidelity.histogram import MAX_SHOTS
from qpm_lab.fidelity.intervals import clopper_pearson

FEWEST_CANARIES = 5
"""Fewer do not show how much a healthy backend scatters."""
STEPS = (1, 2, 4)
"""How far below the floor, in tolerances, the alternatives lie whose likelihood ratios are averaged."""
SCATTER = 0.5
"""Standard deviation from canary to canary, in tolerances, that counts as normal."""
USUAL = 20
"""Degrees of freedom of usual scatter that are counted in with a baseline's own, of which few canaries tell little."""
MISS = 0.05
"""Probability that the rate worked out from baseline canaries is above the true one."""
LEVEL = 0.95
LARGEST_LOG = 700.0
"""Evidence beyond e^700 is shown as e^700, which a float still holds."""


@dataclass(frozen=True, slots=True)
class DriftState:
    """What a detector knows after a canary."""

    alarm: bool
    """True from the canary that raised it on: it stands until a detector is made anew."""
    alarmed_at: int | None
    """Which canary raised it, counted from 1."""
    evidence: float
    """M, large when the rate was below the floor; an alarm is raised when it reaches the threshold."""
    threshold: float
    """A: at most one false alarm per so many canaries on average."""
    floor: float
    """The success probability above which a backend counts as unchanged."""
    rate: Estimate | None
    """Success probability of the latest canary; None before the first."""
    canaries: int
    """How many were seen."""
    text: str

    def to_dict(self) -> dict[str, Any]:
        """Everything, as JSON values."""
        return {**asdict(self), "rate": self.rate.to_dict() if self.rate else None}


class DriftDetector:
    """The e-SR detector of Shin, Ramdas and Rinaldo, "E-detectors" (arXiv 2203.03532), for a success probability.

    After canary t with k successes in n shots, M_t = (M_{t−1} + 1)·e_t, and an alarm is raised when M_t ≥ A = `arl`.
    The e-value e_t is the mean, over θ = μ − 1, 2 and 4 tolerances with μ the floor, of the binomial likelihood
    ratios [(θ/μ)^k ((1−θ)/(1−μ))^(n−k)]^η, where η = 1/(1 + (n − 1)·ρ) takes for normal that the rate scatters from
    canary to canary with a standard deviation of half the tolerance (ρ = (tolerance/2)² / (μ(1−μ))).

    Guaranteed: while every canary's success probability is at or above the floor, whatever it does there and at any
    numbers of shots, false alarms are on average at least A canaries apart, given independent shots within a canary.
    For then E[e_t] ≤ 1: each ratio's expectation falls as the probability rises and is 1 at the floor, and a power
    η ≤ 1 only lowers it (Jensen). Not guaranteed but measured: rates that scatter around the baseline and now and
    then fall below the floor. With a standard deviation up to the tolerance and 1,000 shots, fewer than 63 % of such
    streams alarm within A canaries; with more scatter, or as much at many more shots, more do. That is for scatter
    that is independent from canary to canary: where neighbours go together (autoregressive with 0.7 to 0.9, standard
    deviation 0.01) 68 to 80 % did.

    >>> detector = DriftDetector(0.95)
    >>> [detector.update(successes, 1000).alarm for successes in (952, 948, 897, 903)]
    [False, False, True, True]

    Args:
        baseline: The success probability when healthy; or at least five canaries, as (successes, shots). Of these
            the lower 95 % confidence bound of the pooled rate is taken, further down when they scatter more than
            shots do. Then the guarantee holds for a backend that stays within the tolerance of its true rate, save
            where the baseline flatters it: one in twenty when only shots scatter; one in 12 of five canaries of 1,000
            shots whose rate scatters by 0.005, one in seven by 0.01, and more at many more shots. Ten canaries or
            more find a loss sooner and are better where a backend scatters.
        tolerance: How far below the baseline is not worth an alarm, in probability.
        arl: A, the average number of canaries between false alarms; above 1.

    Raises:
        InputError: The baseline is no probability or too few canaries, or the floor is not within (0, 1).
    """

    def __init__(self, baseline: float | Sequence[tuple[int, int]], tolerance: float = 0.01, arl: float = 1000) -> None:
        rate = _healthy_rate(baseline)
        self._tolerance = _number(tolerance, 0, 1, "The tolerance is a probability above 0")
        self._arl = _number(arl, 1, math.inf, "The distance of false alarms is more than one canary")
        self._floor = rate - self._tolerance
        if not 0 < self._floor < 1:
            raise InputError(f"A rate of {rate:.4g} leaves no room for a tolerance of {self._tolerance:g} below it.")
        self._log_evidence = -math.inf
        self._canaries = 0
        self._alarmed_at: int | None = None
        self._latest: Estimate | None = None

    def update(self, successes: int, shots: int) -> DriftState:
        """Takes in one more canary.

        Raises:
            InputError: Not whole numbers with 0 ≤ successes ≤ shots and shots ≥ 1.
        """
        k, n = _whole(successes, shots)
        self._latest = _observed(k, n)
        self._canaries += 1
        self._log_evidence = _log_add(0.0, self._log_evidence) + self._log_e_value(k, n)
        if self._alarmed_at is None and self._log_evidence >= math.log(self._arl):
            self._alarmed_at = self._canaries
        return self.state()

    def replay(self, history: Iterable[tuple[int, int]]) -> DriftState:
        """Takes in canaries of the past, (successes, shots) each in order; the same history gives the same state.

        Raises:
            InputError: One of them is no canary; none is taken in then.
        """
        canaries = as_list(history)
        if canaries is None:
            raise InputError(f"{shown(history)} is no history of canaries.", "Give (successes, shots) of each.")
        for successes, shots in [_canary(each) for each in canaries]:
            self.update(successes, shots)
        return self.state()

    def state(self) -> DriftState:
        """What is known now."""
        return DriftState(
            self._alarmed_at is not None,
            self._alarmed_at,
            math.exp(min(self._log_evidence, LARGEST_LOG)),
            self._arl,
            self._floor,
            self._latest,
            self._canaries,
            self._text(),
        )

    def _log_e_value(self, successes: int, shots: int) -> float:
        floor, failures = self._floor, shots - successes
        scatter = (SCATTER * self._tolerance) ** 2 / (floor * (1 - floor))
        power = 1 / (1 + (shots - 1) * scatter)
        total = -math.inf
        for step in STEPS:
            # A floor near 0 leaves no room for whole steps: they shrink to stay above 0.
            below = max(floor - step * self._tolerance, floor * 0.5**step)
            ratio = successes * math.log(below / floor) + failures * math.log((1 - below) / (1 - floor))
            total = _log_add(total, power * ratio)
        return total - math.log(len(STEPS))

    def _text(self) -> str:
        promise = f"at most one false alarm per {self._arl:,.0f} canaries on average"
        promise += f" while the success rate stays above the floor, {self._floor:.4f}."
        if self._latest is None:
            return f"No canary yet; {promise}"
        seen = f"Latest rate {self._latest}; {promise}"
        if self._alarmed_at is None:
            return f"No drift found in {self._canaries:,} canaries. {seen}"
        below = f"there is evidence that the share of successes is below {self._floor:.4f}"
        return f"Drift: canary {self._alarmed_at:,} raised the alarm; {below}. {seen}"


def _number(value: object, low: float, high: float, rule: str) -> float:
    number = as_number(value)
    if number is None or not low < number < high:
        raise InputError(f"{rule}; it is {shown(value)}.")
    return number


def _healthy_rate(baseline: object) -> float:
    """The probability given, or a lower confidence bound of that of the canaries given."""
    if isinstance(baseline, Real):
        rate = as_number(baseline)
        if rate is None or not 0 < rate <= 1:
            raise InputError(f"A baseline rate lies between 0 and 1; it is {shown(baseline)}.")
        return rate
    canaries = as_list(baseline) or []
    if len(canaries) < FEWEST_CANARIES:
        raise InputError(
            f"A baseline needs at least {FEWEST_CANARIES} canaries; there are {len(canaries)}.",
            "Give (successes, shots) of each, or a known success probability.",
        )
    return _lower_bound([_canary(canary) for canary in canaries])


def _lower_bound(canaries: Sequence[tuple[int, int]]) -> float:
    """Clopper–Pearson's of the pooled rate, its distance stretched by the excess scatter.

    That is √((χ² + 20) / (canaries + 19)): with twenty degrees of freedom of usual scatter counted in, since the χ² of
    five canaries is as often far too large as too small, and a loss is to be found all the same.
    """
    successes, shots = (sum(column) for column in zip(*canaries, strict=True))
    if shots > MAX_SHOTS:
        raise InputError(f"The baseline has more than {MAX_SHOTS:,} shots.")
    rate, spread = successes / shots, successes * (shots - successes) / shots**2
    chi = sum((k - n * rate) ** 2 / (n * spread) for k, n in canaries) if spread else 0.0
    low, _ = clopper_pearson(successes, shots, 2 * MISS)
    return float(rate - (rate - low) * max(1.0, math.sqrt((chi + USUAL) / (len(canaries) - 1 + USUAL))))


def _canary(pair: object) -> tuple[int, int]:
    """A tuple, list or row of an array, as successes and shots."""
    two = as_list(pair)
    if two is None or len(two) != 2:
        raise InputError(f"A canary is a pair of successes and shots, not {shown(pair)}.")
    return _whole(*two)


def _whole(successes: object, shots: object) -> tuple[int, int]:
    if isinstance(successes, Integral) and isinstance(shots, Integral) and is_whole(successes) and is_whole(shots):
        k, n = int(successes), int(shots)
        if 0 <= k <= n and 1 <= n <= MAX_SHOTS:
            return k, n
    raise InputError(
        f"{shown(successes)} successes of {shown(shots)} shots are not a canary.", "Give two whole numbers."
    )


def _observed(k: int, n: int) -> Estimate:
    low, high = clopper_pearson(k, n, 1 - LEVEL)
    return Estimate(k / n, low, high, LEVEL, "success probability of one canary", "exact (Clopper–Pearson)", n)


def _log_add(one: float, two: float) -> float:
    """log(e^one + e^two), of which at most one is −∞."""
    large, small = max(one, two), min(one, two)
    return large + math.log1p(math.exp(small - large))
