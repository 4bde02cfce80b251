"""How far two histograms are apart, three ways, each with a bound from above and one from below."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from qpm_lab.errors import InputError
from qpm_lab.fidelity.heavy import heavy_set
from qpm_lab.fidelity.histogram import Table, read_counts
from qpm_lab.fidelity.shares import apart, margin, ordered_apart

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from qpm_lab.fidelity.histogram import Counts, Distribution

    Pair = tuple[NDArray[np.int64], NDArray[np.int64]]

SEARCH_SHARE = 0.25
"""Share of the shots that chooses the outcomes on which two histograms differ; the rest tests them."""
SPLITS = 8
"""How often that is done anew, so that no one split decides."""
TVD_BITS = 62
"""Longest bit string that is held as a number."""
SPREAD = 1.04
"""√N × how far above its mean the plug-in of equal runs is planned for: with 1.645/√2 of the margin it makes 2.2."""
SPREAD_OF_TWO = 1.17
"""√N × the difference of two shares that equal runs stay below, either way, nine times in ten."""
CHUNK = 1 << 15
"""Outcomes whose bits are unpacked at a time: at 127 bits 33 MB."""


@dataclass(frozen=True, slots=True)
class Gap:
    """The distance of two histograms."""

    distance: float
    upper: float
    """The true distance is below it with probability 1 − alpha."""
    lower: float
    """The true distance is above it with probability 1 − alpha of the correction asked for."""
    p_value: float
    """Of a permutation test that both come from one distribution."""


class Distance(Protocol):
    """One way to say how far the histograms that it holds are apart."""

    estimand: str
    method: str
    assumption: str
    same: float
    """√N × the distance to expect of N shots each from the same distribution."""

    def shots_for(self, delta: float) -> int:
        """Shots of each run after which runs that are the same are most likely shown to be closer than delta."""

    def gap(self, first: int, second: int, alpha: float, strict: float) -> Gap:
        """The distance of two of the histograms; `strict` is the alpha of its lower bound."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One histogram: the outcomes seen, and how often."""

    bits: int
    shots: int
    counts: NDArray[np.int64]
    """All positive, shape (k,)."""
    keys: tuple[str, ...] | None
    codes: NDArray[np.int64] | None
    """The outcomes as numbers, ascending, shape (k,); None when there are only keys."""

    @classmethod
    def read(cls, counts: Counts) -> Sample:
        """Raises InputError unless these are counts."""
        import numpy as np

        table, shots = read_counts(counts)
        if table.dense is not None:
            codes = np.flatnonzero(table.dense)
            return cls(table.bits, shots, table.dense[codes].astype(np.int64), None, codes)
        return cls._of_keys(table, shots)

    @classmethod
    def _of_keys(cls, table: Table, shots: int) -> Sample:
        import numpy as np

        seen = sorted((key, value) for key, value in (table.by_key or {}).items() if value)
        keys = tuple(key for key, _ in seen)
        counts = np.fromiter((value for _, value in seen), np.int64, len(seen))
        if table.bits > TVD_BITS:
            return cls(table.bits, shots, counts, keys, None)
        return cls(table.bits, shots, counts, keys, np.fromiter((int(key, 2) for key in keys), np.int64, len(keys)))

    def rows(self, start: int, stop: int) -> NDArray[np.float64]:
        """+1 for a 0 and −1 for a 1 of some of the outcomes, shape (stop − start, bits)."""
        import numpy as np

        if self.keys is not None:
            text = np.frombuffer("".join(self.keys[start:stop]).encode(), np.uint8)
            return np.where(text.reshape(-1, self.bits) == ord("0"), 1.0, -1.0)
        assert self.codes is not None
        places = np.arange(self.bits - 1, -1, -1)
        return np.where(self.codes[start:stop, None] >> places & 1, -1.0, 1.0)


class TotalVariation:
    """½ Σ |p − q|, by plugging in the shares seen.

    The plug-in is the largest difference of shares over all sets of outcomes, so it is at least that of the set
    on which p and q differ most: `distance + margin` bounds the true distance from above for every support, and
    is too careful where the support is large (it is some √(S/(πN)) for equal distributions). From below the
    set is chosen on a quarter of the shots and measured on the rest, where the permutation test is Fisher's. This
    is done with eight random splits: the bounds are averaged, which keeps their level, and so are the p-values,
    doubled (Rüschendorf 1982; Vovk and Wang, Biometrika 107, 2020).
    """

    estimand = "total variation distance of the outcome distributions, ½ Σ |p − q|"
    method = "plug-in + one-sided margin, exact at any support; from below on held-out shots"
    assumption = "shots of a run are independent and come from one distribution"

    def __init__(self, samples: Sequence[Sample], alpha: float, support: float | None = None) -> None:
        if any(sample.codes is None for sample in samples):
            raise InputError(
                f"Total variation distance is offered up to {TVD_BITS} bits.", "Leave the method to 'auto'."
            )
        self._samples = samples
        self._search = [_chosen(sample, place) for place, sample in enumerate(samples)]
        self._alpha = alpha
        self._support = max(support or 0.0, _support(samples))
        self.same = math.sqrt(self._support / math.pi)

    def shots_for(self, delta: float) -> int:
        return tvd_shots(self._support, delta, self._alpha)

    def gap(self, first: int, second: int, alpha: float, strict: float) -> Gap:
        import numpy as np

        a, b = self._samples[first], self._samples[second]
        assert a.codes is not None
        assert b.codes is not None
        both, place = np.unique(np.concatenate([a.codes, b.codes]), return_inverse=True)
        places = place[: len(a.codes)], place[len(a.codes) :]
        x, y = _spread_out(len(both), places, a.counts, b.counts)
        distance = float(np.abs(x / a.shots - y / b.shots).sum()) / 2
        found = [
            _held_out((x, y), _spread_out(len(both), places, s, t), strict)
            for s, t in zip(self._search[first], self._search[second], strict=True)
        ]
        lower, p_value = (sum(each) / len(found) for each in zip(*found, strict=True))
        upper = min(1.0, distance + margin(a.shots, b.shots, alpha))
        return Gap(distance, upper, min(max(lower, 0.0), distance), min(1.0, 2 * p_value))


class HeavyFidelity:
    """|F_H − F_H'|, the heavy-set fidelity of both against one ideal: two one-sided tests, whatever the support."""

    estimand = "difference of the heavy-set outcome fidelities F_H"
    method = "two one-sided tests on the shares of heavy outcomes"
    assumption = "shots of a run are independent; runs that differ outside F_H are not told apart"

    def __init__(self, histograms: Sequence[Counts], ideal: Distribution, alpha: float) -> None:
        from scipy.special import ndtri

        self._sets = [heavy_set(counts, ideal) for counts in histograms]
        self.contrast = self._sets[0].contrast
        self.same = 0.0
        self._unit = (-float(ndtri(alpha)) / math.sqrt(2) + SPREAD_OF_TWO) / max(self.contrast, 1e-12)

    def shots_for(self, delta: float) -> int:
        return math.ceil((self._unit / delta) ** 2)

    def gap(self, first: int, second: int, alpha: float, strict: float) -> Gap:
        (k, n), (m, o) = ((found.heavy, found.shots) for found in (self._sets[first], self._sets[second]))
        distance = abs(k / n - m / o) / self.contrast
        lower, p_value = ordered_apart((k, n), (m, o), strict, 2)
        upper = distance + margin(n, o, alpha) / self.contrast
        return Gap(distance, upper, max(lower, 0.0) / self.contrast, p_value)


class Correlations:
    """The largest difference of any one- or two-body expectation, ⟨Z_i⟩ or ⟨Z_i Z_j⟩."""

    estimand = "largest difference of the expectations ⟨Z_i⟩ and ⟨Z_i Z_j⟩"
    method = "two one-sided tests on each of the n + n(n − 1)/2 expectations, all of which must pass"
    assumption = "shots of a run are independent; correlations of three or more qubits are not compared"

    def __init__(self, samples: Sequence[Sample], alpha: float) -> None:
        from scipy.special import ndtri

        self._even = [_even_shots(sample) for sample in samples]
        self._shots = [sample.shots for sample in samples]
        self.terms = len(self._even[0])
        self.same = math.sqrt(2) * math.sqrt(2 * math.log(2 * self.terms))
        self._spread = math.sqrt(2) * -float(ndtri(alpha))

    def shots_for(self, delta: float) -> int:
        return math.ceil(((self.same + self._spread) / delta) ** 2)

    def gap(self, first: int, second: int, alpha: float, strict: float) -> Gap:
        import numpy as np

        k, m, n, o = self._even[first], self._even[second], self._shots[first], self._shots[second]
        place = int(np.abs(k / n - m / o).argmax())
        one, two = (int(k[place]), n), (int(m[place]), o)
        distance = 2 * abs(one[0] / n - two[0] / o)
        lower, p_value = ordered_apart(one, two, strict, 2 * self.terms)
        return Gap(distance, distance + 2 * margin(n, o, alpha), 2 * max(lower, 0.0), p_value)


def tvd_shots(support: float, delta: float, alpha: float) -> int:
    """N = (√(S/π) + 2.2)² / δ² at alpha = 0.05: what the plug-in shows of equal runs, its scatter and the margin."""
    from scipy.special import ndtri

    return math.ceil(((math.sqrt(support / math.pi) - float(ndtri(alpha)) / math.sqrt(2) + SPREAD) / delta) ** 2)


def _chosen(sample: Sample, place: int) -> NDArray[np.int64]:
    """How many shots of each outcome choose the set, shape (SPLITS, k).

    Drawn with a seed made of the counts themselves: the same histogram is always split the same way, and yet no
    one split, which favours some outcomes, is used for all. The place keeps equal histograms independent.
    """
    import numpy as np

    assert sample.codes is not None
    content = hashlib.blake2b(sample.codes.tobytes() + sample.counts.tobytes(), digest_size=8).digest()
    generator = np.random.default_rng([int.from_bytes(content), place])
    drawn: NDArray[np.int64] = generator.binomial(sample.counts, SEARCH_SHARE, (SPLITS, len(sample.counts)))
    return drawn.astype(np.min_scalar_type(int(sample.counts.max())))


def _held_out(all_shots: Pair, search: Pair, alpha: float) -> tuple[float, float]:
    """`apart` for the outcomes that some shots prefer in the first run, measured on the others."""
    (x, y), (s, t) = all_shots, search
    chosen = s / max(s.sum(), 1) > t / max(t.sum(), 1)
    rest, other = x - s, y - t
    one = int(rest[chosen].sum()), int(rest.sum())
    return apart(one, (int(other[chosen].sum()), int(other.sum())), alpha, 1)


def _spread_out(size: int, places: Pair, x: NDArray[np.int64], y: NDArray[np.int64]) -> Pair:
    """Two lists of counts over the outcomes of both, shape (size,) each."""
    import numpy as np

    wide = np.zeros((2, size), dtype=np.int64)
    wide[0, places[0]] = x
    wide[1, places[1]] = y
    return wide[0], wide[1]


def _support(samples: Sequence[Sample]) -> float:
    """How many outcomes share the shots evenly enough to matter: (Σ √p)², with Chao's allowance for those unseen."""
    import numpy as np

    codes = np.concatenate([sample.codes for sample in samples if sample.codes is not None])
    _, place = np.unique(codes, return_inverse=True)
    pooled = np.bincount(place, weights=np.concatenate([sample.counts for sample in samples]))
    once, twice = int((pooled == 1).sum()), int((pooled == 2).sum())
    unseen = once * (once - 1) / (2 * (twice + 1))
    even = float(np.sqrt(pooled / pooled.sum()).sum()) ** 2
    return even * (1 + unseen / len(pooled))


def _even_shots(sample: Sample) -> NDArray[np.int64]:
    """In how many shots each one- and two-body Z was +1, shape (n + n(n − 1)/2,)."""
    import numpy as np

    one, two = np.zeros(sample.bits), np.zeros((sample.bits, sample.bits))
    for start in range(0, len(sample.counts), CHUNK):
        spins = sample.rows(start, start + CHUNK)
        weights = sample.counts[start : start + CHUNK].astype(float)
        one += weights @ spins
        two += (spins * weights[:, None]).T @ spins
    sums = np.concatenate([one, two[np.triu_indices(sample.bits, 1)]])
    even: NDArray[np.int64] = (sample.shots + np.rint(sums).astype(np.int64)) // 2
    return even
