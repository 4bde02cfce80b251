"""`Session`: a loop with a budget of its own, reserved once and drawn down."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any

from qpm_lab.runner.sessions import session_record

if TYPE_CHECKING:
    from qpm_lab.job import Job
    from qpm_lab.lab import Lab


class Session:
    """An open envelope of jobs, shots or cost; made by `Lab.session`, closed at the end of its `with` block.

    While it is open every job of this process on the same ledger draws from it, also those of the magics and of
    backends, primitives and devices made before. A step that would exceed it is refused before it runs; what was
    not used is released when it closes, or when the process dies.

    >>> from qpm_lab import Lab
    >>> lab = Lab()
    >>> with lab.session(max_jobs=2, name="two") as session:
    ...     for _ in range(2):
    ...         counts = session.submit("OPENQASM 3; qubit[1] q; U(1, 0, 0) q[0];", shots=10).result().counts
    >>> session.record()["jobs"]["completed"]
    2
    """

    def __init__(self, lab: Lab, session_id: str) -> None:
        self.id = session_id
        self._lab = lab

    def submit(self, circuit: Any, **options: Any) -> Job:
        """Submits a job that draws from this session; takes the options of `Lab.submit`.

        Raises:
            InputError: the session has ended.
            QuotaError: the envelope does not suffice; nothing was run.
        """
        self._lab.require_session(self.id)
        return self._lab.submit(circuit, **options)

    def record(self) -> dict[str, Any]:
        """What it may use, what it used and what is left, as one JSON document (docs/record.md)."""
        return session_record(self._lab.ledger, self.id)

    def close(self) -> None:
        """Ends the session and releases what it did not use; closing again changes nothing."""
        self._lab.runner.close_session(self.id)

    def __enter__(self) -> Session:
        self._lab.require_session(self.id)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from qpm_lab.display import session_html, session_text

        record = self.record()
        return {"text/plain": session_text(record), "text/html": session_html(record)}

    def __repr__(self) -> str:
        record = self.record()
        return f"<Session {record['name']} {record['status']}>"
