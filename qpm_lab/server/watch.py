"""Sees that the ledger has changed, whoever wrote it, and says which jobs are concerned."""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import watchfiles

from qpm_lab.errors import QpmError
from qpm_lab.server.history import History, LabFace

COALESCE_MS = 150
QUIET_MS = 50
LOOK_SECONDS = 1.0
"""How often the ledger's head is read anyway: some file systems notify nobody."""
RETRY_SECONDS = 5.0
RECOVER_SECONDS = 3.0
"""How often jobs of kernels that were killed are looked for, so that no page shows them as running."""
MAX_IDS = 200

Message = dict[str, Any]


class LedgerWatch:
    """A thread that publishes a message for every change while it is started.

    Messages: `ready` (from here on no change is missed), `changed` (entry, job ids; `more` when there
    were too many to name) and `error` (message, hint) when the ledger cannot be read.

    Args:
        history: Opens the lab.
        publish: Called in the thread with each message.
    """

    def __init__(self, history: History, publish: Callable[[Message], None]) -> None:
        self._history = history
        self._publish = publish
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="qpm-ledger-watch", daemon=True)

    def start(self) -> None:
        atexit.register(self.stop)
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; returns when it has ended (it looks up every 50 ms)."""
        self._stop.set()
        self._thread.join(timeout=LOOK_SECONDS + 1)
        atexit.unregister(self.stop)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._follow(self._history.lab())
            except QpmError as error:
                self._publish({"type": "error", "message": error.message, "hint": error.hint})
                self._stop.wait(RETRY_SECONDS)

    def _follow(self, lab: LabFace) -> None:
        entry, standings = lab.head(), _standings(lab)
        self._publish({"type": "ready", "entry": entry})
        looked = time.monotonic()
        for _ in ticks(lab.home, self._stop):
            if time.monotonic() - looked > RECOVER_SECONDS:
                looked = time.monotonic()
                self._history.recover()
            head, jobs = lab.changed_jobs(entry)
            before, standings = standings, _standings(lab)
            moved = [job for job, told in standings.items() if job in before and before[job] != told]
            if head != entry or moved:
                self._publish(changed(head, list(dict.fromkeys([*jobs, *moved]))))
            entry = head


def _standings(lab: LabFace) -> dict[str, str | None]:
    """How open jobs stand at their vendors: a place in a queue is no entry of the ledger."""
    return {row.job_id: row.standing for row in lab.ledger.open_jobs()}


def changed(entry: int, jobs: list[str]) -> Message:
    """The message for a change; names at most `MAX_IDS` jobs."""
    return {"type": "changed", "entry": entry, "jobs": jobs[:MAX_IDS], "more": len(jobs) > MAX_IDS}


def ticks(home: Path, stop: threading.Event) -> Iterator[None]:
    """Yields soon after the ledger's files change, and every `LOOK_SECONDS`, until `stop` is set."""
    try:
        for _ in watchfiles.watch(
            home,
            watch_filter=lambda _, path: Path(path).name in ("ledger.db", "ledger.db-wal"),
            debounce=COALESCE_MS,
            step=QUIET_MS,
            stop_event=stop,
            rust_timeout=int(LOOK_SECONDS * 1000),
            yield_on_timeout=True,
            raise_interrupt=False,
            recursive=False,
        ):
            yield
    except (OSError, RuntimeError):  # no notification here, or no watches left for this user
        while not stop.wait(LOOK_SECONDS):
            yield
