"""Are runs the same? Shown, not failed to refute: every pair must be closer than a distance that matters."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal

from qpm_lab.errors import InputError
from qpm_lab.fidelity.arguments import as_list, as_number, shown
from qpm_lab.fidelity.distances import Correlations, HeavyFidelity, Sample, TotalVariation, tvd_shots
from qpm_lab.fidelity.heavy import SMALLEST_CONTRAST
from qpm_lab.fidelity.histogram import read_ideal

if TYPE_CHECKING:
    from qpm_lab.fidelity.distances import Distance
    from qpm_lab.fidelity.histogram import Counts, Distribution

Verdict = Literal["equivalent", "different", "inconclusive"]
Method = Literal["auto", "tvd", "heavy", "correlations"]
MOST_TVD_BITS = 25
"""Beyond it 'auto' compares expectations: no number of shots fills that many outcomes."""
LARGE_SUPPORT = 64.0
"""Equally likely outcomes up to which their number hardly matters for the shots that total variation needs."""
NEAREST = 0.1
"""Share of delta: when the distance seems nearer to delta than that, more shots are not advised."""

SMALLEST_DELTA = 1e-6
"""Below it the shots asked for are beyond any machine."""
SMALLEST_ALPHA = 1e-12


@dataclass(frozen=True, slots=True)
class Pair:
    """Two of the runs, by their places in the sequence given."""

    first: int
    second: int
    distance: float
    upper: float
    """One-sided, at 1 − alpha."""
    lower: float
    """One-sided, at 1 − alpha / pairs."""
    p_value: float
    """Of a permutation test that both runs have one distribution; not corrected for the number of pairs."""


@dataclass(frozen=True, slots=True)
class Equivalence:
    """Whether runs are the same, with the distances that say so."""

    verdict: Verdict
    value: float
    """The largest distance of any pair as observed; above the true one on average, for shots scatter."""
    low: float
    high: float
    """The largest true distance lies above `low` and below `high`, each with probability 1 − alpha."""
    level: float
    """1 − 2·alpha, of low and high together."""
    estimand: str
    method: str
    shots: int
    """Of the shortest run."""
    delta: float
    alpha: float
    pairs: tuple[Pair, ...]
    reason: str | None = None
    """Why the verdict is not 'equivalent'."""
    shots_needed: int | None = None
    """Of each run, when inconclusive: about how many would show runs that are the same to be the same."""
    assumption: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Everything, as JSON values."""
        return {**asdict(self), "pairs": [asdict(pair) for pair in self.pairs]}


def equivalence(
    histograms: Iterable[Counts],
    delta: float = 0.1,
    alpha: float = 0.05,
    *,
    ideal: Distribution | None = None,
    method: Method = "auto",
) -> Equivalence:
    """Whether runs give the same outcomes, within a distance that matters.

    The null hypothesis is that some pair is delta or more apart; 'equivalent' is said when every pair's upper
    bound is below delta, and wrongly with probability at most alpha (all must pass, so nothing is corrected for:
    Berger, Technometrics 24, 1982). 'different' is said when for some pair a permutation test rejects and the
    lower bound exceeds delta, both at alpha divided by the number of pairs. Else it is 'inconclusive'.

    The distance, by `method`:
        tvd: total variation distance ½ Σ |p − q|. The plug-in's bias for large supports is upwards, hence towards
            'inconclusive': equal distributions seem √(S/(πN)) apart.
        heavy: |difference| of the heavy-set fidelities F_H against `ideal`. Says nothing of outcomes within and
            outside the heavy set.
        correlations: the largest difference of any expectation ⟨Z_i⟩, ⟨Z_i Z_j⟩, from −1 to 1.
        auto: correlations beyond 25 bits; heavy when `ideal` is given and its support is large, too large for
            total variation with these shots; else tvd. Nothing observed enters that choice, but where total variation
            shows runs to be different, that is the verdict whatever F_H says.

    Args:
        histograms: Two or more: bit string → count, or integer arrays of shape (2^n,), over the same bits.
        delta: The distance that matters, from 10⁻⁶ to below 1, in units of the distance above.
        alpha: Probability of calling runs equivalent that are delta apart, from 10⁻¹² to below 0.5.
        ideal: Probabilities of the ideal outcomes, needed for 'heavy'.
        method: Which distance.

    Raises:
        InputError: Counts, ideal or options cannot be used or do not belong together.
    """
    runs = _listed(histograms)
    samples = _read(runs)
    delta = _required("delta", delta, SMALLEST_DELTA, 1.0)
    alpha = _required("alpha", alpha, SMALLEST_ALPHA, 0.5)
    distance = _distance(runs, samples, ideal, method, delta, alpha)
    pairs = _pairs(distance, len(samples), alpha)
    if method == "auto" and isinstance(distance, HeavyFidelity):
        # F_H is blind within and outside of the heavy set: where the outcomes themselves are apart, they decide.
        whole = TotalVariation(samples, alpha, None)
        apart = _pairs(whole, len(samples), alpha)
        if _verdict(apart, delta, alpha) == "different":
            distance, pairs = whole, apart
    verdict = _verdict(pairs, delta, alpha)
    shots = min(sample.shots for sample in samples)
    needed = _shots_needed(distance, pairs, delta, shots) if verdict == "inconclusive" else None
    return Equivalence(
        verdict,
        max(pair.distance for pair in pairs),
        max(pair.lower for pair in pairs),
        max(pair.upper for pair in pairs),
        1 - 2 * alpha,
        distance.estimand,
        distance.method,
        shots,
        delta,
        alpha,
        pairs,
        _reason(verdict, pairs, delta, needed),
        needed,
        distance.assumption,
    )


def _listed(histograms: object) -> list[Any]:
    if isinstance(histograms, Mapping):
        raise InputError("A comparison takes a list of histograms, not a dictionary.", "Give its values as a list.")
    several = as_list(histograms) or []
    if len(several) < 2:
        raise InputError("A comparison needs at least two histograms.", "Give them as a list of counts.")
    return several


def _read(histograms: Sequence[Counts]) -> list[Sample]:
    samples = [Sample.read(counts) for counts in histograms]
    if len({sample.bits for sample in samples}) > 1:
        widths = ", ".join(str(sample.bits) for sample in samples)
        raise InputError(f"The histograms have different numbers of bits: {widths}.", "Compare runs of one circuit.")
    return samples


def _required(name: str, value: object, least: float, end: float) -> float:
    number = as_number(value)
    if number is None or not least <= number < end:
        raise InputError(f"{name} must lie between {least:g} and {end:g}; it is {shown(value)}.")
    return number


def _distance(
    histograms: Sequence[Counts],
    samples: Sequence[Sample],
    ideal: Distribution | None,
    method: Method,
    delta: float,
    alpha: float,
) -> Distance:
    if not isinstance(method, str) or method not in ("auto", "tvd", "heavy", "correlations"):
        raise InputError(f"There is no method {shown(method)}.", "Use auto, tvd, heavy or correlations.")
    support = None if ideal is None else _ideal_support(ideal, samples[0].bits)
    if method == "correlations" or (method == "auto" and samples[0].bits > MOST_TVD_BITS):
        return Correlations(samples, alpha)
    if ideal is None or support is None:
        if method == "heavy":
            raise InputError("The method 'heavy' needs the ideal distribution.", "Give it as `ideal`.")
        return TotalVariation(samples, alpha)
    shots = min(sample.shots for sample in samples)
    large = support > LARGE_SUPPORT and tvd_shots(support, delta, alpha) > shots
    if method == "heavy" or (method == "auto" and large):
        heavy = HeavyFidelity(histograms, ideal, alpha)
        if heavy.contrast >= SMALLEST_CONTRAST:
            return heavy
        if method == "heavy":
            raise InputError("The ideal outcomes are nearly uniform: F_H cannot tell runs apart.", "Use 'auto'.")
    return TotalVariation(samples, alpha, support)


def _ideal_support(ideal: Distribution, bits: int) -> float:
    """(Σ √p)²: S for S equally likely outcomes."""
    import numpy as np

    table = read_ideal(ideal)
    if table.bits != bits:
        raise InputError(
            f"The histograms have {bits} bits and the ideal distribution {table.bits}.",
            "Give all over the same classical bits.",
        )
    values = table.dense if table.dense is not None else np.array(list((table.by_key or {}).values()), dtype=float)
    return float(np.sqrt(np.clip(values, 0, None)).sum()) ** 2


def _pairs(distance: Distance, runs: int, alpha: float) -> tuple[Pair, ...]:
    couples = tuple(combinations(range(runs), 2))
    return tuple(_pair(distance, couple, alpha, alpha / len(couples)) for couple in couples)


def _pair(distance: Distance, couple: tuple[int, int], alpha: float, strict: float) -> Pair:
    gap = distance.gap(*couple, alpha, strict)
    return Pair(*couple, gap.distance, gap.upper, gap.lower, gap.p_value)


def _apart(pair: Pair, delta: float, alpha: float) -> bool:
    return pair.lower > delta and pair.p_value <= alpha


def _verdict(pairs: Sequence[Pair], delta: float, alpha: float) -> Verdict:
    if all(pair.upper < delta for pair in pairs):
        return "equivalent"
    return "different" if any(_apart(pair, delta, alpha / len(pairs)) for pair in pairs) else "inconclusive"


def _shots_needed(distance: Distance, pairs: Sequence[Pair], delta: float, shots: int) -> int | None:
    """Shots that would do if the runs are the same; with that many already there, if they are as far apart as seems."""
    needed = distance.shots_for(delta)
    if needed > shots:
        return needed
    excess = max(0.0, max(pair.distance for pair in pairs) - distance.same / math.sqrt(shots))
    if excess > (1 - NEAREST) * delta:
        return None
    return max(2 * shots, distance.shots_for(delta - excess))


def _reason(verdict: Verdict, pairs: Sequence[Pair], delta: float, needed: int | None) -> str | None:
    if verdict == "equivalent":
        return None
    if verdict == "different":
        far = max(pairs, key=lambda pair: pair.lower)
        return f"Runs {far.first + 1} and {far.second + 1} are at least {far.lower:.3g} apart, more than {delta:g}."
    far = max(pairs, key=lambda pair: pair.upper)
    names = f"Runs {far.first + 1} and {far.second + 1}"
    seen = f"{names} may be up to {far.upper:.3g} apart, not shown to be below {delta:g}."
    if needed is None:
        return f"{seen} They seem to be about that far apart: more shots would hardly decide it."
    return f"{seen} If they are the same, {needed:,} shots of each will show it."
