"""In the process apart: makes the vendor's client and answers calls until the parent is gone."""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import IO, Any

from qpm_lab.errors import ProviderError, QpmError
from qpm_lab.providers import wire
from qpm_lab.providers.apart import bounds, messages
from qpm_lab.providers.vendor import Access, Client


def main() -> None:
    """Answers calls until stdin ends."""
    answers = _own_stdout()
    calls: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(sys.stdin.buffer, calls), daemon=True).start()
    bounds.install()
    client, access = _opened(calls.get(), answers)
    secrets = [value for value in access.secrets.values() if value]
    while True:
        payload = calls.get()
        bounds.begin(messages.network_seconds(access))
        name, arguments = messages.call_from(payload)
        wire.write_frame(answers, *_guarded(partial(_answered, client, name, arguments), secrets, name))


def _opened(opening: bytes, answers: IO[bytes]) -> tuple[Client, Access]:
    """The client and what it was given; a process that cannot make it says why and ends."""
    place, access = messages.opening_from(opening)
    bounds.begin(messages.network_seconds(access))
    secrets = [value for value in access.secrets.values() if value]
    module, _, name = place.partition(":")
    made: list[Client] = []
    make = partial(_made, made, module, name, access)
    wire.write_frame(answers, *_guarded(make, secrets, "start"))
    if not made:
        os._exit(1)
    return made[0], access


def _made(made: list[Client], module: str, name: str, access: Access) -> None:
    made.append(getattr(import_module(module), name)(access))


def _answered(client: Client, name: str, arguments: dict[str, Any]) -> Any:
    if name not in messages.CALLS:
        raise ProviderError(f"There is no call {name!r}.")
    return getattr(client, name)(**arguments)


def _guarded(work: Callable[[], Any], secrets: list[str], name: str) -> tuple[bytes, bytes]:
    try:
        return wire.RESULT, messages.value_bytes(work())
    except QpmError as error:
        told: QpmError = error
    except Exception as error:
        told = _unexpected(error)
    if isinstance(told, ProviderError) and name != messages.SENDING:
        # Whether a job was taken is in doubt only where one was sent; an answer that cannot be used is just that.
        told.uncertain = False
    return wire.ERROR, wire.error_bytes(_without(told, secrets))


def _unexpected(error: Exception) -> ProviderError:
    """What no vendor's file has foreseen: nobody can tell whether the vendor did what was asked."""
    text = " ".join(str(error).split())[:500]
    return ProviderError(
        f"The vendor's client failed: {type(error).__name__}: {text}",
        "Try again; if it stays, report it with `qpm doctor`.",
        uncertain=True,
        cause=error,
    )


def _without(error: QpmError, secrets: list[str]) -> QpmError:
    """The error with no key in it, however the vendor's client came to quote one."""
    for secret in secrets:
        error.message = error.message.replace(secret, "[key]")
        error.hint = error.hint.replace(secret, "[key]")
    return error


def _own_stdout() -> IO[bytes]:
    """The pipe to the parent; whatever a library prints goes to stderr instead."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _read(stream: IO[bytes], calls: queue.SimpleQueue[bytes]) -> None:
    """Hands on what comes; at the end of the stream the process ends, whatever it does."""
    try:
        while (frame := wire.read_frame(stream)) is not None:
            calls.put(frame[1])
    finally:
        os._exit(0)
