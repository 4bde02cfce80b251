"""A vendor that lists several jobs under one token of ours: one is followed, the others are asked to stop."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qpm_lab.errors import QpmError

if TYPE_CHECKING:
    from qpm_lab.ledger import Entry
    from qpm_lab.providers.remote import RemoteProvider

EVENT = "vendor.duplicates"
OVER = ("done", "failed", "cancelled")
"""States in which a vendor job no longer runs or waits."""


def stop_duplicates(
    provider: RemoteProvider, backend_id: str, found: Sequence[str], followed: Collection[str]
) -> dict[str, Any]:
    """Asks the vendor to stop what it has twice; what it does not stop costs money, but no job is lost for it.

    Args:
        provider: The vendor.
        backend_id: The machine.
        found: Its ids under exactly our token, that of the job that is followed first.
        followed: Ids of all parts of the job; none of them is stopped.

    Returns:
        What the ledger notes of it.
    """
    stopped, over, errors = [], [], {}
    for vendor_id in found:
        if vendor_id in followed:
            continue
        try:
            if _is_over(provider, backend_id, vendor_id):
                over.append(vendor_id)
                continue
            provider.stop(backend_id, vendor_id)
            stopped.append(vendor_id)
        except QpmError as error:
            errors[vendor_id] = error.message[:300]
    told = {"vendor_ids": list(found), "vendor": provider.vendor.title}
    return {**told, "stopped": stopped, "over": over, "errors": errors}


def _is_over(provider: RemoteProvider, backend_id: str, vendor_id: str) -> bool:
    """Vendors take the wish to stop what has ended too, and say nothing. One that does not say is asked to stop it."""
    try:
        return provider.standing(backend_id, vendor_id).state in OVER
    except QpmError:
        return False


def duplicates_line(entry: Entry) -> str:
    """The same for the user, as one sentence; ledgers of earlier versions have the ids only."""
    told: Mapping[str, Any] = entry.payload
    ids, stopped, errors = told["vendor_ids"], told.get("stopped", ()), told.get("errors", {})
    line = f"{told.get('vendor', 'The vendor')} has this job {len(ids):,} times under one token: {ids[0]} is followed"
    line += f", {', '.join(stopped)} asked to stop" if stopped else ""
    line += "".join(f"; {each} had ended already and may be billed" for each in told.get("over", ()))
    line += "".join(f"; {each} may still run and be billed ({why.rstrip('.')})" for each, why in errors.items())
    return line + ("." if stopped or errors or told.get("over") else f"; look at {', '.join(ids[1:])}.")
