"""A breaker for each backend: after outages in a row a vendor is left alone for a while, and then tried with one call.

Only outages count. A vendor that refuses a bad circuit is well. State is that of this process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from qpm_lab.errors import CapacityError, ProviderError

if TYPE_CHECKING:
    from pybreaker import CircuitBreaker

OUTAGES = 3
"""In a row, until it opens."""
PAUSE_SECONDS = 60.0
"""For how long nothing is sent; then the next call decides."""
T = TypeVar("T")


class Breakers:
    """The breakers of one process.

    Args:
        outages: How many in a row open one.
        pause_seconds: How long it stays open.
    """

    def __init__(self, outages: int = OUTAGES, pause_seconds: float = PAUSE_SECONDS) -> None:
        self._outages = outages
        self._pause = pause_seconds
        self._known: dict[str, CircuitBreaker] = {}
        self._guard = threading.Lock()

    def send(self, backend_id: str, act: Callable[[], T]) -> T:
        """Carries out a submission: its success closes the breaker, its outage counts.

        Raises:
            ProviderError: what `act` raised; or, `retryable`, that the breaker is open and nothing was sent.
        """
        found = self.ask(backend_id, act)
        with suppress(_refused()):  # it was opened meanwhile, by another thread
            self._of(backend_id).call(lambda: None)
        return found

    def ask(self, backend_id: str, act: Callable[[], T]) -> T:
        """Carries out a question. Only its outage counts: a vendor may answer questions and still take no job."""
        self.require_closed(backend_id)
        try:
            # Not within the breaker's own call, which would let only one thread at a time speak to a vendor.
            return act()
        except ProviderError as error:
            if _is_outage(error):
                with suppress(ProviderError, _refused()):
                    self._of(backend_id).call(_raise, error)
            raise

    def require_closed(self, backend_id: str) -> None:
        """Raises a `retryable` ProviderError while nothing is to be sent there."""
        left = self.seconds_left(backend_id)
        if left > 0:
            raise ProviderError(
                f"{backend_id} failed {self._outages} times in a row, so nothing is sent there for {left:.0f} s more.",
                "Run it elsewhere, for example with --backend auto, or try again then.",
                retryable=True,
            )

    def seconds_left(self, backend_id: str) -> float:
        """How long nothing is sent there; 0 when the next call goes through."""
        breaker = self._known.get(backend_id)
        if breaker is None or breaker.current_state != "open":
            return 0.0
        opened = breaker._state_storage.opened_at
        gone = (datetime.now(UTC) - opened).total_seconds() if opened else self._pause
        # A clock that was set back must not keep it open.
        return max(0.0, self._pause - gone) if gone >= 0 else 0.0

    def _of(self, backend_id: str) -> CircuitBreaker:
        from pybreaker import CircuitBreaker

        with self._guard:
            if backend_id not in self._known:
                self._known[backend_id] = CircuitBreaker(
                    self._outages, self._pause, name=backend_id, throw_new_error_on_trip=False
                )
            return self._known[backend_id]


def _is_outage(error: ProviderError) -> bool:
    return (error.retryable or error.uncertain) and not isinstance(error, CapacityError)


def _refused() -> type[Exception]:
    from pybreaker import CircuitBreakerError

    return CircuitBreakerError


def _raise(error: Exception) -> None:
    raise error
