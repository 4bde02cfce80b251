"""Records and rows of jobs at vendors in every state, by hand."""

from __future__ import annotations

from typing import Any

from tests.display.documents import completed, reason, unfinished

PLACE = {"vendor": "IonQ", "region": "United States", "legal_seat": "US"}
IBM = {"vendor": "IBM Quantum", "region": "us-east", "legal_seat": "US"}
NOW = "2026-11-22T12:00:03Z"
QUOTE: dict[str, Any] = {
    "currency": "USD", "low": "0.4", "expected": "0.4", "high": "1.4", "source": "our contract", "as_of": "2026-11-01",
    "stale": False, "formula": "0.30 + 100 × 0.001", "qpu_seconds": "0", "channel": "IonQ direct", "confidence": "A",
    "reason": None, "native": None, "listed": None,
}  # fmt: skip
UNKNOWN: dict[str, Any] = {
    **QUOTE, "low": None, "expected": None, "high": None, "source": "", "as_of": "", "channel": "", "confidence": "",
    "reason": "No price is listed for ionq/qpu.forte-1. Write one into prices.yaml, see docs/prices.md.",
}  # fmt: skip
UNCLEAR = {
    "message": "Nobody can tell whether IonQ took this job: IonQ does not list it. It keeps what it holds.",
    "hint": "Look at IonQ, then say: qpm jobs resolve p1 --vendor-id ID, or --not-submitted.",
}


def standing(**changes: Any) -> dict[str, Any]:
    told = {"state": "queued", "queue_position": 3, "message": "queued at IBM Quantum, 3 before it", "as_of": NOW}
    return {**told, **changes}


def queued() -> dict[str, Any]:
    now = {"done": 0, "total": 4096, "unit": "shots", "message": "queued at IBM Quantum, 3 before it"}
    return unfinished(
        "queued", job_id="", name="waiting", backend="ibm/ibm_torino", place=IBM, standing=standing(), progress=now,
        vendor_ids=["d3k0"], quote={**QUOTE, "channel": "IBM pay-as-you-go", "confidence": "B"}, parked=None,
    )  # fmt: skip


def parked() -> dict[str, Any]:
    return unfinished(
        "parked", job_id="p1", name="nobody-knows", backend="ionq/qpu.forte-1", place=PLACE, quote=QUOTE,
        error={"type": "ParkedError", **UNCLEAR}, parked={**UNCLEAR, "vendor": "IonQ", "unclear": True}, vendor_ids=[],
    )  # fmt: skip


def paid(basis: str, amount: str, **changes: Any) -> dict[str, Any]:
    cost = {"currency": "USD", "amount": amount, "basis": basis}
    told = {"name": f"paid-{basis}", "backend": "ionq/qpu.forte-1", "place": PLACE, "quote": QUOTE, "cost": cost}
    return completed(**told, vendor_ids=["0191b5c1-7fbd-4c0c-9d3c-1f0a"], **changes)


def refunded() -> dict[str, Any]:
    error = {"type": "ProviderError", "message": "IonQ: the job failed: preflight", "hint": "See IonQ’s own page."}
    return paid("refunded", "0", status="failed", error=error, outcomes=None, counts=None, fidelity=None, next=None)


def denied() -> dict[str, Any]:
    why = [reason("price.unknown", "The price of this job is not known.", UNKNOWN["reason"], "")]
    decision = {"effect": "deny", "reasons": why, "policy": "personal", "policy_version": "sha256:9c41"}
    return unfinished(
        "denied", job_id="", name="unpriced", backend="ionq/qpu.forte-1", place=PLACE, quote=UNKNOWN, decision=decision,
        next=None, quota=[],
    )  # fmt: skip


def dry_run(quote: dict[str, Any]) -> dict[str, Any]:
    told = {"job_id": None, "ledger": None, "name": "explained", "backend": "ionq/qpu.forte-1", "place": PLACE}
    return unfinished("dry_run", **told, quote=quote, next=None)


STATES = [
    queued(),
    parked(),
    paid("billed", "0.4"),
    paid("metered", "0.61"),
    paid("quoted", "1.4"),
    refunded(),
    denied(),
    dry_run(QUOTE),
    dry_run(UNKNOWN),
]


def row(job_id: str, name: str, **changes: Any) -> dict[str, Any]:
    plain = {"job_id": job_id, "name": name, "status": "queued", "backend": "ionq/qpu.forte-1", "experiment": None}
    times = {"created_at": "2026-11-22T12:00:00Z", "started_at": None, "ended_at": None, "run_seconds": None}
    rest = {
        "shots": 100,
        "circuits": 1,
        "cost": None,
        "fidelity": None,
        "reasons": 0,
        "error": None,
        "validation": None,
    }
    return {**plain, **times, **rest, "cancel_requested": False, "standing": None, "parked": None, **changes}


ROWS = [
    row("q1", "waiting", backend="ibm/ibm_torino", standing=standing()),
    row(
        "r1",
        "at-work",
        status="running",
        standing=standing(state="running", queue_position=None, message="running at IonQ"),
    ),
    row("p1", "nobody-knows", status="parked", parked={**UNCLEAR, "vendor": "IonQ", "unclear": True}),
    row("c1", "paid-billed", status="completed", cost={"currency": "USD", "amount": "0.4"}),
]
