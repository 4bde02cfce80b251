"""Jobs, usage and backends as plain rows, for tables and for the panels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qpm_lab.experiment import BackendInfo, Status, from_nano
from qpm_lab.ledger import JobRow, Ledger
from qpm_lab.runner.vendor_record import parked, standing

PLAIN = [
    *("job_id", "name", "status", "backend", "shots", "circuits"),
    *("experiment", "project", "cost_center", "user", "team"),
    *("created_at", "started_at", "ended_at", "run_seconds", "session_id", "validation"),
]
COLUMNS = [*PLAIN, "reasons", "error", "cancel_requested", "cost", "currency", "fidelity_low", "fidelity_high"]
REFUSED = (Status.DENIED, Status.AWAITING_APPROVAL)


def list_row(ledger: Ledger, row: JobRow) -> dict[str, Any]:
    """A job as a line of a list; `reasons` counts why it was refused."""
    low, cost = row.fidelity_low, row.cost_nano
    return {
        **{name: getattr(row, name) for name in PLAIN},
        "cost": None if cost is None else {"currency": row.currency, "amount": from_nano(cost)},
        "fidelity": None if low is None else {"low": low, "high": row.fidelity_high},
        "reasons": _reasons(ledger, row),
        "error": row.error,
        "standing": standing(row),
        "parked": parked(row, ledger.entries(row.job_id)) if row.status == Status.PARKED else None,
        "cancel_requested": row.cancel_requested,
    }


def _reasons(ledger: Ledger, row: JobRow) -> int:
    if row.status not in REFUSED:
        return 0
    return len(ledger.entry(row.first_entry).payload["decision"]["reasons"])


def flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """A line without nested values, for a DataFrame with `COLUMNS`."""
    plain = dict(row)
    for block in ("standing", "parked"):
        plain.pop(block)
    cost, fidelity = plain.pop("cost") or {}, plain.pop("fidelity") or {}
    return {
        **plain,
        "cost": cost.get("amount"),
        "currency": cost.get("currency"),
        "fidelity_low": fidelity.get("low"),
        "fidelity_high": fidelity.get("high"),
    }


def money(row: Mapping[str, Any]) -> dict[str, Any]:
    """A usage line with its cost as decimal strings by currency."""
    plain = dict(row)
    plain["cost"] = {currency: from_nano(nano) for currency, nano in plain.pop("cost_nano").items()}
    return plain


def backend_row(info: BackendInfo) -> dict[str, Any]:
    """A backend as a line of a list."""
    names = ("id", "kind", "qubits", "local", "noisy", "state", "description", "note", "region", "legal_seat")
    return {**{name: getattr(info, name) for name in names}, "provider": info.provider, "gates": list(info.gates)}
