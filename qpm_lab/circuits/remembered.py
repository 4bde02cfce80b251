"""Work that depends on a circuit's content alone, kept for the next time the same circuit comes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")
MOST_OPERATIONS = 200_000
"""Operations of all circuits that one store keeps: some hundred megabytes at most."""


class Remembered(Generic[Value]):
    """The values used last, by key; safe to use from several threads.

    Args:
        most: Sum of the weights that are kept.

    >>> squares = Remembered(most=10)
    >>> squares.get(3, lambda: 9), squares.get(3, lambda: 0)
    (9, 9)
    """

    def __init__(self, most: int = MOST_OPERATIONS) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()
        self._weight = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable | None, make: Callable[[], Value], weight: int = 1) -> Value:
        """The value kept under `key`, or a new one; without a key nothing is kept."""
        if key is None:
            return make()
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][0]
        value = make()
        with self._lock:
            if key not in self._kept and weight <= self._most:
                self._kept[key] = (value, weight)
                self._weight += weight
            while self._weight > self._most:
                self._weight -= self._kept.popitem(last=False)[1][1]
        return value

    def __len__(self) -> int:
        return len(self._kept)
