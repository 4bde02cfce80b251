"""The public face: `Lab` takes circuits, `Job` follows one, `Result` is what came back."""

from __future__ import annotations

import getpass
import os
import threading
import uuid
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qpm_lab import providers
from qpm_lab.errors import InputError
from qpm_lab.experiment import OPEN, Decision, Principal, Quote, Status
from qpm_lab.job import Job
from qpm_lab.ledger import Ledger, remove_dead
from qpm_lab.policy import find_folder
from qpm_lab.runner import clock
from qpm_lab.runner.again import order_again
from qpm_lab.runner.at_vendors import AtVendors
from qpm_lab.runner.budgets import budgets
from qpm_lab.runner.lists import COLUMNS, flat, list_row, money
from qpm_lab.runner.order import Order
from qpm_lab.runner.record import dry_run_record, hold_dict, job_record, quota_lines
from qpm_lab.runner.rules import Rules
from qpm_lab.runner.runner import Runner
from qpm_lab.runner.sessions import SessionOrder
from qpm_lab.runner.studies import Studies, order_from
from qpm_lab.session import Session

if TYPE_CHECKING:
    import pandas as pd

    from qpm_lab.interop.qiskit import LabBackend, LabEstimator, LabSampler

_process_run = uuid.uuid4().hex
MAX_PAGE = 500
CANCEL_SECONDS = 2.0
"""How long a cancel waits for a job of this very process to end."""


def default_home() -> Path:
    """`QPM_HOME`, else `~/.qpm`."""
    return Path(os.environ.get("QPM_HOME") or Path.home() / ".qpm").expanduser().absolute()


class Lab(Studies, AtVendors):
    """Everything that runs through here is governed: policy, quotas, cost, ledger.

    Args:
        home: Folder of ledger and keys; default `QPM_HOME`, else `~/.qpm`.
        policies: A bundle's folder or the name of a shipped one; default `QPM_POLICIES`, else `personal`.
        notebook_run: Scope of quotas over one kernel's life; default the life of this process, empty for none.
        follow: Whether this process follows jobs at vendors whose own process has ended.

    Raises:
        LedgerError: the ledger cannot be opened here.
        BundleError: there is no such policy bundle.

    >>> lab = Lab()
    >>> job = lab.submit("OPENQASM 3; include 'stdgates.inc'; qubit[2] q; h q[0]; cx q[0], q[1];", shots=100)
    >>> sorted(job.result().counts)
    ['00', '11']
    """

    def __init__(
        self,
        home: str | Path | None = None,
        policies: str | Path | None = None,
        *,
        notebook_run: str | None = None,
        follow: bool = True,
    ) -> None:
        self.home = Path(home).expanduser().absolute() if home is not None else default_home()
        self.rules = Rules(find_folder(policies or os.environ.get("QPM_POLICIES") or None))
        self.ledger = Ledger.open(self.home, os.environ.get("QPM_LEDGER_URL") or None)
        self.principal = Principal(current_user(), _process_run if notebook_run is None else notebook_run)
        self.runner = Runner(self.ledger, self.rules, self.principal)
        self._pid = os.getpid()
        # Also runs at exit: a script that ends with jobs under way leaves them cancelled, not abandoned.
        self._finish = weakref.finalize(self, _close, self.runner, self.ledger, self._pid)
        self._follow = follow
        self.recovered = self.recover()

    def submit(
        self,
        circuit: Any,
        *,
        backend: str = "aer/simulator",
        shots: int = 1024,
        seed: int | None = None,
        experiment: str | None = None,
        project: str | None = None,
        cost_center: str | None = None,
        classification: str | None = None,
        max_cost: str | None = None,
        name: str | None = None,
        parameters: Mapping[Any, Any] | None = None,
        args: Sequence[Any] = (),
        fidelity: str | None = None,
        twirl: str | None = None,
        validate: str | Sequence[str] = (),
    ) -> Job:
        """Submits one governed job and returns at once; `Job.result()` waits.

        Args:
            circuit: A Qiskit `QuantumCircuit`, a PennyLane QNode or tape, OpenQASM 2 or 3 text, QPY
                bytes, a path to such a file, or a list of these (one job).
            backend: `provider/backend`; `Lab.backends()` lists them.
            shots: Shots of each circuit, in a sweep of each point.
            seed: Makes a simulation repeatable; one is drawn and recorded when absent.
            experiment: The named series this job belongs to.
            project: The project it counts for.
            cost_center: Who pays.
            classification: `public`, `internal` or `confidential`; the bundle has a default.
            max_cost: Decimal amount that the upper quote may not exceed.
            name: What the job is called; default the circuit's name.
            parameters: Values of a parametrised circuit, by `Parameter` or name: one number each, or arrays for
                a sweep, which is one job. Arrays broadcast as NumPy does: equal lengths go together, shapes
                (n, 1) and (1, m) make a grid.
            args: Arguments of a QNode.
            fidelity: `auto` compares with the exact distribution where that can be computed and runs further
                circuits where not, `mirror` or `proxy` names those, `none` leaves it out; None means `auto`, within
                a session `none`. Further circuits are part of the job: quoted, reserved and recorded with it.
            twirl: `readout`, `gates` or `all`: makes those errors symmetric by running 32 random variants of each
                circuit and undoing them in the counts.
            validate: Conditions that the result has to meet, for example `fidelity>=0.9`, which passes only if the
                interval's lower end does. A job that completes without meeting them has not succeeded.

        Raises:
            InputError: a circuit or option cannot be used; nothing was recorded.
            DeniedError: a rule refused it (QuotaError: only quotas did); the refusal is recorded.
            ProviderError: the backend cannot hold or run it; nothing was reserved.
        """
        self._same_process()
        order = Order(
            circuit, backend, shots, seed, experiment, project, cost_center,
            classification, max_cost, name, parameters, args, fidelity, twirl, validate,
        )  # fmt: skip
        live = self.runner.submit(order)
        return Job(self, live.job_id, live)

    def again(self, job_id: str, shots: int | None = None, **changes: Any) -> Job:
        """Submits a recorded job once more, as a job of its own; see `runner.again` for what may change.

        Raises:
            InputError: there is no such job, or it cannot be changed so.
        """
        self._same_process()
        given = changes if shots is None else {**changes, "shots": shots}
        live = self.runner.submit(order_again(self.ledger, job_id, given))
        return Job(self, live.job_id, live)

    def quote(self, circuit: Any, **options: Any) -> Quote:
        """What the job would cost, before running; takes the options of `submit`."""
        return self.runner.plan(order_from(circuit, options)).quote

    def explain(self, circuit: Any, **options: Any) -> Decision:
        """Whether it may run now and every reason why not; holds and records nothing."""
        return self.runner.explain(order_from(circuit, options))[1]

    def dry_run(self, circuit: Any, **options: Any) -> dict[str, Any]:
        """The record of a job that is only explained (status `dry_run`; see docs/record.md)."""
        plan, decision = self.runner.explain(order_from(circuit, options))
        return dry_run_record(plan, decision, self.ledger)

    def job(self, job_id: str) -> Job:
        """A job by its id or a unique beginning of it.

        Raises:
            InputError: there is none, or several.
        """
        row = self.ledger.job(job_id)
        return Job(self, row.job_id, self.runner.live.get(row.job_id))

    def session(
        self,
        *,
        max_cost: str | None = None,
        max_jobs: int | None = None,
        max_shots: int | None = None,
        backend: str = "aer/simulator",
        experiment: str | None = None,
        project: str | None = None,
        cost_center: str | None = None,
        classification: str | None = None,
        name: str | None = None,
    ) -> Session:
        """Reserves an envelope for a loop; every job of this process draws from it until it is closed.

        Use it as `with lab.session(max_jobs=200) as session:`. At least one limit is needed.

        Args:
            max_cost: Decimal amount in the currency of the policy bundle.
            max_jobs: Jobs.
            max_shots: Shots over all jobs.
            backend: Where most of it will run: whose quotas are reserved.
            experiment: For its jobs that name none, and so are the following.
            project: See `submit`.
            cost_center: See `submit`.
            classification: See `submit`.
            name: What it is called.

        Raises:
            InputError: a limit cannot be used, or a session is open already.
            QuotaError: the envelope does not fit into the quotas as they are now.
        """
        self._same_process()
        order = SessionOrder(
            max_cost=max_cost, max_jobs=max_jobs, max_shots=max_shots, backend=backend, experiment=experiment,
            project=project, cost_center=cost_center, classification=classification, name=name,
        )  # fmt: skip
        return Session(self, self.runner.open_session(order).session_id)

    @property
    def current_session(self) -> Session | None:
        """The session that is open here; None when there is none."""
        envelope = self.runner.envelope
        return Session(self, envelope.session_id) if envelope else None

    def require_session(self, session_id: str) -> None:
        """Raises InputError unless this session is the open one."""
        envelope = self.runner.envelope
        if envelope is None or envelope.session_id != session_id:
            raise InputError("This session has ended.", "Open another one: with lab.session(max_jobs=200):")

    def backend(self, backend_id: str, **options: Any) -> LabBackend:
        """A Qiskit `BackendV2` whose jobs are governed; labels and `max_cost` as in `submit`, for all its runs."""
        from qpm_lab.interop.qiskit import LabBackend

        return LabBackend(self, backend_id, **options)

    def sampler(self, backend_id: str, **options: Any) -> LabSampler:
        """A Qiskit sampler (V2 primitive) whose runs are governed; labels and `max_cost` as in `submit`."""
        from qpm_lab.interop.qiskit import LabSampler

        return LabSampler(self, backend_id, **options)

    def estimator(self, backend_id: str, **options: Any) -> LabEstimator:
        """A Qiskit estimator (V2 primitive) whose runs are governed; labels and `max_cost` as in `submit`."""
        from qpm_lab.interop.qiskit import LabEstimator

        return LabEstimator(self, backend_id, **options)

    def record(self, job_id: str) -> dict[str, Any]:
        """The job as one JSON document (docs/record.md)."""
        live = self.runner.live.get(job_id)
        finished = live.finished() if live else ()
        return job_record(self.ledger, job_id, progress=self.runner.progress(job_id), finished=finished)

    def page(self, *, limit: int = 50, before: str | None = None, **filters: str | None) -> dict[str, Any]:
        """One page of jobs, newest first: `{"jobs": […], "more": bool}`.

        Args:
            limit: Jobs on the page, 1 to 500.
            before: The last job id of the page before.
            **filters: `status`, `experiment`, `text`, `user`, `session` (its id, or the latest of that name).
        """
        if not isinstance(limit, int) or not 1 <= limit <= MAX_PAGE:
            raise InputError(f"A page has 1 to {MAX_PAGE} jobs, not {limit!r}.", "Older ones are on the next page.")
        if filters.get("session"):
            filters["session"] = self.ledger.session(filters["session"] or "").session_id
        rows = self.ledger.jobs(before=before, limit=limit + 1, **filters)
        return {"jobs": [list_row(self.ledger, row) for row in rows[:limit]], "more": len(rows) > limit}

    def jobs(self, limit: int = 1000, **filters: str | None) -> pd.DataFrame:
        """The newest jobs as a table; filters as in `page`."""
        import pandas as pd

        rows: list[dict[str, Any]] = []
        more = True
        while more and len(rows) < limit:
            before = rows[-1]["job_id"] if rows else None
            page = self.page(limit=min(MAX_PAGE, limit - len(rows)), before=before, **filters)
            rows, more = rows + page["jobs"], page["more"]
        return pd.DataFrame([flat(row) for row in rows], columns=COLUMNS)

    def usage(self, by: str = "user") -> pd.DataFrame:
        """Who used what: jobs, shots, cost and time by user, team, cost_center, project, experiment, backend or day."""
        import pandas as pd

        return pd.DataFrame(self.usage_rows(by))

    def usage_rows(self, by: str = "user") -> list[dict[str, Any]]:
        """`usage` as plain rows with money as decimal strings."""
        rows = self.ledger.usage(by=by)
        return [money(row) for row in rows]

    def budgets(self) -> list[dict[str, Any]]:
        """Every quota that counts for this user now, with used, reserved and left; an open session's first."""
        envelope = self.runner.envelope
        own = quota_lines(self.ledger, [hold_dict(hold) for hold in envelope.all_holds()]) if envelope else []
        return own + budgets(self.ledger, self.rules.bundle(), self.principal, clock.now())

    def backends(self) -> pd.DataFrame:
        """What can be run on, and what each needs."""
        import pandas as pd

        return pd.DataFrame(self.backend_rows())

    def backend_ids(self) -> list[str]:
        """Ids of the backends that can run a job now; one that is not local takes it to a vendor."""
        return [info.id for info in providers.all_backends() if info.state == "ready"]

    def cancel(self, job_id: str) -> dict[str, Any]:
        """Asks a job to stop, whichever process runs it, and returns its record.

        Raises:
            InputError: it has ended already.
        """
        row = self.ledger.job(job_id)
        if row.status == Status.PARKED:
            raise InputError(f"Job {row.job_id} is parked.", f"Say what became of it: qpm jobs resolve {row.job_id}.")
        if row.status not in OPEN or self.ledger.request_cancel(row.job_id, self.principal.user) is None:
            raise InputError(f"Job {row.job_id} has ended ({row.status}).", "There is nothing to cancel.")
        live = self.runner.live.get(row.job_id)
        if live is not None:
            self.runner.cancel(live, f"{self.principal.user} asked")
            live.ended.wait(CANCEL_SECONDS)
        else:
            self.recover()
        return self.record(row.job_id)

    def recover(self) -> list[str]:
        """Closes the local jobs of processes that are gone and releases what they held; returns their ids."""
        remove_dead(self.home)
        return self.runner.recover(follow=self._follow)

    def head(self) -> int:
        """Number of the newest ledger entry."""
        return self.ledger.head()[0]

    def changed_jobs(self, after: int) -> tuple[int, list[str]]:
        """The newest entry number and the jobs touched since entry `after` (the last 500 entries)."""
        entries = self.ledger.tail(after)
        ids = list(dict.fromkeys(e.job_id for e in entries if e.job_id))
        return (entries[-1].seq if entries else after), ids

    def close(self) -> None:
        """Cancels what still runs here, records it and closes the ledger."""
        self._finish()

    def _same_process(self) -> None:
        if os.getpid() != self._pid:
            raise InputError("This Lab was made in another process.", "Make a new one here: lab = qpm_lab.Lab().")


_default: Lab | None = None
_default_lock = threading.Lock()


def default_lab(*, notebook_run: str | None = None, follow: bool = True) -> Lab:
    """The Lab of this process, made on first use; the arguments, those of `Lab`, count when it is made."""
    global _default
    with _default_lock:
        if _default is None or _default._pid != os.getpid():
            _default = Lab(notebook_run=notebook_run, follow=follow)
            if follow:
                _default.runner.keep_following()
        return _default


def close_default_lab() -> None:
    """Closes the Lab of this process if it was ever made."""
    global _default
    with _default_lock:
        lab, _default = _default, None
    if lab is not None:
        lab.close()


def _close(runner: Runner, ledger: Ledger, pid: int) -> None:
    if os.getpid() == pid:
        runner.close()
    ledger.close()


def current_user() -> str:
    """Who is logged in: the hub's name on a hub, else the login name."""
    name = os.environ.get("JUPYTERHUB_USER") or ""
    try:
        return name or getpass.getuser()
    except (OSError, KeyError, ImportError) as error:
        raise InputError(
            "Nobody is logged in: this process has no user name.", "Set USER or LOGNAME.", cause=error
        ) from error
