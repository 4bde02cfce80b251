"""Documents of the studies, as the Lab gives them: a plan of shots, comparisons, canaries."""

from __future__ import annotations

from typing import Any

QUOTE = {
    "currency": "USD",
    "low": "97.5",
    "expected": "97.5",
    "high": "104.2",
    "source": "example.com/prices",
    "as_of": "2026-07-23",
    "stale": False,
    "formula": "…",
    "qpu_seconds": "0",
}
FREE = {**QUOTE, "low": "0", "expected": "0", "high": "0", "source": "local"}
ALLOWED = {"effect": "allow", "reasons": [], "policy": "personal", "policy_version": "sha256:00"}
REASON = {
    "rule": "limit.cost-per-job",
    "kind": "rule",
    "message": "It may cost $104.20; a job may cost $20.00.",
    "fix": "Ask for fewer shots.",
    "owner": "lab",
    "severity": "error",
    "details": {},
}
DENIED = {**ALLOWED, "effect": "deny", "reasons": [REASON]}


def row(backend: str, **more: Any) -> dict[str, Any]:
    """One backend of a plan."""
    keys = "measured shots shots_expected predicted_fidelity companions total_shots quote decision reason command"
    return {"backend": backend, "state": "ready", "note": None, **dict.fromkeys(keys.split()), **more}


def command(backend: str) -> str:
    """What a row says to write."""
    return f"%qjob qc --backend {backend} --shots 2501"


PLAN: dict[str, Any] = {
    "half_width": 0.02,
    "level": 0.95,
    "circuit": {"name": "ghz5", "fingerprint": "sha256:4be1d00dfeed"},
    "circuits": 1,
    "name": "ghz5",
    "reason": None,
    "rows": [
        row("aer/simulator", measured="none", reason="ideal simulator: no fidelity to plan, sampling noise only"),
        row(
            "aer/noisy",
            measured="histogram",
            shots=2501,
            shots_expected=810,
            predicted_fidelity=0.931,
            quote=FREE,
            decision=ALLOWED,
            command=command("aer/noisy"),
        ),
        row(
            "ionq/qpu.forte-1",
            measured="histogram",
            shots=2501,
            quote=QUOTE,
            decision=DENIED,
            command=command("ionq/qpu.forte-1"),
        ),
        row(
            "far/away",
            state="not-installed",
            note="No adapter yet.",
            measured="histogram",
            shots=2501,
            quote={**QUOTE, "low": None, "high": None},
            decision=ALLOWED,
        ),
    ],
}
LARGE: dict[str, Any] = {
    **PLAN,
    "rows": [
        row(
            "aer/noisy",
            measured="proxy",
            shots=1000,
            companions={"method": "proxy", "circuits": 2000, "shots": 1},
            quote=FREE,
            decision=ALLOWED,
            reason="2,000 further circuits of 1 shot measure it to ± 0.044 or better, and this version runs no more.",
        )
    ],
}
IDS = ("4be1c2d3e4f50617", "9f02aa11bb22cc33", "1d77e0aa55bb66cc")


def pair(first: int, second: int, distance: float, upper: float) -> dict[str, Any]:
    """Two runs of a comparison."""
    return {"first": first, "second": second, "distance": distance, "upper": upper, "lower": distance - 0.02}


def circuit(verdict: str, *pairs: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    """One circuit of a comparison."""
    estimand = "total variation distance of each pair"
    return {"name": "bell", "verdict": verdict, "estimand": estimand, "pairs": list(pairs), "reason": reason}


def comparison(verdict: str, *circuits: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A comparison of three runs."""
    runs = [
        {"job_id": job, "name": "bell", "backend": "aer/noisy", "shots": 4000, "seed": n, "fingerprint": "sha256:4be1d"}
        for n, job in enumerate(IDS, 11)
    ]
    empty = {"delta": 0.1, "alpha": 0.05, "reason": None, "shots_needed": None, "rerun": None, "warnings": []}
    return {"verdict": verdict, **empty, "runs": runs, "circuits": list(circuits), **more}


EQUIVALENT = comparison(
    "equivalent", circuit("equivalent", pair(0, 1, 0.013, 0.031), pair(0, 2, 0.021, 0.042), pair(1, 2, 0.017, 0.036))
)
INCONCLUSIVE = comparison(
    "inconclusive",
    circuit("inconclusive", pair(0, 1, 0.07, 0.13), pair(0, 2, 0.06, 0.12), pair(1, 2, 0.02, 0.08)),
    reason="Runs 1 and 2 may be up to 0.13 apart. If they are the same, 6,400 shots of each will show it.",
    shots_needed=6400,
    rerun={"shots": 6400, "command": f"%qjob --again {IDS[2]} --shots 6400", "quote": QUOTE},
    warnings=["The runs have different numbers of shots: 1,000, 4,000."],
)


def canary(successes: int, at: int, evidence: float | None = None, alarm: bool = False) -> dict[str, Any]:
    """One canary of a history."""
    rate = successes / 1000
    return {
        "job_id": f"{at:016x}",
        "at": f"2026-11-{at:02}T12:00:00.000000Z",
        "successes": successes,
        "shots": 1000,
        "rate": rate,
        "low": rate - 0.015,
        "high": min(1.0, rate + 0.013),
        "watched": evidence is not None,
        "evidence": evidence,
        "alarm": alarm,
        "threshold": None if evidence is None else 1000,
    }


BEGUN = [canary(k, n) for n, k in enumerate((951, 948, 955, 950, 946), 1)]
WATCHED = [canary(k, n, e) for n, (k, e) in enumerate(((949, 0.7), (953, 0.4), (947, 1.1)), 6)]
FALLEN = [canary(921, 9, 240.0), canary(903, 10, 52000.0, True), canary(899, 11, 8e8, True)]


def history(*points: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A series with these canaries."""
    known = len(points) >= 5
    last = points[-1] if points else {}
    return {
        "series": "aer/noisy 4be1d00dfeed4be1 1000 #1",
        "backend": "aer/noisy",
        "circuit": {"name": "canary-ghz4"},
        "shots": 1000,
        "level": 0.95,
        "tolerance": 0.01,
        "arl": 1000,
        "needed": 5,
        "baseline_number": 1,
        "canaries": len(points),
        "baseline": {"canaries": 5, "rate": 0.95, "low": 0.947, "high": 0.953} if known else None,
        "floor": 0.94 if known else None,
        "alarm": last.get("alarm", False),
        "evidence": last.get("evidence"),
        "threshold": last.get("threshold"),
        "history": list(points),
        "left_out": 0,
        "command": "%qcanary aer/noisy --shots 1000 --circuit qc",
        "warning": None,
        "text": "No sign of drift in 8 canaries, 5 of which are the baseline.",
        "promise": "On average at most one false alarm in 1,000 canaries while the success rate stays above the floor, "
        "0.94 (floor = lower 95 % bound of the baseline − tolerance 0.01; the bound is one-sided).",
        **more,
    }


EMPTY = history(text="No canary yet. The first 5 are the baseline.")
HEALTHY = history(*BEGUN, *WATCHED)
UNWATCHED = history(
    *BEGUN,
    {**canary(949, 6), "watched": None},
    floor=None,
    text="A rate of 0.95 leaves no room for a tolerance of 0.99 below it. Drift is not watched.",
    promise="",
)
COPIED = history(*BEGUN, *WATCHED, warning="The same simulation as canary 4be1 (seed 7): it shows nothing new.")
DRIFTED = history(*BEGUN, *WATCHED, *FALLEN, text="Drift: the share of successes has fallen below 0.94.")
