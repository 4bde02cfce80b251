"""Are runs the same? Shown, not failed to refute: every pair must be closer than a distance that matters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal

from qpm_lab.errors import InputError
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
NEAREST = 0.1
"""Share of delta: when the distance seems nearer to delta than that, more shots are not advised."""


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
    histograms: Sequence[Counts],
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
        auto: correlations beyond 25 bits; heavy when `ideal` is given and its support is too large for total
            variation with these shots; else tvd. Nothing observed enters the choice.

    Args:
        histograms: Two or more: bit string → count, or integer arrays of shape (2^n,), over the same bits.
        delta: The distance that matters, between 0 and 1, in units of the distance above.
        alpha: Probability of calling runs equivalent that are delta apart, below 0.5.
        ideal: Probabilities of the ideal outcomes, needed for 'heavy'.
        method: Which distance.

    Raises:
        InputError: Counts, ideal or options cannot be used or do not belong together.
    """
    samples = _read(histograms)
    _require("delta", delta, 1.0)
    _require("alpha", alpha, 0.5)
    distance = _distance(histograms, samples, ideal, method, delta, alpha)
    couples = tuple(combinations(range(len(samples)), 2))
    pairs = tuple(_pair(distance, couple, alpha, alpha / len(couples)) for couple in couples)
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


def _read(histograms: Sequence[Counts]) -> list[Sample]:
    samples = [Sample.read(counts) for counts in histograms] if _several(histograms) else []
    if len(samples) < 2:
        raise InputError("A comparison needs at least two histograms.", "Give them as a list of counts.")
    if len({sample.bits for sample in samples}) > 1:
        widths = ", ".join(str(sample.bits) for sample in samples)
        raise InputError(f"The histograms have different numbers of bits: {widths}.", "Compare runs of one circuit.")
    return samples


def _several(histograms: object) -> bool:
    """False for what is iterable, and yet no sequence of histograms: one histogram, a text."""
    return hasattr(histograms, "__len__") and not isinstance(histograms, str | bytes | dict)


def _require(name: str, value: object, end: float) -> None:
    if not isinstance(value, Real) or not 0 < float(value) < end:
        raise InputError(f"{name} must lie between 0 and {end:g}; it is {value!r}.")


def _distance(
    histograms: Sequence[Counts],
    samples: Sequence[Sample],
    ideal: Distribution | None,
    method: Method,
    delta: float,
    alpha: float,
) -> Distance:
    if method not in ("auto", "tvd", "heavy", "correlations"):
        raise InputError(f"There is no method {method!r}.", "Use auto, tvd, heavy or correlations.")
    support = None if ideal is None else _ideal_support(ideal, samples[0].bits)
    if method == "correlations" or (method == "auto" and samples[0].bits > MOST_TVD_BITS):
        return Correlations(samples, alpha)
    if ideal is None or support is None:
        if method == "heavy":
            raise InputError("The method 'heavy' needs the ideal distribution.", "Give it as `ideal`.")
        return TotalVariation(samples, alpha)
    shots = min(sample.shots for sample in samples)
    if method == "heavy" or (method == "auto" and tvd_shots(support, delta, alpha) > shots):
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
