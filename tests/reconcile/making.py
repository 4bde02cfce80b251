"""Jobs that were at a vendor, as the runner records them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qpm_lab.experiment import to_nano
from qpm_lab.ledger import Ledger

from ..ledger.making import new_job, owner


def job(
    ledger: Ledger,
    *vendor_ids: str,
    cost: str | None = "0.30",
    currency: str = "USD",
    backend: str = "braket/iqm_garnet",
    ending: str = "job.completed",
    **labels: Any,
) -> str:
    """Records one job, accepted in as many parts as there are ids; returns its id. `cost` None: still open."""
    new = new_job(backend=backend, **labels)
    ledger.submit(new, {}, [], owner())
    for part, vendor_id in enumerate(vendor_ids):
        told = {"part": part, "token": f"token-{new.job_id}-{part}", "vendor_id": vendor_id}
        assert ledger.accepted(new.job_id, 1, told, vendor_ids[0]) is not None
    if cost is not None:
        nano = to_nano(cost)
        payload = {"cost": {"currency": currency, "nano": nano, "basis": "quoted"}}
        summary = {"cost_nano": nano, "currency": currency}
        assert ledger.finish(new.job_id, 1, ending, payload, settled={}, summary=summary) is not None
    return new.job_id


def written(path: Path, *rows: str, encoding: str = "utf-8") -> Path:
    path.write_bytes("\r\n".join([*rows, ""]).encode(encoding))
    return path
