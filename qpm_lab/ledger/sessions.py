"""The transactions of a session: an envelope of the quotas, reserved once, drawn down by jobs, released at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from qpm_lab.errors import InputError
from qpm_lab.experiment import Hold
from qpm_lab.ledger import counters, projection
from qpm_lab.ledger.rows import Entry, NewSession, Owner, SessionRow, timestamp
from qpm_lab.ledger.schema import sessions
from qpm_lab.ledger.transaction import Abandoned, Transaction

_SESSION = sessions.c.session_id == sa.bindparam("p_session")
_READ = sa.select(sessions).where(_SESSION)
_BY_NAME = (
    sa.select(sessions)
    .where(sessions.c.name == sa.bindparam("p_name"))
    .order_by(sessions.c.first_entry.desc())
    .limit(1)
)
_OPEN = sa.select(sessions).where(sessions.c.status == "open").order_by(sessions.c.first_entry.desc())
_INSERT = sessions.insert()
_UPDATE = sessions.update().where(_SESSION)
_RENEW = _UPDATE.where(sessions.c.status == "open")


class SessionTransaction(Transaction):
    """What happens to sessions."""

    def open(self, session: NewSession, payload: Mapping[str, Any], holds: Sequence[Hold], owner: Owner) -> Entry:
        facts = counters.hold_facts(holds)
        told = {"session": projection.session_facts(session), "owner": projection.owner_facts(owner)}
        self._require_new(session.session_id)
        self._reserve(session.session_id, facts, holds)
        entry = self._append("session.opened", payload, told, facts=facts)
        lease = {"lease_until": timestamp(owner.lease_until)}
        self._connection.execute(_INSERT, projection.session_changes(entry) | lease)
        self._close()
        return entry

    def close(self, session_id: str, payload: Mapping[str, Any]) -> Entry:
        session = read(self._connection, session_id)
        if not session.open:
            raise Abandoned
        session_id = session.session_id
        released = {key: held.amount for key, held in counters.held(self._connection, session_id).items()}
        counters.settle(self._connection, released, dict.fromkeys(released, 0))
        counters.release(self._connection, session_id)
        entry = self._append("session.closed", payload, {"session_id": session_id, "released": released})
        self._connection.execute(_UPDATE, {"p_session": session_id} | projection.session_changes(entry))
        self._close()
        return entry


def renew(connection: sa.Connection, session_id: str, lease_until: datetime) -> bool:
    """Moves a lease, if the session is open; needs no entry and not the end of the chain."""
    values = {"p_session": session_id, "lease_until": timestamp(lease_until)}
    return connection.execute(_RENEW, values).rowcount == 1


def read(connection: sa.Connection, session_id: str) -> SessionRow:
    """A session by its id, or the latest one of that name.

    Raises:
        InputError: there is none.
    """
    row = connection.execute(_READ, {"p_session": session_id}).mappings().one_or_none()
    row = row or connection.execute(_BY_NAME, {"p_name": session_id}).mappings().one_or_none()
    if row is None:
        raise InputError(f"There is no session {session_id[:80]!r}.", "Its name is in the record of each of its jobs.")
    return _row(row)


def read_open(connection: sa.Connection) -> list[SessionRow]:
    """All sessions that jobs may draw from, newest first."""
    return [_row(row) for row in connection.execute(_OPEN).mappings()]


def _row(row: sa.RowMapping) -> SessionRow:
    lease = row["lease_until"]
    return SessionRow(**{**row, "lease_until": lease and datetime.fromisoformat(lease)})
