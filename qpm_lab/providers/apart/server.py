"""In the process apart: makes the vendor's client and answers calls until the parent is gone."""

from __future__ import annotations

import os
import queue
import shutil
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from qpm_lab.errors import ProviderError, QpmError
from qpm_lab.providers import wire
from qpm_lab.providers.apart import bounds, messages
from qpm_lab.providers.apart.redaction import Redactor
from qpm_lab.providers.vendor import Access, Availability, Client, Standing

FOLDER = "qpm-apart-"
"""How the folder begins that a process apart is given as home."""
CIRCUITS = "qiskit.qpy"
"""By which circuits come in."""


def main() -> None:
    """Answers calls until stdin ends."""
    answers = _own_stdout()
    calls: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(sys.stdin.buffer, calls), daemon=True).start()
    bounds.install()
    client, access = _opened(calls.get(), answers)
    clean = Redactor(access.secrets.values())
    while True:
        payload = calls.get()
        bounds.begin(messages.network_seconds(access))
        name, arguments = messages.call_from(payload)
        wire.write_frame(answers, *_guarded(partial(_answered, client, name, arguments), clean, name))


def _opened(opening: bytes, answers: IO[bytes]) -> tuple[Client, Access]:
    """The client and what it was given; a process that cannot make it says why and ends."""
    asked = messages.opening_from(opening)
    made: list[Client] = []
    make = partial(_made, made, asked)
    wire.write_frame(answers, *_guarded(make, Redactor(asked.access.secrets.values()), "start"))
    if not made:
        os._exit(1)
    return made[0], asked.access


def _made(made: list[Client], asked: messages.Opening) -> None:
    """Also imports what calls need: on a busy machine that takes longer than a call may.

    Only after the client is made: some libraries read once and for all, when they are imported, what it sets for them.
    """
    bounds.begin(messages.network_seconds(asked.access))
    module, _, name = asked.client.partition(":")
    client = getattr(import_module(module), name)(asked.access)
    for each in (asked.module, CIRCUITS):
        with suppress(ModuleNotFoundError):  # the call that needs it says so
            import_module(each)
    made.append(client)


def _answered(client: Client, name: str, arguments: dict[str, Any]) -> Any:
    if name not in messages.CALLS:
        raise ProviderError(f"There is no call {name!r}.")
    return getattr(client, name)(**arguments)


def _guarded(work: Callable[[], Any], clean: Redactor, name: str) -> tuple[bytes, bytes]:
    try:
        found = work()
        if isinstance(found, Standing | Availability):
            found = replace(found, message=clean(found.message))
        return wire.RESULT, messages.value_bytes(found)
    except QpmError as error:
        told: QpmError = error
    except Exception as error:
        told = _unexpected(error)
    if isinstance(told, ProviderError) and name != messages.SENDING:
        # Whether a job was taken is in doubt only where one was sent; an answer that cannot be used is just that.
        told.uncertain = False
    return wire.ERROR, wire.error_bytes(_without(told, clean))


def _unexpected(error: Exception) -> ProviderError:
    """What no vendor's file has foreseen: nobody can tell whether the vendor did what was asked."""
    text = " ".join(str(error).split())[:500]
    return ProviderError(
        f"The vendor's client failed: {type(error).__name__}: {text}",
        "Try again; if it stays, report it with `qpm doctor`.",
        uncertain=True,
        cause=error,
    )


def _without(error: QpmError, clean: Redactor) -> QpmError:
    """The error with no key in it, however the vendor's client came to quote one."""
    error.message, error.hint = clean(error.message), clean(error.hint)
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
        _leave()


def _leave() -> None:
    """Ends at once, without the folder it was given: a parent that was killed cannot tidy up."""
    try:
        folder = Path.cwd()
        if folder.name.startswith(FOLDER):
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os._exit(0)  # also when the folder is gone already: nobody else would end this process
