"""What the panels and cards ask of the lab. Every call may block: handlers run them in a thread."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from qpm_lab.errors import InputError
from qpm_lab.experiment import Status
from qpm_lab.server.backends import by_provider

DEFAULT_PAGE = 50
MAX_PAGE = 200
MAX_TEXT = 200
MAX_KEY = 128
MAX_VENDOR_ID = 300
VENDOR_ID = re.compile(rf"[!-~]{{1,{MAX_VENDOR_ID}}}")
"""Printable ASCII without spaces; AWS ARNs and IBM CRNs are ids too."""


class LedgerFace(Protocol):
    """The part of the ledger that the pages need."""

    def open_jobs(self) -> Sequence[Any]:
        """All jobs that may still change; few by nature."""


class LabFace(Protocol):
    """The part of `qpm_lab.lab.Lab` that the pages need."""

    @property
    def home(self) -> Path:
        """The folder of the ledger."""

    @property
    def ledger(self) -> LedgerFace:
        """Where the jobs are recorded."""

    def page(self, *, limit: int = 50, before: str | None = None, **filters: str | None) -> dict[str, Any]:
        """One page of jobs, newest first: `{"jobs": [row, …], "more": bool}`."""

    def record(self, job_id: str) -> dict[str, Any]:
        """The job record of docs/record.md; raises InputError for an unknown id."""

    def cancel(self, job_id: str) -> dict[str, Any]:
        """Asks the owner of a job to stop it; raises InputError when the job is not open."""

    def budgets(self) -> list[dict[str, Any]]:
        """The quota lines of this user, as in the record."""

    def recover(self) -> list[str]:
        """Closes the jobs of processes that are gone, and follows those at vendors."""

    def resolve(self, job_id: str, vendor_id: str | None = None) -> Any:
        """Says what became of a parked job; raises InputError when it is not parked."""

    def resume(self, job_id: str | None = None) -> list[str]:
        """Asks the vendor of a parked job once more; raises InputError when it is at none."""

    def backend_rows(self, *, live: bool = False) -> list[dict[str, Any]]:
        """Every backend, one row each; `live` asks the vendors of those that are ready."""

    def head(self) -> int:
        """Number of the newest ledger entry; 0 for an empty ledger."""

    def changed_jobs(self, after: int) -> tuple[int, list[str]]:
        """The head, and the ids of the jobs that have entries after `after`."""


@dataclass(frozen=True, slots=True)
class JobQuery:
    """One page of the Jobs panel, as asked."""

    status: str | None = None
    experiment: str | None = None
    text: str | None = None
    before: str | None = None
    """Id of the job after which the page starts: the last one already shown."""
    limit: int = DEFAULT_PAGE


def parse_query(arguments: dict[str, str]) -> JobQuery:
    """Reads and bounds the query of a page request; empty values count as not given.

    Raises:
        InputError: an unknown state, a limit out of range or a text that is too long.
    """
    return JobQuery(
        status=_state(arguments.get("state", "")),
        experiment=_bounded("experiment", arguments.get("experiment", ""), MAX_TEXT),
        text=_bounded("text", arguments.get("text", ""), MAX_TEXT),
        before=_bounded("before", arguments.get("before", ""), MAX_KEY),
        limit=_limit(arguments.get("limit", "")),
    )


def _state(value: str) -> str | None:
    states = [status.value for status in Status]
    if value and value not in states:
        raise InputError("There is no such state.", f"Use one of {', '.join(states)}.")
    return value or None


def _bounded(name: str, value: str, longest: int) -> str | None:
    if len(value) > longest:
        raise InputError(f"The filter '{name}' is too long.", f"Use at most {longest} characters.")
    return value or None


def _limit(value: str) -> int:
    if not value:
        return DEFAULT_PAGE
    if not (value.isascii() and value.isdigit() and len(value) <= 4 and 1 <= int(value) <= MAX_PAGE):
        raise InputError("The page length is not usable.", f"Use a limit from 1 to {MAX_PAGE}.")
    return int(value)


class UnknownJobError(InputError):
    """The ledger of this user has no such job."""


class ClosedJobError(InputError):
    """The job has ended, so there is nothing to cancel."""


def parse_resolution(body: object) -> str | None:
    """What a person knows of a parked job: the vendor's id for it, or None when the vendor has no such job.

    Raises:
        InputError: it says neither, both, or something that is no id.
    """
    told = body if isinstance(body, dict) else {}
    vendor_id, missing = told.get("vendor_id"), told.get("not_submitted") is True
    if (vendor_id is not None) == missing:
        raise InputError("It is not said what became of the job.", "Give either vendor_id or not_submitted: true.")
    if vendor_id is None:
        return None
    if not isinstance(vendor_id, str) or not VENDOR_ID.fullmatch(vendor_id.strip()):
        raise InputError(
            "This is no id of a job at a vendor.", f"An id has no spaces and at most {MAX_VENDOR_ID} characters."
        )
    return vendor_id.strip()


class History:
    """This user's jobs and budgets; opens the lab at the first question and again after a failure."""

    def __init__(self, open_lab: Callable[[], LabFace]) -> None:
        self._open_lab = open_lab
        self._opened: LabFace | None = None
        self._lock = threading.Lock()
        # A thread that stays: Qiskit, by which jobs at vendors are rebuilt, has crashed in threads that come and go.
        self._keeper = ThreadPoolExecutor(1, thread_name_prefix="qpm-recover")

    def lab(self) -> LabFace:
        """The lab, opened once.

        Raises:
            QpmError: it cannot be opened, for example because a policy bundle is broken.
        """
        with self._lock:
            if self._opened is None:
                self._opened = self._open_lab()
            return self._opened

    def recover(self) -> list[str]:
        """Closes the jobs of processes that are gone, follows those at vendors, and returns the ids of those closed."""
        return self._keeper.submit(self.lab().recover).result()

    def jobs(self, query: JobQuery) -> dict[str, Any]:
        """One page, and how many jobs of the ledger may still change, `open`, and how many of those wait for a person,
        `parked`, whatever the filter.
        """
        lab = self.lab()
        states = [row.status for row in lab.ledger.open_jobs()]
        return {**lab.page(**asdict(query)), "open": len(states), "parked": states.count(Status.PARKED)}

    def job(self, job_id: str) -> dict[str, Any]:
        """The record of one job.

        Raises:
            UnknownJobError: this ledger has no such job.
        """
        try:
            return self.lab().record(job_id)
        except InputError as error:
            raise UnknownJobError(error.message, error.hint) from error

    def cancel(self, job_id: str) -> dict[str, Any]:
        """Asks for a job to be stopped.

        Raises:
            UnknownJobError: this ledger has no such job.
            ClosedJobError: the job is not open any more.
        """
        self.job(job_id)
        try:
            return self.lab().cancel(job_id)
        except InputError as error:
            raise ClosedJobError(error.message, error.hint) from error

    def resolve(self, job_id: str, vendor_id: str | None) -> dict[str, Any]:
        """Says what became of a parked job, and answers with its record.

        Raises:
            UnknownJobError: this ledger has no such job.
            ClosedJobError: it is not parked any more.
        """
        return self._settle(job_id, lambda: self.lab().resolve(job_id, vendor_id))

    def resume(self, job_id: str) -> dict[str, Any]:
        """Asks the vendor of a parked job once more, and answers with its record.

        Raises:
            UnknownJobError: this ledger has no such job.
            ClosedJobError: it is at no vendor any more.
        """
        return self._settle(job_id, lambda: self.lab().resume(job_id))

    def _settle(self, job_id: str, settle: Callable[[], object]) -> dict[str, Any]:
        self.job(job_id)
        try:
            settle()
        except InputError as error:
            raise ClosedJobError(error.message, error.hint) from error
        return self.job(job_id)

    def backends(self, live: bool = False) -> dict[str, Any]:
        """All that can be run on, by provider."""
        return {"providers": by_provider(self.lab().backend_rows(live=live))}

    def budgets(self) -> dict[str, Any]:
        return {"quota": self.lab().budgets()}

    def health(self) -> dict[str, Any]:
        lab = self.lab()
        return {"status": "ok", "home": str(lab.home), "entry": lab.head()}


def open_lab() -> LabFace:
    """The lab of the server's own environment (`QPM_HOME`, `QPM_POLICIES`)."""
    from qpm_lab.lab import default_lab

    return default_lab(notebook_run="")
