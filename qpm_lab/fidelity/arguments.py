"""Numbers as they come from outside: read as what they are, or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LONGEST = 60
"""Characters of a value that a message repeats."""


def is_whole(value: object) -> bool:
    """True for whole numbers of Python or NumPy, truth values apart."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def as_number(value: object) -> float | None:
    """A real number as a float; None for anything else: truth values, texts, and what is larger than any float."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    try:
        return float(value)
    except (OverflowError, ValueError):
        return None


def as_whole_array(values: object) -> NDArray[np.integer[Any]] | None:
    """An array of whole numbers of any shape; None for ragged or masked ones and for other kinds of entries."""
    return _array(values, "iu")


def as_truths(values: object) -> NDArray[np.integer[Any]] | None:
    """An array of truth values as zeros and ones; None for anything else."""
    array = _array(values, "b")
    return None if array is None or not array.ndim else array.astype(int)


def _array(values: object, kinds: str) -> NDArray[Any] | None:
    import numpy as np

    if isinstance(values, np.ma.MaskedArray):
        return None
    try:
        array = np.asarray(values)
    except (ValueError, TypeError, OverflowError):
        return None
    return array if array.dtype.kind in kinds else None


def as_list(values: object) -> list[Any] | None:
    """The members of a sequence or of what a generator makes; None for texts, mappings and single values."""
    if isinstance(values, str | bytes | Mapping | set | frozenset) or not isinstance(values, Iterable):
        return None
    try:
        return list(values)
    except TypeError:
        # An array without axes calls itself iterable.
        return None


def shown(value: object) -> str:
    """What a message says of a value that was refused."""
    try:
        text = repr(value)
    except ValueError:
        # Python writes no integer of more than some thousand digits.
        return f"a {type(value).__name__} too long to write"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
