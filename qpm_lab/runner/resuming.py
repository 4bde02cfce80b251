"""A job at a vendor in another process than the one that sent it: rebuilt from the ledger and followed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from qpm_lab import circuits, providers
from qpm_lab.errors import InputError, ProviderError
from qpm_lab.experiment import Hold, Principal, Quote, Request, Status, to_nano
from qpm_lab.ledger import Entry, JobRow
from qpm_lab.providers.interface import Task
from qpm_lab.runner import clock
from qpm_lab.runner.again import order_again
from qpm_lab.runner.attempt import LiveJob
from qpm_lab.runner.companions import Recipe
from qpm_lab.runner.conditions import planned
from qpm_lab.runner.delivery import Delivery
from qpm_lab.runner.earlier import read_earlier
from qpm_lab.runner.ending import ended_without_result
from qpm_lab.runner.extras import extras, read_again
from qpm_lab.runner.parts import Part
from qpm_lab.runner.plan import Plan
from qpm_lab.runner.record import decision_of
from qpm_lab.runner.recovery import attempt_of
from qpm_lab.runner.route_record import attempts, now_asked
from qpm_lab.runner.route_taken import Taken
from qpm_lab.runner.shipment import read_shipment

if TYPE_CHECKING:
    from qpm_lab.runner.runner import Runner

OTHER_VERSION = "Another version of qpm_lab made its further circuits, and only that one can read them."


def resume(runner: Runner, row: JobRow, epoch: int) -> LiveJob:
    """Follows a job in an epoch that is this process's.

    Raises:
        QpmError: it cannot be rebuilt; it stays as it is.
    """
    live = _rebuilt(runner, row, epoch)
    runner.live[live.job_id] = live
    runner.follow(live)
    return live


Said = Literal["vendor has it", "vendor has it not", "ask again", "given up"]
"""What a person says of a parked job."""


def resolve(runner: Runner, row: JobRow, said: Said, vendor_id: str | None = None) -> LiveJob | None:
    """What a person knows of a parked job.

    Args:
        runner: Follows it from now on.
        row: The job.
        said: What is known now. A job is given up whose answer cannot be used; it is booked as its quote says.
        vendor_id: Of the part that nobody could tell of, when the vendor has it.

    Returns:
        The job when it goes on; None when it was closed.

    Raises:
        InputError: it is not parked, or that does not answer the question.
    """
    if row.status != Status.PARKED:
        raise InputError(f"Job {row.job_id} is not parked; it is {row.status}.", "There is nothing to resolve.")
    with runner.site.in_force():
        # Before anything is written: what was said must not be lost because the job cannot be rebuilt.
        live = _rebuilt(runner, row, row.epoch)
        # Known here before it is open again, or `recover` would take it for one that nobody drives, and follow it too.
        runner.live[live.job_id] = live
        try:
            goes_on = _told(runner, row, live, said, vendor_id)
        except BaseException:
            runner.let_go(live)
            raise
        if not goes_on:
            runner.let_go(live)
            return None
        runner.follow(live)
        return live


def _told(runner: Runner, row: JobRow, live: LiveJob, said: Said, vendor_id: str | None) -> bool:
    """Records what was said; True when the job goes on."""
    delivery = live.delivery
    assert delivery is not None
    unclear = next((part for part in delivery.parts if part.vendor_id is None), None)
    _require_answer(row, delivery, unclear, said)
    if vendor_id is not None:
        _require_known(live, vendor_id)
    told = {"vendor_id": vendor_id, "by": runner.principal.user, "said": said}
    entry = runner.ledger.unpark(row.job_id, told, runner.owner(clock.now()))
    if entry is None:
        raise InputError(f"Job {row.job_id} is not parked any more.", "Another process was faster; see `qpm show`.")
    live.epoch = entry.epoch
    if said in ("vendor has it not", "given up"):
        delivery.stop(runner)
        what = "gave its result up" if said == "given up" else "says that the vendor has no such job"
        error = ProviderError(f"{runner.principal.user} {what}.", "Run it again.")
        ended_without_result(live, runner, "job.failed", error)
        return False
    if unclear is not None and vendor_id is not None:
        delivery.accept(unclear, vendor_id, runner)
    return True


def _require_known(live: LiveJob, vendor_id: str) -> None:
    """A mistyped id would be followed for ever."""
    backend_id = live.task.backend.id
    remote = providers.remote(backend_id)
    try:
        if remote is not None:
            remote.standing(backend_id, vendor_id)
    except ProviderError as error:
        raise InputError(
            f"The vendor does not confirm that it has {vendor_id[:100]!r}: {error.message} The job stays parked.",
            "Check the id, or try again.",
            cause=error,
        ) from error


def _require_answer(row: JobRow, delivery: Delivery, unclear: Part | None, said: Said) -> None:
    if unclear is None and said in ("vendor has it", "vendor has it not"):
        raise InputError(
            f"The vendor has job {row.job_id} as {', '.join(delivery.vendor_ids)}; only its answer could not be used.",
            f"Ask for it again: qpm jobs resume {row.job_id}, or give it up: qpm jobs resolve {row.job_id} --give-up",
        )
    if unclear is not None and said == "given up":
        raise InputError(
            f"Nobody knows yet whether the vendor has job {row.job_id}.", "Say --vendor-id ID, or --not-submitted."
        )


def _rebuilt(runner: Runner, row: JobRow, epoch: int) -> LiveJob:
    entries = runner.ledger.entries(row.job_id)
    first, attempt = entries[0].payload, attempt_of(entries)
    plan = _plan(runner, row, now_asked(entries), attempt.payload)
    task = Task(
        backend=plan.request.backend,
        circuits=tuple(each.circuit for each in plan.prepared),
        shots=plan.request.shots,
        seed=plan.drawn_seed,
        token=attempt.payload["token"],
        bindings=_bindings(plan),
        forms=tuple(each.form for each in plan.prepared),
    )
    at = datetime.fromisoformat(row.created_at)
    further = extras(plan, task)
    live = LiveJob(row.job_id, plan, task, at, started=row.status == Status.RUNNING, extras=further)
    live.epoch, live.attempt, live.prices = epoch, row.attempt, runner.site.prices
    live.tried = [attempt["backend"] for attempt in attempts(entries, {})]
    live.is_fallback = live.is_fallback or row.backend != first["request"]["backend"]
    live.spent = [(e.payload["cost"]["currency"], e.payload["cost"]["nano"]) for e in entries if _cost_something(e)]
    remote = providers.remote(row.backend)
    if remote is None:
        raise ProviderError(f"{row.backend} is no vendor's machine any more.", "See %qbackends.")
    originals = [c for c, points in zip(task.circuits, task.points, strict=True) for _ in range(points)]
    read = read_again(plan.companions) if plan.companions else None
    shipment = read_shipment(runner.ledger, attempt.payload, originals, read)
    live.delivery = Delivery(live, shipment, remote, read_earlier(entries, row.attempt))
    return live


def _cost_something(entry: Entry) -> bool:
    return entry.event == "job.retried" and "cost" in entry.payload


def _bindings(plan: Plan) -> tuple[Any, ...]:
    bindings = tuple(each.bindings for each in plan.prepared)
    return bindings if any(bindings) else ()


def _plan(runner: Runner, row: JobRow, now: Mapping[str, Any], attempt: Mapping[str, Any]) -> Plan:
    """What was judged then; nothing is judged anew.

    Args:
        runner: Knows ledger, rules and prices.
        row: The job.
        now: What was asked, with what its attempts changed of it.
        attempt: The payload with which the present attempt began.
    """
    companions = now.get("companions")
    recipe = _recipe(runner, companions) if companions else None
    bundle, order = runner.rules.bundle(), order_again(runner.ledger, row.job_id, {})
    prepared, info = circuits.prepare(order.source), providers.backend(row.backend)
    request = Request(
        principal=Principal(row.user, row.notebook_run),
        backend=info,
        circuits=tuple(each.facts for each in prepared),
        shots=row.shots,
        seed=now["request"]["seed"],
        experiment=row.experiment,
        project=row.project,
        cost_center=row.cost_center,
        classification=row.classification,
        name=row.name,
        session=row.session_id,
        variants=(now.get("twirl") or {}).get("variants", 1),
        companions=recipe.facts(row.fingerprint) if recipe else None,
    )
    return Plan(
        bundle=bundle,
        prepared=prepared,
        request=request,
        quote=quote_of(attempt["quote"]),
        decision=decision_of(runner.ledger, row.job_id),
        holds=_holds(attempt),
        max_cost=None if order.max_cost is None else to_nano(order.max_cost),
        drawn_seed=now["seed"],
        notes=tuple(now["notes"]),
        fidelity=order.fidelity or "auto",
        twirl=order.twirl,
        companions=recipe,
        no_fidelity=OTHER_VERSION if companions and recipe is None else None,
        conditions=planned(order.validate, info, prepared, order.fidelity),
        canary=row.canary,
        route=Taken.read(now.get("route")),
        price=partial(runner.decisions.quote, bundle),
    )


def _recipe(runner: Runner, told: Mapping[str, Any]) -> Recipe | None:
    return Recipe.read(told, circuits.read_qpy(runner.ledger.blob(told["digest"]))[0])


def _holds(attempt: Mapping[str, Any]) -> tuple[Hold, ...]:
    names = {field.name for field in fields(Hold)}
    return tuple(Hold(**{name: value for name, value in told.items() if name in names}) for told in attempt["holds"])


def quote_of(told: Mapping[str, Any]) -> Quote:
    """A quote as `Quote.to_dict` wrote it."""

    def nano(text: str | None) -> int | None:
        return None if text is None else to_nano(Decimal(text))

    return Quote(
        currency=told["currency"],
        low=nano(told["low"]),
        expected=nano(told["expected"]),
        high=nano(told["high"]),
        source=told["source"],
        as_of=told["as_of"],
        stale=told["stale"],
        formula=told["formula"],
        qpu_nanoseconds=to_nano(Decimal(told["qpu_seconds"])),
        channel=told.get("channel", ""),
        confidence=told.get("confidence", ""),
        reason=told.get("reason"),
    )
