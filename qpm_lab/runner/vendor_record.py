"""The blocks of a job's record that say where it is at its vendor; docs/record.md describes them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from qpm_lab import providers
from qpm_lab.experiment import BackendInfo, Status
from qpm_lab.ledger import Entry, JobRow
from qpm_lab.runner.recovery import attempt_of


def vendor_blocks(row: JobRow, entries: Sequence[Entry]) -> dict[str, Any]:
    """Who has the job, under which ids, how it stood when last asked, and why it is parked.

    Args:
        row: The job.
        entries: All of its entries, in order.
    """
    return {
        "vendor_ids": [e.payload["vendor_id"] for e in entries if e.event == "job.accepted"],
        "place": place(row.backend),
        "standing": standing(row),
        "parked": parked(row, entries),
    }


def place(backend_id: str) -> dict[str, str] | None:
    """Who gets a circuit and where it is run, as the adapter states it; None when nothing leaves this machine."""
    remote = providers.vendors().get(backend_id.partition("/")[0])
    known: Sequence[BackendInfo] = remote.vendor.backends if remote else ()
    info = next((each for each in known if each.id == backend_id), None)
    if remote is None or info is None or info.local:
        return None
    return {"vendor": remote.vendor.title, "region": info.region, "legal_seat": info.legal_seat}


def standing(row: JobRow) -> dict[str, Any] | None:
    """State, queue position and words of an open job at its vendor, as of when it was last written down."""
    if not row.standing or not row.open or place(row.backend) is None:
        return None
    told: dict[str, Any] = json.loads(row.standing)
    return told


def parked(row: JobRow, entries: Sequence[Entry]) -> dict[str, Any] | None:
    """Why a job waits for a person, and whether it is open that the vendor has all of it; None for any other."""
    if row.status != Status.PARKED:
        return None
    entry = next(each for each in reversed(entries) if each.event == "job.parked")
    error, present = entry.payload["error"], attempt_of(entries)
    accepted = sum(1 for each in entries if each.event == "job.accepted" and each.attempt == row.attempt)
    return {
        "message": error["message"],
        "hint": error["hint"],
        "vendor": (place(row.backend) or {}).get("vendor", ""),
        "unclear": accepted < len(sent := present.payload.get("parcels", ())),
        "tokens": [parcel["token"] for parcel in sent[accepted : accepted + 1]],
    }
