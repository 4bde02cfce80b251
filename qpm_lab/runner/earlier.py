"""What an earlier process knew of an attempt at a vendor, as the ledger has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qpm_lab.errors import CancelledError, ProviderError, QpmError
from qpm_lab.runner.duplicates import EVENT

if TYPE_CHECKING:
    from qpm_lab.ledger import Entry

ENDING = "vendor.ending"
"""The attempt has no result any more, while parts of it still go on at the vendor."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """All by the number of the part."""

    accepted: Mapping[int, str]
    """The vendor's ids."""
    also: Mapping[int, tuple[str, ...]]
    """Further ids under the part's token that nobody has asked to stop yet."""
    cause: QpmError | None = None
    """Why the attempt has no result any more."""


def read_earlier(entries: Sequence[Entry], attempt: int) -> Earlier:
    """From all entries of a job, for its present attempt."""
    accepted: dict[int, str] = {}
    also: dict[int, tuple[str, ...]] = {}
    cause = None
    for entry in entries:
        if entry.attempt != attempt:
            continue
        if entry.event == "job.accepted":
            accepted[entry.payload["part"]] = entry.payload["vendor_id"]
        elif entry.event == EVENT and "part" in entry.payload:
            stopped = "stopped" in entry.payload
            also[entry.payload["part"]] = () if stopped else tuple(entry.payload["vendor_ids"][1:])
        elif entry.event == ENDING:
            cause = _cause(entry.payload)
    return Earlier(accepted, also, cause)


def ending(cause: QpmError) -> dict[str, Any]:
    """What an entry says of why an attempt ends."""
    return {"error": cause.to_dict(), "retryable": isinstance(cause, ProviderError) and cause.retryable}


def _cause(told: Mapping[str, Any]) -> QpmError:
    error = told["error"]
    if error["type"] == CancelledError.__name__:
        return CancelledError(error["message"], error["hint"])
    return ProviderError(error["message"], error["hint"], retryable=told["retryable"])
