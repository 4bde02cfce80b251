"""Shows jobs: at once, while they run, and when they end after the cell has returned."""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from qpm_lab.display import mimebundle
from qpm_lab.errors import QpmError

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from qpm_lab.job import Job

QUICK_SECONDS = 0.4
"""Jobs that end sooner show one card; slower ones show a card that is updated in place."""
REFRESH_SECONDS = 0.5
SLOW_SECONDS = 1.0
LONGEST_REFRESH_SECONDS = 5.0
"""Of a card that fills in after its cell: a job at a vendor may take hours."""
CANCEL_SECONDS = 10.0
_drawn: set[str] = set()


def show(document: Mapping[str, Any]) -> None:
    """Displays one card."""
    from IPython.display import display

    display(mimebundle(document), raw=True)


def display_both(html: str, text: str) -> None:
    """Displays the same thing for notebooks and for terminals."""
    from IPython.display import display

    display({"text/html": html, "text/plain": text}, raw=True)


def wait_with_card(shell: InteractiveShell, job: Job) -> None:
    """Waits until the job has ended and leaves its card; an interrupt cancels the job.

    Raises:
        KeyboardInterrupt: after the job was asked to stop.
    """
    card = LiveCard()
    try:
        if not job.wait(QUICK_SECONDS):
            card.update(job.record())
            while not job.wait(REFRESH_SECONDS):
                card.update(job.record())
    except KeyboardInterrupt:
        job.cancel()
        job.wait(CANCEL_SECONDS)
        raise
    finally:
        card.update(job.record())
        _drawn.add(job.id)
        if not job.wait(0):
            _fill_in_later(shell, job, card)


@contextmanager
def told_when_slow(text: str) -> Iterator[None]:
    """Says what is going on within, once it takes longer than a second; the words go when it is done."""
    from IPython.display import display

    display_id, shown = uuid.uuid4().hex, threading.Event()

    def tell() -> None:
        shown.set()
        display({"text/plain": text}, raw=True, display_id=display_id)

    timer = threading.Timer(SLOW_SECONDS, tell)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        if shown.is_set():
            display({"text/plain": ""}, raw=True, display_id=display_id, update=True)


def follow(shell: InteractiveShell, job: Job) -> None:
    """Shows the job as it stands; in a notebook the card is filled in when the job ends."""
    card = LiveCard()
    card.update(job.record())
    _drawn.add(job.id)
    _fill_in_later(shell, job, card)


def _fill_in_later(shell: InteractiveShell, job: Job, card: LiveCard) -> None:
    if not hasattr(shell, "kernel"):
        return  # a terminal has no card that could be replaced

    def fill_in() -> None:
        seconds = REFRESH_SECONDS
        with contextlib.suppress(QpmError):  # the panel and %qjobs go on showing the job
            while not job.wait(seconds):
                card.update(job.record())
                seconds = min(LONGEST_REFRESH_SECONDS, seconds * 1.2)
            card.update(job.record())

    threading.Thread(target=fill_in, name="qpm-card", daemon=True).start()


class LiveCard:
    """A card that is replaced in place, found by its display id and not by the running cell."""

    def __init__(self) -> None:
        self._display_id = uuid.uuid4().hex
        self._shown: Mapping[str, Any] | None = None

    def update(self, document: Mapping[str, Any]) -> None:
        """Draws the document, unless it is what is drawn already."""
        from IPython.display import display

        if document != self._shown:
            display(mimebundle(document), raw=True, display_id=self._display_id, update=self._shown is not None)
            self._shown = document


def register_job_formatter(shell: InteractiveShell) -> None:
    """A Job that is the cell's value is drawn once, even when its card was drawn while it ran."""
    formatter = shell.display_formatter.ipython_display_formatter
    formatter.for_type_by_name("qpm_lab.job", "Job", _display_job)
    shell.events.register("pre_run_cell", _new_cell)


def _new_cell(info: Any) -> None:
    _drawn.clear()


def _display_job(job: Job) -> None:
    if job.id not in _drawn:
        show(job.record())
    _drawn.discard(job.id)
