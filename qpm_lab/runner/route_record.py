"""A route as documents tell it: each backend with its price, verdict, queue and rank, and how the attempts went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qpm_lab.experiment import from_nano
from qpm_lab.ledger import Entry
from qpm_lab.runner.way_notes import notes_on_the_way

if TYPE_CHECKING:
    from qpm_lab.policy.routes import Ranked
    from qpm_lab.runner.broker import Choice
    from qpm_lab.runner.route_taken import Taken

PRICE = ("currency", "low", "expected", "high", "source", "as_of", "stale")
BEGINNINGS = ("job.submitted", "job.retried")


def row(ranked: Ranked) -> dict[str, Any]:
    """One backend of a route."""
    each = ranked.candidate
    quote = each.quote.to_dict() if each.quote else None
    return {
        "backend": each.id,
        "rank": ranked.rank,
        "why": ranked.why,
        "barred": ranked.barred,
        "price": {name: quote[name] for name in PRICE} if quote else None,
        "decision": each.decision.effect if each.decision else None,
        "available": each.available,
        "queue": each.queue,
        "queue_seconds": each.queue_seconds,
        "expected_fidelity": each.fidelity,
    }


def route_document(choice: Choice) -> dict[str, Any]:
    """What `%qexplain --route` shows: which backend a job would get now, and why."""
    route = choice.route
    plan = next(iter(choice.plans.values()), None)
    return {
        "route": route.id,
        "by": route.by,
        "owner": route.owner,
        "fallback": route.fallback,
        "max_attempts": route.max_attempts,
        "rerun_on_failed_validation": route.rerun_on_failed_validation,
        "policy": choice.policy,
        "policy_version": choice.policy_version,
        "circuit": plan.request.circuits[0].to_dict() if plan else None,
        "shots": plan.request.shots if plan else None,
        "chosen": choice.able[0] if choice.able else None,
        "rows": [row(each) for each in choice.ranked],
    }


def route_block(entries: Sequence[Entry], ended: Mapping[str, Any]) -> dict[str, Any] | None:
    """The block `route` of docs/record.md; None for a job whose backend was named and that had one attempt.

    Args:
        entries: All entries of the job.
        ended: The payload of its outcome; empty while it has none.
    """
    taken = entries[0].payload.get("route")
    if taken is None:
        return None
    tries = attempts(entries, ended)
    return {
        **{name: taken[name] for name in ("name", "by", "policy_version", "chosen", "ranked")},
        "passed_over": [*taken["passed_over"], *_passed_over(entries, ended)],
        "attempts": tries,
        "fallback": _fallback(taken, tries),
    }


def planned_block(taken: Taken) -> dict[str, Any]:
    """The same for a job that was only explained."""
    told = taken.told()
    block = {name: told[name] for name in ("name", "by", "policy_version", "chosen", "ranked")}
    return {**block, "passed_over": [], "attempts": [], "fallback": None}


def now_asked(entries: Sequence[Entry]) -> Mapping[str, Any]:
    """What was asked, with what its attempts changed of it: one on the same backend as before says only what is new."""
    changed = ("decision", "quote", "notes", "companions", "calibration")
    now = dict(entries[0].payload)
    for entry in entries:
        if entry.event == "job.retried":
            now |= {name: entry.payload[name] for name in changed if name in entry.payload}
    return now


def present(entries: Sequence[Entry]) -> Mapping[str, Any]:
    """The same, and in its notes what came up on the way."""
    now = now_asked(entries)
    return {**now, "notes": [*now.get("notes", ()), *notes_on_the_way(entries)]}


def attempts(entries: Sequence[Entry], ended: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each attempt of a job: where it ran, and what came of it; none of a job that was refused."""
    begun = [entry for entry in entries if entry.event in BEGINNINGS]
    ends = [*(entry.payload for entry in begun[1:]), ended]
    backend, found = "", []
    for entry, end in zip(begun, ends, strict=bool(begun)):
        backend = entry.payload.get("backend") or backend or entry.payload["request"]["backend"]
        last = end is ended
        found.append(
            {
                "attempt": entry.attempt,
                "backend": backend,
                "began_at": entry.at,
                "error": end.get("error"),
                "cost": _money(end.get("own_cost") if last and "own_cost" in end else end.get("cost")),
                "counts_blob": end.get("counts_blob"),
                "validation": None if last else end.get("validation"),
            }
        )
    return found


def _passed_over(entries: Sequence[Entry], ended: Mapping[str, Any]) -> list[Any]:
    told = [entry.payload for entry in entries if entry.event == "job.retried"]
    return [each for payload in (*told, ended) for each in payload.get("passed_over", ())]


def _fallback(taken: Mapping[str, Any], tries: Sequence[Mapping[str, Any]]) -> dict[str, str] | None:
    """From where to where, and why; None when it ran where it was to run."""
    last = tries[-1]["backend"] if tries else taken["chosen"]
    failed = [(each["backend"], _why(each)) for each in tries[:-1] if each["backend"] != last]
    over = [(each["backend"], each["why"]) for each in taken["passed_over"]]
    first = next(iter([*over, *failed]), None)
    if first is None:
        return None
    return {"from": first[0], "to": last, "because": first[1]}


def _why(attempt: Mapping[str, Any]) -> str:
    error = attempt["error"]
    return str(error["message"]) if error else "The result did not meet its conditions."


def _money(cost: Mapping[str, Any] | None) -> dict[str, str] | None:
    if cost is None:
        return None
    return {"currency": cost["currency"], "amount": from_nano(cost["nano"]), "basis": cost["basis"]}
