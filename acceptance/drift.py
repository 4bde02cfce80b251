"""Drift of a canary: few false alarms, whatever the scatter, and a real loss found within three canaries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from acceptance.table import Row, share
from qpm_lab.fidelity import DriftDetector

TITLE = "Drift of a canary"
LARGEST_SHARE = 0.63
"""1 − 1/e: what a constant hazard of one false alarm per A canaries makes of A canaries."""
LONGEST_DELAY = 3

Rate = Callable[[np.random.Generator], float]


@dataclass(frozen=True, slots=True)
class Stream:
    """Canaries of one kind, and the detector that watches them."""

    name: str
    rate: Rate
    shots: int
    baseline: float = 0.95
    tolerance: float = 0.01
    canaries: int = 0
    """Baseline canaries the detector is given; none means that it is told the rate."""
    scatter: float = 0.0
    """Standard deviation of their rate."""

    def detector(self, rng: np.random.Generator, arl: int) -> DriftDetector:
        if not self.canaries:
            return DriftDetector(self.baseline, self.tolerance, arl)
        rate = _beta(self.baseline, self.scatter) if self.scatter else _constant(self.baseline)
        seen = [(int(rng.binomial(self.shots, rate(rng))), self.shots) for _ in range(self.canaries)]
        return DriftDetector(seen, self.tolerance, arl)

    def delay(self, rng: np.random.Generator, arl: int, most: int) -> int:
        """Canaries until the alarm, at most `most` + 1."""
        detector = self.detector(rng, arl)
        for place in range(1, most + 1):
            if detector.update(int(rng.binomial(self.shots, self.rate(rng))), self.shots).alarm:
                return place
        return most + 1


def rows(*, fast: bool, seed: int) -> Iterator[Row]:
    """Share of healthy streams that alarm within A canaries, and the delay after a loss."""
    arl, repetitions = (100, 60) if fast else (1000, 150)
    for place, stream in enumerate(_healthy(fast)):
        rng = np.random.default_rng([seed, place])
        hits = sum(stream.delay(rng, arl, arl) <= arl for _ in range(repetitions))
        value, error = share(hits, repetitions)
        what = f"alarms within A = {arl:,}"
        yield Row(what, stream.name, value, error, None, LARGEST_SHARE, repetitions, seed)
    for place, stream in enumerate(_worse(fast)):
        rng = np.random.default_rng([seed, 1000 + place])
        runs = 400 if fast else 4000
        yield from _delays(stream, [stream.delay(rng, 1000, 100) for _ in range(runs)], seed)


def _delays(stream: Stream, delays: list[int], seed: int) -> Iterator[Row]:
    runs = len(delays)
    value, error = share(sum(delay <= LONGEST_DELAY for delay in delays), runs)
    yield Row("found within 3 canaries", stream.name, value, error, 0.95, None, runs, seed)
    low, middle, high = np.quantile(delays, [0.95 - (spread := np.sqrt(0.95 * 0.05 / runs)), 0.95, 0.95 + spread])
    spacing = max(float(high - low) / 2, 1 / np.sqrt(runs))
    yield Row("delay, 95 % quantile", stream.name, float(middle), spacing, None, LONGEST_DELAY, runs, seed)
    mean = float(np.mean(delays))
    yield Row("delay, mean", stream.name, mean, float(np.std(delays) / np.sqrt(runs)), None, LONGEST_DELAY, runs, seed)


def _healthy(fast: bool) -> list[Stream]:
    some = [
        Stream("0.95, sd 0.0075, 1,000 shots", _beta(0.95, 0.0075), 1000),
        Stream("at the floor 0.94, 1,000 shots", _constant(0.94), 1000),
    ]
    more = [
        Stream("0.95, sd 0.005, 1,000 shots", _beta(0.95, 0.005), 1000),
        Stream("0.95, sd 0.01, 1,000 shots", _beta(0.95, 0.01), 1000),
        Stream("0.95, sd 0.005, 20,000 shots", _beta(0.95, 0.005), 20000),
        Stream("0.95, sd 0.01, 200 shots, 5 baseline canaries", _beta(0.95, 0.01), 200, canaries=5),
        Stream("0.95, sd 0.01, 1,000 shots, 5 such canaries", _beta(0.95, 0.01), 1000, canaries=5, scatter=0.01),
        Stream("0.8, sd 0.015, tolerance 0.02, 500 shots", _beta(0.8, 0.015), 500, 0.8, 0.02),
        Stream("anywhere above the floor 0.94, 3,000 shots", lambda rng: rng.uniform(0.94, 1), 3000),
    ]
    return some if fast else some + more


def _worse(fast: bool) -> list[Stream]:
    some = [
        Stream("0.95 → 0.90, 1,000 shots", _constant(0.9), 1000),
        Stream("0.95 → 0.90, 1,000 shots, 10 baseline canaries", _constant(0.9), 1000, canaries=10),
    ]
    more = [
        Stream("0.98 → 0.93, 1,000 shots", _constant(0.93), 1000, 0.98),
        Stream("0.95 → 0.90 with sd 0.0075, 1,000 shots", _beta(0.9, 0.0075), 1000),
        Stream("0.9 → 0.8, tolerance 0.02, 500 shots", _constant(0.8), 500, 0.9, 0.02),
        Stream("0.95 → 0.90, 1,000 shots, 5 baseline canaries", _constant(0.9), 1000, canaries=5),
        Stream("0.95 → 0.90, 5 baseline canaries of sd 0.005", _constant(0.9), 1000, canaries=5, scatter=0.005),
    ]
    return some if fast else some + more


def _constant(rate: float) -> Rate:
    return lambda rng: rate


def _beta(mean: float, spread: float) -> Rate:
    """Scatters from canary to canary, now and then below the floor."""
    size = mean * (1 - mean) / spread**2 - 1
    return lambda rng: float(rng.beta(mean * size, (1 - mean) * size))
