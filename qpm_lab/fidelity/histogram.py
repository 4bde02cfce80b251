"""Counts and ideal distributions as they come from outside, checked, and brought together."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

from qpm_lab.errors import InputError
from qpm_lab.fidelity.arguments import is_whole, shown

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Counts = Mapping[str, int] | ArrayLike
    Distribution = Mapping[str, float] | ArrayLike

SUM_TOLERANCE = 1e-6
"""How far the probabilities of an ideal distribution may be from summing to 1."""
MAX_SHOTS = 2**53
"""More shots than a float counts exactly, and than any machine gives."""
ROUNDING = 1e-6
"""Relative: a probability this close to the uniform one is the uniform one. Simulators compute with seven digits at
worst, so an outcome of exactly 1/D comes back a little above or below; the contrast changes by at most this much."""
DUST = 1e-15
"""A probability this small is what is left of a zero when a simulator has rounded its amplitudes."""
FORMS = "Give a dictionary of bit strings, or an array with one entry per outcome."
BY_NUMBER = "Give bit strings instead of numbers; a QuasiDistribution has them as `.binary_probabilities()`."


@dataclass(frozen=True, slots=True)
class Table:
    """Values by outcome, dense or by key."""

    bits: int
    dense: NDArray[Any] | None
    """Values of all outcomes, shape (2^bits,); index is the bit string read as a number."""
    by_key: Mapping[str, Any] | None
    """Bit string without spaces → value, when not dense."""

    def items_where(self, keep: Table, above: float) -> Any:
        """The sum of these values over the outcomes whose value in `keep` is above a limit."""
        if keep.dense is not None:
            if self.dense is not None:
                return self.dense[keep.dense > above].sum()
            heavy = keep.dense
            return sum(value for key, value in (self.by_key or {}).items() if heavy[int(key, 2)] > above)
        keys = [key for key, value in (keep.by_key or {}).items() if value > above]
        if self.dense is not None:
            return self.dense[[int(key, 2) for key in keys]].sum() if keys else 0
        own = self.by_key or {}
        return sum(own.get(key, 0) for key in keys)

    def number_above(self, limit: float) -> int:
        """How many outcomes have a value above the limit."""
        if self.dense is not None:
            return int((self.dense > limit).sum())
        return sum(value > limit for value in (self.by_key or {}).values())


@dataclass(frozen=True, slots=True)
class Comparison:
    """A histogram beside its ideal distribution, over the outcomes that the ideal allows."""

    bits: int
    """Measured bits; there are 2^bits outcomes."""
    shots: int
    ideal: NDArray[np.float64]
    """Probabilities above `DUST`, shape (S,); they sum to 1."""
    seen_ideal: NDArray[np.float64]
    """Ideal probabilities of the outcomes that were seen and are allowed, shape (k,)."""
    seen: NDArray[np.int64]
    """Their counts, all positive, shape (k,)."""

    @property
    def uniform(self) -> float:
        """Probability of an outcome under the uniform distribution; 0 where a float cannot hold it."""
        return 2.0**-self.bits

    @property
    def contrast(self) -> float:
        """p(H) − u(H) of the heavy outcomes, whose ideal probability is above the uniform one."""
        heavy = self.ideal[self.ideal > heavy_limit(self.bits)]
        return float(heavy.sum()) - math.ldexp(len(heavy), -self.bits)

    @property
    def outside(self) -> int:
        """Shots with an outcome that the ideal does not allow."""
        return self.shots - int(self.seen.sum())


def compare(counts: Counts, ideal: Distribution, bits: int | None = None) -> Comparison:
    """Brings a histogram and an ideal distribution together.

    Args:
        counts: Bit string → count, spaces allowed, or an integer array of shape (2^n,).
        ideal: Bit string → probability, or an array of shape (2^n,); sums to 1.
        bits: Number of different qubits measured, when that is less than the length of the keys.

    Raises:
        InputError: One of them cannot be used, or they do not belong together.
    """
    import numpy as np

    observed, shots = read_counts(counts)
    perfect = read_ideal(ideal)
    width = measured_bits(observed, perfect, bits)
    values, places, numbers = _paired(observed, perfect)
    possible = values > DUST
    allowed = values[possible]
    total = float(allowed.sum())
    allowed /= total
    chosen = (numbers > 0) & possible[places]
    seen_ideal = values[places[chosen]] / total
    return Comparison(width, shots, allowed, seen_ideal, numbers[chosen].astype(np.int64))


def measured_bits(observed: Table, perfect: Table, bits: int | None) -> int:
    """The number of measured bits.

    Raises:
        InputError: The tables have different lengths of key, or `bits` does not go with them.
    """
    if observed.bits != perfect.bits:
        raise InputError(
            f"The counts have {observed.bits} bits and the ideal distribution {perfect.bits}.",
            "Give both over the same classical bits.",
        )
    width = perfect.bits if bits is None else bits
    if not is_whole(width) or not 0 < width <= perfect.bits:
        raise InputError(f"{shown(bits)} measured bits do not go with keys of {perfect.bits} bits.")
    return int(width)


def heavy_limit(bits: int) -> float:
    """The probability above which an outcome is heavy: 1/2^bits, and what rounding may add to it."""
    return float(max(2.0**-bits * (1 + ROUNDING), DUST))


def _paired(observed: Table, perfect: Table) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Ideal probabilities; the places in them of the outcomes counted; their counts."""
    import numpy as np

    if perfect.dense is not None:
        values = perfect.dense.astype(np.float64, copy=False)
        if observed.dense is not None:
            places = np.flatnonzero(observed.dense)
            return values, places, observed.dense[places].astype(np.int64)
        return values, *_columns({int(key, 2): count for key, count in (observed.by_key or {}).items()})
    own = perfect.by_key or {}
    values = np.fromiter(own.values(), dtype=np.float64, count=len(own))
    if observed.dense is not None:
        index = np.fromiter((int(key, 2) for key in own), dtype=np.int64, count=len(own))
        return values, np.arange(len(own)), observed.dense[index].astype(np.int64)
    place = {key: i for i, key in enumerate(own)}
    counts = (observed.by_key or {}).items()
    return values, *_columns({place[key]: count for key, count in counts if key in place})


def _columns(counts: Mapping[int, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    import numpy as np

    size = len(counts)
    return np.fromiter(counts, np.int64, size), np.fromiter(counts.values(), np.int64, size)


def read_counts(counts: Counts) -> tuple[Table, int]:
    """Counts and their sum, the number of shots.

    Raises:
        InputError: Empty, negative, not integers, too many, or keys that are not bit strings of one length.
    """
    counts = _labelled(counts, "counts")
    if isinstance(counts, Mapping):
        table = _by_key(counts, "counts")
        values = (table.by_key or {}).values()
        if not all(is_whole(value) for value in values):
            raise _bad("counts", "they must be whole numbers")
        lowest, shots = min(values), sum(int(value) for value in values)
    else:
        table = _dense(counts, "counts", "iu")
        assert table.dense is not None
        # As floats, since whole numbers of 64 bits wrap around.
        lowest, shots = table.dense.min(), int(table.dense.sum(dtype=float))
    if lowest < 0:
        raise _bad("counts", "one of them is negative")
    if shots == 0:
        raise _bad("counts", "they are all zero, so there are no shots")
    if shots > MAX_SHOTS:
        raise _bad("counts", f"they sum to more than {MAX_SHOTS:,} shots")
    return table, shots


def read_ideal(ideal: Distribution) -> Table:
    """An ideal distribution.

    Raises:
        InputError: Empty, negative, not finite, not summing to 1, or keys that are not bit strings.
    """
    ideal = _labelled(ideal, "ideal")
    if isinstance(ideal, Mapping):
        table = _by_key(ideal, "ideal")
        values = (table.by_key or {}).values()
        if not all(isinstance(v, Real) and not isinstance(v, bool) for v in values):
            raise _bad("ideal", "its probabilities must be numbers")
        lowest, total = _extent(values)
    else:
        table = _dense(ideal, "ideal", "fiu")
        assert table.dense is not None
        lowest, total = float(table.dense.min()), _total(table.dense)
    if not abs(total - 1) <= SUM_TOLERANCE:
        raise _bad("ideal", f"its probabilities sum to {total:.9g} instead of 1")
    if lowest < -SUM_TOLERANCE:
        raise _bad("ideal", "one of its probabilities is negative")
    return table


def _total(values: NDArray[Any]) -> float:
    """The sum, infinite when it is: long doubles hold what floats do not."""
    import numpy as np

    with np.errstate(over="ignore"):
        return float(values.sum(dtype=float))


def _extent(values: Any) -> tuple[float, float]:
    try:
        numbers = [float(value) for value in values]
    except OverflowError as error:
        raise _bad("ideal", "one of its probabilities is larger than any number") from error
    return min(numbers), sum(numbers)


def _labelled(values: Any, what: str) -> Any:
    """A column with labels, such as a pandas Series, as the dictionary it is; anything else as it came.

    By position its labels would be lost, and with them which count belongs to which outcome.
    """
    if isinstance(values, Mapping) or not (hasattr(values, "keys") and hasattr(values, "items")):
        return values
    pairs = list(values.items())
    found = {key: value for key, value in pairs if isinstance(key, Hashable)}
    if len(found) != len(pairs):
        raise _bad(what, "a label stands in it twice")
    return found


def _by_key(values: Mapping[str, Any], what: str) -> Table:
    if not values:
        raise _bad(what, "there are none")
    if not all(isinstance(key, str) for key in values):
        named = any(is_whole(key) for key in values)
        raise _bad(what, "their keys must be bit strings", BY_NUMBER if named else "")
    clean = {key.replace(" ", ""): value for key, value in values.items()}
    width = len(next(iter(clean)))
    for key in clean:
        if len(key) != width or not key or key.strip("01"):
            raise _bad(what, f"{key[:80]!r} is not a bit string of {width} bits")
    if len(clean) != len(values):
        raise _bad(what, "two keys differ only in their spaces")
    return Table(width, None, clean)


def _dense(values: ArrayLike, what: str, kinds: str) -> Table:
    import numpy as np

    if isinstance(values, np.ma.MaskedArray):
        raise _bad(what, "a masked array leaves open what the masked entries are")
    try:
        array: NDArray[np.generic] = np.asarray(values)
    except (ValueError, TypeError, OverflowError) as error:
        raise _bad(what, "they are not an array of numbers") from error
    bits = max(array.size, 1).bit_length() - 1
    if array.ndim != 1 or array.size < 2 or array.size != 2**bits:
        raise _bad(what, f"an array must have 2^n entries, not the shape {array.shape}")
    if array.dtype.kind not in kinds:
        raise _bad(what, f"an array of {array.dtype} cannot be used")
    return Table(bits, array, None)


def _bad(what: str, why: str, hint: str = "") -> InputError:
    subject = "The counts" if what == "counts" else "The ideal distribution"
    return InputError(f"{subject} cannot be used: {why}.", hint or FORMS)
