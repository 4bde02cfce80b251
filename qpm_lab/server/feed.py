"""Tells every open page of this user about changes; lives on the server's event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from qpm_lab.server.history import History
from qpm_lab.server.watch import LedgerWatch, Message

Send = Callable[[Message], None]


class Feed:
    """Fans the ledger's changes out to subscribers; watches only while there is one."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._subscribers: set[Send] = set()
        self._watch: LedgerWatch | None = None
        self._greeting: Message | None = None

    def subscribe(self, send: Send) -> None:
        """Adds a page; it hears `ready` (or `error`) first, at once when the watch already runs."""
        self._subscribers.add(send)
        if self._watch is None:
            self._start(asyncio.get_running_loop())
        elif self._greeting is not None:
            send(self._greeting)

    async def unsubscribe(self, send: Send) -> None:
        """Removes a page; with the last one the watch ends."""
        self._subscribers.discard(send)
        if not self._subscribers and self._watch is not None:
            watch, self._watch, self._greeting = self._watch, None, None
            await asyncio.to_thread(watch.stop)

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        def publish(message: Message) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._deliver, watch, message)

        watch = self._watch = LedgerWatch(self._history, publish)
        watch.start()

    def _deliver(self, source: LedgerWatch, message: Message) -> None:
        if source is not self._watch:
            return  # a watch that is ending still had something to say
        if message["type"] != "changed":
            self._greeting = message
        for send in list(self._subscribers):
            send(message)
