"""Job records in every state, as docs/record.md describes them; the gallery and the tests draw these."""

from __future__ import annotations

from typing import Any

DIGEST = "sha256:4be1" + "0f" * 30
FINGERPRINT = "sha256:77aa" + "1c" * 30
VERSION = "sha256:9c41" + "2b" * 30
HEADING = "Outcomes, with 95 % intervals for all at once"

BARS = [
    ("00000", 1962, 0.479, 0.452, 0.507),
    ("11111", 1917, 0.468, 0.441, 0.496),
    ("00001", 45, 0.011, 0.005, 0.019),
    ("11110", 37, 0.009, 0.004, 0.016),
    ("01111", 33, 0.008, 0.003, 0.015),
]


def bars(rows: list[tuple[str, int, float, float, float]]) -> list[dict[str, Any]]:
    return [dict(zip(("key", "count", "share", "low", "high"), row, strict=True)) for row in rows]


def outcomes(shown: list[dict[str, Any]], hidden: int = 0, share: float = 0.0) -> dict[str, Any]:
    return {
        "level": 0.95,
        "method": "Clopper–Pearson, simultaneous (Bonferroni over all outcomes)",
        "total": len(shown) + hidden,
        "shown": shown,
        "hidden": {"outcomes": hidden, "count": round(share * 4096), "share": share},
    }


def estimate(value: float | None, low: float | None, high: float | None, reason: str | None = None) -> dict[str, Any]:
    return {
        "value": value,
        "low": low,
        "high": high,
        "level": 0.95,
        "estimand": "heavy-set outcome fidelity",
        "method": "Heavy-set, exact (Clopper–Pearson).",
        "shots": 4096,
        "reason": reason,
    }


def quota(used: str = "121904", reserved: str = "0", **changes: Any) -> dict[str, Any]:
    line = {
        "quota": "shots-per-day",
        "measure": "shots",
        "scope": "user",
        "key": "ada",
        "window": "day",
        "unit": "shots",
        "limit": "1000000",
        "used": used,
        "reserved": reserved,
        "left": "878096",
        "renews_at": "2026-11-23T00:00:00Z",
        "owner": "lab",
    }
    return {**line, **changes}


def reason(rule: str, message: str, fix: str, owner: str = "finance") -> dict[str, Any]:
    return {
        "rule": rule,
        "kind": "rule",
        "message": message,
        "fix": fix,
        "owner": owner,
        "severity": "error",
        "details": {"limit": "50.00"},
    }


def completed(**changes: Any) -> dict[str, Any]:
    """The record of the drawing: GHZ-5 on the noisy simulator."""
    document = {
        "schema": 1,
        "job_id": "01JD8QK2V7M3",
        "name": "ghz5",
        "status": "completed",
        "backend": "aer/noisy",
        "shots": 4096,
        "seed": 7,
        "circuit": {
            "fingerprint": FINGERPRINT,
            "name": "ghz5",
            "qubits": 5,
            "clbits": 5,
            "depth": 6,
            "gates": {"h": 1, "cx": 4},
            "two_qubit_gates": 4,
        },
        "labels": {
            "experiment": "bell-family",
            "project": None,
            "cost_center": None,
            "classification": "internal",
        },
        "principal": {"user": "ada", "notebook_run": "4f1c"},
        "times": {
            "submitted_at": "2026-11-22T12:00:00.000000Z",
            "started_at": "2026-11-22T12:00:00.010000Z",
            "ended_at": "2026-11-22T12:00:00.410000Z",
            "queue_seconds": 0.0,
            "run_seconds": 0.4,
            "total_seconds": 0.41,
        },
        "usage": {
            "cpu_seconds": 0.4,
            "peak_memory_bytes": 212_000_000,
            "attempts": 1,
            "fallback": False,
            "stages_ms": {"prepare": 0.6, "run": 400.0},
        },
        "decision": {"effect": "allow", "reasons": [], "policy": "personal", "policy_version": VERSION},
        "quote": {
            "currency": "USD",
            "low": "0",
            "expected": "0",
            "high": "0",
            "source": "local simulation is free",
            "as_of": "2026-07-23",
            "stale": False,
            "formula": "0",
            "qpu_seconds": "0",
        },
        "cost": {"currency": "USD", "amount": "0", "basis": "quoted"},
        "counts": {row[0]: row[1] for row in BARS},
        "outcomes": outcomes(bars(BARS), 11, 0.025),
        "fidelity": estimate(0.958, 0.951, 0.965),
        "results": [],
        "quota": [quota()],
        "ledger": {"entry": 7, "digest": DIGEST},
        "notes": ["The circuit had no measurement, so all 5 qubits were measured."],
        "error": None,
        "progress": None,
        "next": {
            "text": "Run it again to collect comparable runs of this experiment.",
            "command": "%%qjob --experiment bell-family",
        },
    }
    return {**document, **changes}


def unfinished(status: str, **changes: Any) -> dict[str, Any]:
    times = {**completed()["times"], "ended_at": None, "run_seconds": None, "total_seconds": None}
    blank: dict[str, Any] = {
        "cost": None,
        "counts": None,
        "outcomes": None,
        "fidelity": None,
        "times": times,
        "notes": [],
    }
    return completed(
        status=status,
        **{**blank, "next": {"text": "The result appears here.", "command": "%qjobs"}, **changes},
    )


def running() -> dict[str, Any]:
    now = {"done": 512, "total": 4096, "unit": "shots", "message": "simulating"}
    return unfinished("running", progress=now)


def denied() -> dict[str, Any]:
    why = [
        reason(
            "limit.cost-per-job",
            "It would cost $3,212.00; a job may cost $50.00.",
            "At this limit 0 of 40 points fit; at 100 shots a point, 6 do.",
        ),
        reason(
            "team.month",
            "Team chemistry has $287.60 left this month.",
            "Ask for approval with --request-approval, or use a cheaper backend.",
            "",
        ),
    ]
    decision = {"effect": "deny", "reasons": why, "policy": "team", "policy_version": VERSION}
    return unfinished("denied", name="sweep-θ", backend="braket/ionq_forte-1", decision=decision, next=None, quota=[])


def wide() -> dict[str, Any]:
    """32 of 980 outcomes of 127 qubits."""
    rows = [(f"{i * 7919:0127b}", 40 - i, (40 - i) / 4096, 0.001, (60 - i) / 4096) for i in range(32)]
    return completed(
        name="a rather long name for a circuit that nobody would type twice in one day, or would they",
        outcomes=outcomes(bars(rows), 948, 0.803),
        fidelity=estimate(None, 0.31, 0.72, "The interval is wider than ± 0.1; 21,000 shots would bring it to ± 0.1."),
    )


def forty() -> dict[str, Any]:
    """40 qubits, so that keys are neither short nor hopeless."""
    rows = [(f"{i * 104729:040b}", 400 - i, (400 - i) / 4096, 0.06, 0.13) for i in range(1, 9)]
    return completed(name="forty", outcomes=outcomes(bars(rows), 90, 0.2))


def many() -> dict[str, Any]:
    blocks = [
        {
            "circuit": {**completed()["circuit"], "name": f"theta={i}"},
            "counts": {"0": 4000, "1": 96},
            "outcomes": outcomes(bars([("0", 4000, 0.9766, 0.97, 0.982), ("1", 96, 0.0234, 0.018, 0.03)])),
            "fidelity": estimate(0.95, 0.94, 0.96),
        }
        for i in range(7)
    ]
    return completed(name="sweep", results=blocks, outcomes=blocks[0]["outcomes"])


UNIFORM = (
    "The ideal outcomes are (nearly) uniform: every histogram looks like this one, so a histogram cannot "
    "measure fidelity here. That is normal."
)


def gallery() -> dict[str, dict[str, Any]]:
    """Every state by name."""
    half = bars([("0", 2050, 0.5005, 0.482, 0.519), ("1", 2046, 0.4995, 0.481, 0.518)])
    error = {
        "type": "ProviderError",
        "message": "The simulation's process was killed by signal 9.",
        "hint": "Close other programs or use fewer qubits, then run the cell again.",
    }
    tight = [
        quota("41.20", "5.00", limit="50", unit="USD", measure="cost", left="3.80"),
        quota(),
        quota("3", measure="jobs", unit="jobs", window="hour", limit="10000", scope="team", key="chemistry"),
    ]
    paid = {**completed()["quote"], "low": "1.10", "expected": "1.10", "high": "4.51", "source": "price list"}
    dry = {"job_id": None, "ledger": None, "quote": paid, "quota": tight}
    approval = {**denied()["decision"], "effect": "needs-approval"}
    return {
        "completed": completed(),
        "ideal": completed(
            backend="aer/simulator",
            fidelity=estimate(1.0, 0.998, 1.001, "ideal simulator: only sampling noise"),
        ),
        "uniform": completed(name="h0", outcomes=outcomes(half), fidelity=estimate(None, None, None, UNIFORM)),
        "bare": completed(fidelity=None, quota=[], notes=[], next=None),
        "above-one": completed(fidelity=estimate(0.998, 0.991, 1.004), quota=tight),
        "wide": wide(),
        "forty": forty(),
        "many": many(),
        "denied": denied(),
        "awaiting": {**denied(), "status": "awaiting_approval", "decision": approval},
        "submitted": unfinished("submitted"),
        "queued": unfinished(
            "queued", progress={"done": 0, "total": 0, "unit": "shots", "message": "3rd in line, about 4 min"}
        ),
        "running": running(),
        "parked": unfinished("parked"),
        "failed": unfinished("failed", error=error, next={"text": error["hint"], "command": None}),
        "cancelled": unfinished(
            "cancelled", error={**error, "message": "The job was cancelled.", "hint": "Run the cell again."}
        ),
        "dry-run": unfinished("dry_run", **dry),
        "dry-run-denied": unfinished("dry_run", **dry, decision=denied()["decision"]),
        "hostile": completed(
            name="<script>alert(1)</script>\" onload='x' \u202egnp.exe \x1b[31m עברית",
            notes=["</style><img src=x onerror=alert(1)>", "&lt;b&gt;"],
            backend="x/</section>",
        ),
    }
