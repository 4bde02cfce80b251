"""Counts and ideal distributions as they come from outside, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

from qpm_lab.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Counts = Mapping[str, int] | ArrayLike
    Distribution = Mapping[str, float] | ArrayLike

SUM_TOLERANCE = 1e-6
"""How far the probabilities of an ideal distribution may be from summing to 1."""


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


def read_counts(counts: Counts) -> tuple[Table, int]:
    """Counts and their sum, the number of shots.

    Raises:
        InputError: Empty, negative, not integers, or keys that are not bit strings of one length.
    """
    if isinstance(counts, Mapping):
        table = _by_key(counts, "counts")
        values = (table.by_key or {}).values()
        if not all(isinstance(v, Integral) and not isinstance(v, bool) for v in values):
            raise _bad("counts", "they must be whole numbers")
        lowest, shots = min(values), int(sum(values))
    else:
        table = _dense(counts, "counts", "iu")
        assert table.dense is not None
        lowest, shots = table.dense.min(), int(table.dense.sum())
    if lowest < 0:
        raise _bad("counts", "one of them is negative")
    if shots == 0:
        raise _bad("counts", "they are all zero, so there are no shots")
    return table, shots


def read_ideal(ideal: Distribution) -> Table:
    """An ideal distribution.

    Raises:
        InputError: Empty, negative, not finite, not summing to 1, or keys that are not bit strings.
    """
    if isinstance(ideal, Mapping):
        table = _by_key(ideal, "ideal")
        values = (table.by_key or {}).values()
        if not all(isinstance(v, Real) for v in values):
            raise _bad("ideal", "its probabilities must be numbers")
        lowest, total = min(values), float(sum(values))
    else:
        table = _dense(ideal, "ideal", "fiu")
        assert table.dense is not None
        lowest, total = table.dense.min(), float(table.dense.sum())
    if not abs(total - 1) <= SUM_TOLERANCE:
        raise _bad("ideal", f"its probabilities sum to {total:.9g} instead of 1")
    if lowest < -SUM_TOLERANCE:
        raise _bad("ideal", "one of its probabilities is negative")
    return table


def _by_key(values: Mapping[str, Any], what: str) -> Table:
    if not values:
        raise _bad(what, "there are none")
    if not all(isinstance(key, str) for key in values):
        raise _bad(what, "their keys must be bit strings")
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

    array: NDArray[np.generic] = np.asarray(values)
    bits = max(array.size, 1).bit_length() - 1
    if array.ndim != 1 or array.size < 2 or array.size != 2**bits:
        raise _bad(what, f"an array must have 2^n entries, not the shape {array.shape}")
    if array.dtype.kind not in kinds:
        raise _bad(what, f"an array of {array.dtype} cannot be used")
    return Table(bits, array, None)


def _bad(what: str, why: str) -> InputError:
    subject = "The counts" if what == "counts" else "The ideal distribution"
    return InputError(
        f"{subject} cannot be used: {why}.",
        "Give a dictionary of bit strings, or an array with one entry per outcome.",
    )
