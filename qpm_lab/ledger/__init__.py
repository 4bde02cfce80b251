"""What happened: an append-only, hash-chained record, the quotas that depend on it, and proofs of both.

`Ledger` is the way in; `rows` has the values that go in and come out, `owner` says who looks after a job.
"""

from qpm_lab.ledger.ledger import Ledger
from qpm_lab.ledger.owner import OwnerLock, host_id, owner_gone, remove_dead
from qpm_lab.ledger.proof import InclusionProof, verify_inclusion
from qpm_lab.ledger.rows import (
    Blob,
    Counter,
    Ending,
    Entry,
    JobRow,
    NewJob,
    NewSession,
    Owner,
    SessionRow,
    sha256,
    timestamp,
)
from qpm_lab.ledger.signing import is_checkpoint
from qpm_lab.ledger.verify import Report

__all__ = [
    "Blob",
    "Counter",
    "Ending",
    "Entry",
    "InclusionProof",
    "JobRow",
    "Ledger",
    "NewJob",
    "NewSession",
    "Owner",
    "OwnerLock",
    "Report",
    "SessionRow",
    "host_id",
    "is_checkpoint",
    "owner_gone",
    "remove_dead",
    "sha256",
    "timestamp",
    "verify_inclusion",
]
