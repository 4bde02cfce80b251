"""Vendors asked how they are, several at the same time and never for long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from qpm_lab import providers
from qpm_lab.errors import ProviderError

if TYPE_CHECKING:
    from qpm_lab.runner.runner import Runner

ASK_SECONDS = 10.0
"""How long vendors have to say how they are; who has not answered by then counts as not available."""
T = TypeVar("T")


def require_answer(runner: Runner, backend_id: str) -> None:
    """A vendor that is down is known to be so before anything is reserved for it or sent to it.

    Raises:
        ProviderError: it does not answer, or says that the machine is not available.
    """
    remote = providers.remote(backend_id)
    if remote is None:
        return
    ask = partial(runner.breakers.ask, backend_id, partial(remote.availability, backend_id))
    found = together({backend_id: ask}, ASK_SECONDS).get(backend_id)
    if found is None:
        raise ProviderError(f"{remote.vendor.title} did not answer within {ASK_SECONDS:.0f} s.", retryable=True)
    if found.available is False:
        said = f" {found.message}" if found.message else ""
        raise ProviderError(f"{remote.vendor.title} says that {backend_id} is not available now.{said}")


def together(acts: Mapping[str, Callable[[], T]], seconds: float) -> dict[str, T]:
    """Does everything at the same time; what is not done after so many seconds is left out.

    Raises:
        Exception: what one of them raised.
    """
    done: dict[str, T] = {}
    failed: list[BaseException] = []

    def do(name: str, act: Callable[[], T]) -> None:
        try:
            done[name] = act()
        except BaseException as error:
            failed.append(error)

    threads = [
        threading.Thread(target=copy_context().run, args=(do, *pair), daemon=True, name="qpm-broker")
        for pair in acts.items()
    ]
    for thread in threads:
        thread.start()
    end = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    if failed:
        raise failed[0]
    return dict(done)
