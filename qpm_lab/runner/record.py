"""A job as one JSON document, told from the ledger; docs/record.md describes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qpm_lab import fidelity
from qpm_lab.circuits import Bindings
from qpm_lab.experiment import OPEN, Decision, Hold, Reason, Status, from_nano
from qpm_lab.ledger import Counter, Entry, JobRow, Ledger
from qpm_lab.providers.interface import Progress
from qpm_lab.runner.intent import bindings_of
from qpm_lab.runner.next_step import next_step
from qpm_lab.runner.outcome import counts_of
from qpm_lab.runner.plan import Plan
from qpm_lab.runner.route_record import planned_block, present, route_block
from qpm_lab.runner.sweep_record import sweep_block
from qpm_lab.runner.trust_record import LATER_ADDED, planned_blocks, trust_blocks
from qpm_lab.runner.vendor_record import place, standing, vendor_blocks

SCHEMA = 1
MAX_COUNTS = 4096
"""Outcomes in a record, over all its circuits: a record is stored in a notebook."""
MAX_SHOWN = 32
LEVEL = 0.95
OUTCOME_METHOD = "Clopper–Pearson, simultaneous (Bonferroni over all outcomes)"


def job_record(
    ledger: Ledger,
    job_id: str,
    *,
    progress: Progress | None = None,
    finished: Sequence[Mapping[str, int]] = (),
) -> dict[str, Any]:
    """The document of one job as the ledger knows it now.

    Args:
        ledger: Where it is recorded.
        job_id: The job.
        progress: How far it is, when it runs in this process.
        finished: The histograms of a sweep that are complete, while it runs in this process.

    Raises:
        InputError: no such job.
    """
    row = ledger.job(job_id)
    entries = ledger.entries(row.job_id)
    asked = entries[0].payload
    ended = _outcome(entries)
    document = _blank()
    document.update(_identity(ledger, row, asked), times=_times(row, ended), usage=_usage(row, ended))
    now = present(entries)
    document.update(decision=now["decision"], quote=now["quote"], notes=list(now["notes"]))
    document["quota"] = quota_lines(ledger, _held(entries))
    document["ledger"] = {"entry": entries[-1].seq, "digest": entries[-1].digest}
    document["error"] = ended.get("error") or (_parked(entries) if row.status == Status.PARKED else None)
    document.update(vendor_blocks(row, entries))
    if "cost" in ended:
        document["cost"] = _cost(ended)
    if "counts_blob" in ended or (finished and "sweeps" in asked):
        counts = _counts(ledger, ended) if "counts_blob" in ended else finished
        document.update(_results(ledger, asked, ended, counts))
    document.update(trust_blocks(ledger, row, entries, ended), route=route_block(entries, ended))
    if row.status in OPEN:
        document["progress"] = _progress(progress or _standing(row))
    document["next"] = next_step(document)
    return document


def dry_run_record(plan: Plan, decision: Decision, ledger: Ledger) -> dict[str, Any]:
    """The document of a request that was only explained: nothing recorded, held or sent."""
    request = plan.request
    document = _blank()
    document.update(
        name=request.name,
        status="dry_run",
        backend=request.backend.id,
        shots=request.shots,
        seed=request.seed,
        circuit=request.circuits[0].to_dict(),
        labels=_labels(request) | {"session": plan.envelope.name if plan.envelope else None},
        principal={"user": request.principal.user, "notebook_run": request.principal.notebook_run},
        decision=decision.to_dict(),
        quote=plan.quote.to_dict(),
        quota=quota_lines(ledger, [hold_dict(h) for h in plan.holds]),
        notes=list(plan.notes),
        place=place(request.backend.id),
        **planned_blocks(plan),
    )
    if plan.route is not None:
        document["route"] = planned_block(plan.route)
    if len(request.circuits) > 1:
        document["results"] = [{**_no_result(), "circuit": c.to_dict()} for c in request.circuits]
    document["next"] = next_step(document)
    return document


def quota_lines(ledger: Ledger, holds: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each quota a job draws on, with what is used, held and left now."""
    counters = ledger.counters([hold["counter"] for hold in holds])
    return [_quota_line(hold, counters.get(hold["counter"])) for hold in holds]


def _quota_line(hold: Mapping[str, Any], counter: Counter | None) -> dict[str, Any]:
    settled, reserved = (counter.settled, counter.reserved) if counter else (0, 0)
    money = hold["measure"] in ("cost", "qpu_seconds")

    def text(amount: int) -> str:
        return from_nano(amount) if money else str(amount)

    return {
        "quota": hold["quota"],
        "measure": hold["measure"],
        "scope": hold["scope"],
        "key": hold["key"],
        "window": hold["window"],
        "unit": hold["unit"],
        "limit": text(hold["limit"]),
        "used": text(settled),
        "reserved": text(reserved),
        "left": text(max(0, hold["limit"] - settled - reserved)),
        "renews_at": hold["window_end"] or None,
        "owner": hold.get("owner", ""),
    }


def hold_dict(hold: Hold) -> dict[str, Any]:
    """What a quota line needs of a hold."""
    names = ("counter", "quota", "measure", "scope", "key", "window", "window_end", "unit", "limit", "owner")
    return {name: getattr(hold, name) for name in names}


def _blank() -> dict[str, Any]:
    keys = (
        "job_id name status backend shots seed circuit labels principal times usage decision quote cost"
        " counts outcomes fidelity rerun validation companions twirl calibration canary route sweep results quota"
        " ledger notes error progress place standing parked vendor_ids next"
    )
    return {"schema": SCHEMA, **dict.fromkeys(keys.split()), "results": [], "quota": [], "notes": [], "vendor_ids": []}


def _labels(source: Any) -> dict[str, Any]:
    return {n: getattr(source, n) for n in ("experiment", "project", "cost_center", "classification")}


def _identity(ledger: Ledger, row: JobRow, asked: Mapping[str, Any]) -> dict[str, Any]:
    session = ledger.session(row.session_id).name if row.session_id else None
    return {
        "job_id": row.job_id,
        "name": row.name,
        "status": str(row.status),
        "backend": row.backend,
        "shots": row.shots,
        "seed": asked.get("seed", asked["request"]["seed"]),
        "circuit": asked["request"]["circuits"][0],
        "labels": _labels(row) | {"session": session},
        "principal": {"user": row.user, "notebook_run": row.notebook_run},
    }


def _outcome(entries: Sequence[Entry]) -> Mapping[str, Any]:
    for entry in reversed(entries):
        if entry.event in ("job.completed", "job.failed", "job.cancelled"):
            return entry.payload
    return {}


def _parked(entries: Sequence[Entry]) -> Any:
    """Why a job is parked, and what to do."""
    return next(entry.payload["error"] for entry in reversed(entries) if entry.event == "job.parked")


def _held(entries: Sequence[Entry]) -> list[Mapping[str, Any]]:
    for entry in reversed(entries):
        if entry.payload.get("holds"):
            return list(entry.payload["holds"])
    return []


def _times(row: JobRow, ended: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "submitted_at": row.created_at,
        "started_at": row.started_at,
        "ended_at": row.ended_at,
        "queue_seconds": ended.get("queue_seconds"),
        "run_seconds": ended.get("run_seconds"),
        "total_seconds": ended.get("total_seconds"),
    }


def _usage(row: JobRow, ended: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "cpu_seconds": ended.get("cpu_seconds"),
        "peak_memory_bytes": ended.get("peak_memory_bytes"),
        "attempts": row.attempt,
        "fallback": bool(ended.get("fallback", False)),
        "stages_ms": dict(ended.get("stages_ms", {})),
    }


def histograms(ledger: Ledger, job_id: str) -> Sequence[Mapping[str, int]]:
    """The histograms that a job left, one per execution; none when it has not ended or left none."""
    ended = _outcome(ledger.entries(job_id))
    return _counts(ledger, ended) if "counts_blob" in ended else ()


def sweeps_of(ledger: Ledger, asked: Mapping[str, Any]) -> list[Bindings | None]:
    """For each circuit of a submission the values it was run with, None when it was not swept."""
    found: list[Bindings | None] = [None] * len(asked["circuit_blobs"])
    for told in asked.get("sweeps", ()):
        found[told["circuit"]] = bindings_of(told, ledger.blob(told["values_blob"]))
    return found


def decision_of(ledger: Ledger, job_id: str) -> Decision:
    """The verdict a job was submitted or refused under."""
    told = ledger.entries(job_id)[0].payload["decision"]
    return Decision(**{**told, "reasons": tuple(Reason(**r) for r in told["reasons"])})


def _counts(ledger: Ledger, ended: Mapping[str, Any]) -> Sequence[Mapping[str, int]]:
    return counts_of(ledger.blob(ended["counts_blob"]))


def _cost(ended: Mapping[str, Any]) -> dict[str, str]:
    cost = ended["cost"]
    return {"currency": cost["currency"], "amount": from_nano(cost["nano"]), "basis": cost["basis"]}


def _results(
    ledger: Ledger, asked: Mapping[str, Any], ended: Mapping[str, Any], counts: Sequence[Mapping[str, int]]
) -> dict[str, Any]:
    """The blocks of the first circuit, and those of all when there are several."""
    facts, swept = asked["request"]["circuits"], sweeps_of(ledger, asked)
    estimates = [told and LATER_ADDED | told for told in ended.get("fidelity") or [None] * len(facts)]
    room = max(4, MAX_COUNTS // len(facts))
    results, first = [], 0
    for circuit, bindings, estimate in zip(facts, swept, estimates, strict=True):
        points = bindings.points if bindings else 1
        part = counts[first : first + points]
        first += points
        if points > 1 and bindings is not None:
            block = sweep_block(bindings, part, asked["request"]["shots"])
            results.append({**_no_result(), "circuit": circuit, "sweep": block, "fidelity": estimate})
        elif part:
            results.append(_one_result(circuit, part[0], estimate, room))
    if not results:
        return {}
    return {**results[0], "results": results if len(results) > 1 else []}


def _one_result(circuit: Any, counts: Mapping[str, int], estimate: Any, room: int) -> dict[str, Any]:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return {
        "circuit": circuit,
        "counts": dict(ranked[:room]),
        "outcomes": _outcomes(ranked, counts, min(MAX_SHOWN, room)),
        "fidelity": estimate,
        "sweep": None,
    }


def _no_result() -> dict[str, Any]:
    return {"circuit": None, "counts": None, "outcomes": None, "fidelity": None, "sweep": None}


def _outcomes(ranked: Sequence[tuple[str, int]], counts: Mapping[str, int], most_shown: int) -> dict[str, Any]:
    shots = sum(counts.values())
    width = len(ranked[0][0].replace(" ", ""))
    shown = dict(ranked[:most_shown])
    low, high = fidelity.simultaneous(list(shown.values()), shots, width, LEVEL)
    hidden = shots - sum(shown.values())
    return {
        "level": LEVEL,
        "method": OUTCOME_METHOD,
        "total": len(ranked),
        "shown": [
            {"key": key, "count": count, "share": count / shots, "low": float(least), "high": float(most)}
            for (key, count), least, most in zip(shown.items(), low, high, strict=True)
        ],
        "hidden": {"outcomes": len(ranked) - len(shown), "count": hidden, "share": hidden / shots},
    }


def _standing(row: JobRow) -> Progress | None:
    """How it stood at its vendor when another process last looked."""
    told = standing(row)
    return Progress(message=told["message"]) if told else None


def _progress(progress: Progress | None) -> dict[str, Any]:
    known = progress or Progress(message="")
    return {"done": known.done, "total": known.total, "unit": known.unit, "message": known.message}
