"""The blocks of a job's record that say how far to trust its result; docs/record.md describes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qpm_lab.ledger import Entry, JobRow, Ledger
from qpm_lab.runner.canary_record import block as canary_block
from qpm_lab.runner.naming import more_shots
from qpm_lab.runner.plan import Plan
from qpm_lab.runner.route_record import present
from qpm_lab.runner.validated import validation_block

LATER_ADDED = {"shots_needed": None, "assumption": None}
"""Keys of an estimate that the first ledgers do not have."""


def trust_blocks(
    ledger: Ledger, row: JobRow, entries: Sequence[Entry], ended: Mapping[str, Any]
) -> dict[str, dict[str, Any] | None]:
    """Those of a recorded job; each is None where it does not apply, as in ledgers written before there were any.

    Args:
        ledger: Where it is recorded.
        row: The job.
        entries: All its entries.
        ended: The payload of its outcome; empty while it has none.
    """
    asked = present(entries)
    return {
        "rerun": _rerun(row, ended.get("rerun"), routed="route" in asked),
        "validation": validation_block(ledger, row, entries),
        "companions": asked.get("companions"),
        "twirl": asked.get("twirl"),
        "calibration": asked.get("calibration"),
        "canary": canary_block(asked, entries, row.canary_successes),
    }


def planned_blocks(plan: Plan) -> dict[str, dict[str, Any] | None]:
    """Those of a request that was only explained: what would be run besides, or in other variants."""
    blocks: dict[str, dict[str, Any] | None] = {}
    if plan.companions is not None:
        blocks["companions"] = {**plan.companions.told(), "digest": None}
    if plan.twirl is not None:
        blocks["twirl"] = {"kind": plan.twirl, "variants": plan.request.variants, "seed": plan.request.seed}
    return blocks


def _rerun(row: JobRow, told: Mapping[str, Any] | None, *, routed: bool) -> dict[str, Any] | None:
    if told is None:
        return None
    command = more_shots(row.job_id, told["shots"], row.backend, routed=routed)
    return {"shots": told["shots"], "command": command, "quote": told["quote"]}
