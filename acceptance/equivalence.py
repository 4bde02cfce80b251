"""Are runs the same: never said of runs that are delta apart, and said of those that are the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from acceptance.cases import ghz, porter_thomas, readout, single
from acceptance.table import Row, share
from qpm_lab.fidelity import Equivalence, equivalence
from qpm_lab.fidelity.shares import margin

if TYPE_CHECKING:
    from numpy.typing import NDArray

TITLE = "Equivalence of runs"
DELTA = 0.1
ALPHA = 0.05
FLIPPED = readout(0.02, 0.02)(ghz(5))

Draw = Callable[[np.random.Generator], Equivalence]


def rows(*, fast: bool, seed: int) -> Iterator[Row]:
    """Type-I at a distance of exactly delta, power at none, and both for every way of measuring distance."""
    yield from _exact(fast)
    repetitions = 100 if fast else 2000
    for place, (what, verdict, cell, draw, least, most) in enumerate(_cells(fast)):
        runs = repetitions if "⟨Z⟩" not in cell else repetitions // 20
        rng = np.random.default_rng([seed, place])
        hits = sum(draw(rng).verdict == verdict for _ in range(runs))
        value, error = share(hits, runs)
        yield Row(what, cell, value, error, least, None if most is None else most + 2 * error, runs, seed)


def _exact(fast: bool) -> Iterator[Row]:
    """The level of one comparison of shares, computed at the worst pair of shares that are delta apart."""
    pairs = [(20, 20), (100, 100), (400, 400), (100, 1000), (30, 5000), (300, 200), (4000, 4000), (4000, 500)]
    for first, second in pairs[:6] if fast else pairs:
        worst = max(_level(first, second, delta, ALPHA) for delta in (0.05, 0.1, 0.3))
        yield Row("type-I, any share", f"{first:,} and {second:,} shots, delta 0.05 … 0.3", worst, 0, None, ALPHA, 0)


def _level(first: int, second: int, delta: float, alpha: float) -> float:
    from scipy.stats import binom

    found = np.arange(second + 1)
    allowed = np.ceil((delta - margin(first, second, alpha) + found / second) * first - 1e-9) - 1
    return max(
        float((binom.pmf(found, second, share - delta) * binom.cdf(allowed, first, share)).sum())
        for share in np.linspace(delta, 1, 41)
    )


def _cells(fast: bool) -> Iterator[tuple[str, str, str, Draw, float | None, float | None]]:
    wrong, power, apart = "type-I at TVD = delta", "power, same", "power, apart"
    for name, ideal, shots in _cases(fast):
        moved = _moved(ideal, DELTA)
        yield wrong, "equivalent", name, _runs([ideal, moved], shots), None, ALPHA
        yield "false 'different' at delta", "different", name, _runs([ideal, moved], shots), None, ALPHA
    for name, same in (("GHZ-5", ghz(5)), ("GHZ-5, 2 % bit flips", FLIPPED)):
        yield power, "equivalent", f"{name}, 3 × 4,000 shots", _runs([same] * 3, (4000,) * 3), 0.9, None
    yield power, "equivalent", "one outcome, 2 × 1,000", _runs([single(3)] * 2, (1000, 1000)), 0.9, None
    yield power, "equivalent", "GHZ-5 with the shots asked for", _with_advice(ghz(5), 100), 0.9, None
    even = np.full(64, 1 / 64)
    yield power, "equivalent", "64 even outcomes, shots asked for", _with_advice(even, 500), 0.9, None
    far = [FLIPPED, _moved(FLIPPED, 0.2)]
    yield apart, "different", "GHZ-5, TVD 0.2, 2 × 4,000", _runs(far, (4000, 4000)), 0.9, None
    yield from _other_distances(fast)


def _other_distances(fast: bool) -> Iterator[tuple[str, str, str, Draw, float | None, float | None]]:
    wide = porter_thomas(8 if fast else 12, 7)
    faded = 0.9 * wide + 0.1 / len(wide)
    heavy = f"F_H, Porter–Thomas {len(wide):,} outcomes"

    def by_heavy(pair: list[Any]) -> Draw:
        return lambda rng: equivalence(
            [rng.multinomial(6000, p) for p in pair], DELTA, ALPHA, ideal=wide, method="heavy"
        )

    yield "type-I at |ΔF_H| = delta", "equivalent", f"{heavy}, 2 × 6,000", by_heavy([wide, faded]), None, ALPHA
    yield "power, same", "equivalent", f"{heavy}, 2 × 6,000", by_heavy([faded, faded]), 0.9, None
    qubits = 30 if fast else 60
    yield "type-I at |Δ⟨Z⟩| = delta", "equivalent", f"⟨Z⟩ of {qubits} qubits", _bits(qubits, 0.05), None, ALPHA
    yield "power, same", "equivalent", f"⟨Z⟩ of {qubits} qubits", _bits(qubits, 0.0), 0.9, None
    yield "power, apart", "different", f"⟨Z⟩ of {qubits} qubits, 0.3 apart", _bits(qubits, 0.15), 0.9, None


def _cases(fast: bool) -> list[tuple[str, Any, tuple[int, ...]]]:
    some: list[tuple[str, Any, tuple[int, ...]]] = [
        ("GHZ-5, 2 × 4,000", ghz(5), (4000, 4000)),
        ("one outcome, 2 × 500", single(3), (500, 500)),
        ("Porter–Thomas 5 qubits, 3,000 and 20,000", porter_thomas(5, 3), (3000, 20000)),
    ]
    more: list[tuple[str, Any, tuple[int, ...]]] = [
        ("GHZ-10 with bit flips, 2 × 2,000", readout(0.01, 0.01)(ghz(10)), (2000, 2000)),
        ("4 even outcomes, 2 × 400", np.full(4, 0.25), (400, 400)),
        ("one bit, 300 and 3,000", np.array([0.55, 0.45]), (300, 3000)),
        ("Porter–Thomas 8 qubits, 2 × 30,000", porter_thomas(8, 5), (30000, 30000)),
    ]
    return some if fast else some + more


def _runs(distributions: list[Any], shots: tuple[int, ...]) -> Draw:
    def draw(rng: np.random.Generator) -> Equivalence:
        counts = [rng.multinomial(number, p) for number, p in zip(shots, distributions, strict=True)]
        return equivalence(counts, DELTA, ALPHA)

    return draw


def _with_advice(same: Any, shots: int) -> Draw:
    """A first pair too short to decide, and then one with the shots that its answer asked for."""

    def draw(rng: np.random.Generator) -> Equivalence:
        first = equivalence([rng.multinomial(shots, same) for _ in range(2)], DELTA, ALPHA)
        again = first.shots_needed or shots
        return equivalence([rng.multinomial(again, same) for _ in range(2)], DELTA, ALPHA)

    return draw


def _bits(qubits: int, shift: float) -> Draw:
    """Independent bits of two runs with 9,000 shots, the first bit more often 1 in the second by `shift`."""
    likely = np.full(qubits, 0.3)
    other = likely.copy()
    other[0] += shift

    def draw(rng: np.random.Generator) -> Equivalence:
        return equivalence([_histogram(rng.random((9000, qubits)) < p) for p in (likely, other)], DELTA, ALPHA)

    return draw


def _histogram(shots: NDArray[np.bool_]) -> dict[str, int]:
    text = np.where(shots, b"1", b"0").astype("S1").tobytes().decode()
    bits = shots.shape[1]
    counts: dict[str, int] = {}
    for start in range(0, len(text), bits):
        key = text[start : start + bits]
        counts[key] = counts.get(key, 0) + 1
    return counts


def _moved(ideal: Any, distance: float) -> Any:
    """A distribution exactly so far away: mass of the likely outcomes given to the least likely."""
    moved = ideal.copy()
    left = distance
    for place in np.argsort(ideal)[::-1][: max(1, len(ideal) // 2)]:
        taken = min(left, ideal[place] / 2 if len(ideal) > 2 else left)
        moved[place] -= taken
        left -= taken
    moved[np.argmin(ideal)] += distance - left
    return moved
