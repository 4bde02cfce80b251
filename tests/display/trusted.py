"""Records by hand of what has been judged: flags, refusals with a rerun, validations, further circuits, canaries."""

from __future__ import annotations

from typing import Any

from .documents import completed, estimate

DIGEST = "sha256:c0ff" + "ee" * 30
MIRROR = "process fidelity (mirror circuits)"
ASSUMED = "Errors act on a random circuit of the same shape as they do on this one."
PRICED = {
    "currency": "USD",
    "low": "0.30",
    "expected": "0.36",
    "high": "0.36",
    "source": "price list",
    "as_of": "2026-07-23",
    "stale": False,
    "formula": "",
    "qpu_seconds": "0",
}


def hellinger(low: float, high: float, value: float | None = None) -> dict[str, Any]:
    return {
        **estimate(value, low, high),
        "estimand": "Hellinger fidelity (Σ√(pq))²",
        "method": "model-assisted interval",
        "shots_needed": None,
        "assumption": None,
    }


def compared(value: float | None, low: float, high: float, flag: str = "none", **changes: Any) -> dict[str, Any]:
    """The fidelity of a histogram that was compared with the exact distribution."""
    return {
        **estimate(value, low, high),
        "shots_needed": None,
        "assumption": None,
        "flag": flag,
        "hellinger": hellinger(low - 0.02, high - 0.01, low),
        "misfit_z": 0.4,
        "dispersion": {"blocks": 20, "ratio": 1.02, "p_value": 0.43, "warning": None},
        **changes,
    }


def rerun(quote: dict[str, Any] | None = None, shots: int = 12_000) -> dict[str, Any]:
    command = f"%qjob --again {completed()['job_id']} --shots {shots}"
    return {"shots": shots, "command": command, "quote": quote or completed()["quote"]}


def refused(**changes: Any) -> dict[str, Any]:
    """Too few shots for a value: the interval, the shots that would do, and their price."""
    why = "400 shots leave the interval wider than ± 0.1, too wide for a single value."
    estimated = {**compared(None, 0.62, 0.89), "reason": why, "shots_needed": 12_000}
    proposed = {"text": "With 12,000 shots the fidelity can be given as a value.", "command": rerun()["command"]}
    return completed(shots=400, fidelity=estimated, **{"rerun": rerun(), "next": proposed, **changes})


def condition(text: str, low: float, high: float, threshold: float, passed: bool) -> dict[str, Any]:
    ends = {"value": (low + high) / 2, "low": low, "high": high, "threshold": threshold}
    return {"text": text, "passed": passed, **ends, "reason": None}


def judged(passed: bool, attempts: int = 1, earlier: tuple[int, int] = (0, 0), **changes: Any) -> dict[str, Any]:
    """A job that was asked for a fidelity, and whether it had it."""
    asked = 0.9 if passed else 0.96
    verdict = {
        "passed": passed,
        "conditions": [condition(f"fidelity>={asked}", 0.951, 0.965, asked, passed)],
        "attempts": attempts,
        "earlier": {"passed": earlier[0], "failed": earlier[1]},
    }
    return completed(fidelity=compared(0.958, 0.951, 0.965), validation=verdict, **changes)


def canary(alarm: bool = False) -> dict[str, Any]:
    told = {
        "series": "aer/noisy ghz4-echo",
        "successes": 890 if alarm else 953,
        "shots": 1000,
        "alarm": alarm,
        "evidence": 1480.2 if alarm else 0.31,
        "threshold": 1000,
        "rate": {"low": 0.869, "high": 0.909} if alarm else {"low": 0.938, "high": 0.966},
        "canaries": 7,
        "text": "Drift: the share of successes has fallen below 0.9309."
        if alarm
        else "No sign of drift in 7 canaries.",
    }
    return completed(name="canary", canary=told)


def large(**changes: Any) -> dict[str, Any]:
    """A circuit beyond simulation, measured by further circuits of the same job."""
    told = {
        **estimate(0.78, 0.745, 0.815),
        "estimand": MIRROR,
        "method": "mirror circuits, log-t",
        "assumption": ASSUMED,
    }
    return completed(
        name="qaoa-100",
        fidelity={**told, "shots_needed": None},
        companions={
            "method": "mirror",
            "circuits": 90,
            "shots": 100,
            "seed": 7,
            "chosen_by": "auto",
            "assumption": "The circuit is not twirled, so mirror circuits and not Clifford proxies.",
            "digest": DIGEST,
        },
        twirl={"kind": "readout", "variants": 32, "seed": 7},
        calibration={"digest": DIGEST, "description": "noise model of aer/noisy"},
        **changes,
    )


def gallery() -> dict[str, dict[str, Any]]:
    """Every state by name."""
    red = compared(0.983, 0.974, 0.991, "red", hellinger=hellinger(0.21, 0.34, 0.28), misfit_z=41.2)
    spread = {
        "blocks": 20,
        "ratio": 3.4,
        "p_value": 1e-6,
        "warning": "shots are not independent: 20 blocks differ by more",
    }
    return {
        "compared": completed(fidelity=compared(0.958, 0.951, 0.965)),
        "red": completed(name="trotter-6", fidelity=red),
        "amber": completed(fidelity=compared(0.958, 0.951, 0.965, "amber", misfit_z=4.1)),
        "dispersed": completed(fidelity=compared(0.958, 0.951, 0.965, dispersion=spread)),
        "refused": refused(),
        "refused-priced": refused(rerun=rerun(PRICED)),
        "refused-unpriced": refused(rerun=rerun({**PRICED, "low": None, "expected": None, "high": None}), next=None),
        "passed": judged(True),
        "passed-late": judged(True, 3, (1, 1)),
        "unmet": judged(False, 2, (0, 1)),
        "large": large(),
        "canary": canary(),
        "drifted": canary(alarm=True),
    }
