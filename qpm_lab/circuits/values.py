"""What a user gives as values of parameters, as arrays of finite real numbers by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from qpm_lab.errors import CircuitError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Value = NDArray[np.float64]
    """Shape () for one number."""


def named_values(parameters: Mapping[Any, Any]) -> dict[str, Value]:
    """Arrays by parameter name; a parameter vector's last axis goes over its elements.

    Raises:
        CircuitError: a key that names no parameter, or a value that is not finite, real and regular.
    """
    values: dict[str, Value] = {}
    for key, value in parameters.items():
        for name, array in _named(key, value):
            if name in values:
                raise CircuitError(f"The parameter {name} is given twice.", "Give each parameter once.")
            values[name] = array
    return values


def _named(key: Any, value: Any) -> Iterator[tuple[str, Value]]:
    if not _is_vector(key):
        name = _name(key)
        yield name, _array(name, value)
        return
    array = _array(key.name, value)
    if not array.shape or array.shape[-1] != len(key):
        raise CircuitError(
            f"The value of {key.name} has shape {array.shape}; its last axis must be {len(key)} long.",
            "Give one number for each element of the vector.",
        )
    yield from ((element.name, array[..., i]) for i, element in enumerate(key))


def _is_vector(key: Any) -> bool:
    return not isinstance(key, str) and hasattr(key, "params") and hasattr(key, "index")


def _name(key: Any) -> str:
    name = key if isinstance(key, str) else getattr(key, "name", None)
    if not isinstance(name, str):
        raise CircuitError(
            f"A parameter is named by a {type(key).__name__}.", "Use the Parameter itself or its name as key."
        )
    return name


def _array(name: str, value: Any) -> Value:
    import numpy as np

    if isinstance(value, (str, bytes, bool)) or hasattr(value, "parameters"):
        raise CircuitError(f"The value of {name} is not a number.", "Give one number, for example 0.5, or an array.")
    try:
        raw = np.asarray(value)
        real = raw.dtype.kind in "iuf" or (raw.dtype.kind == "O" and all(_is_real(v) for v in raw.flat))
        array = raw.astype(np.float64) if real else None
    except (TypeError, ValueError, OverflowError) as error:
        raise CircuitError(
            f"The value of {name} is not a real number or array.", "Give 0.5, or [0.1, 0.2].", cause=error
        ) from error
    if array is None:
        raise CircuitError(f"The value of {name} is not a real number or array.", "Give 0.5, or [0.1, 0.2].")
    if not np.all(np.isfinite(array)):
        bad = array[~np.isfinite(array)].flat[0]
        raise CircuitError(f"The value of {name} is {bad}.", "Give finite numbers.")
    return array


def _is_real(value: Any) -> bool:
    """True for whatever converts to a float and is no text: fractions, decimals, zero-dimensional arrays."""
    return not isinstance(value, (str, bytes, bool, complex)) and hasattr(value, "__float__")
