"""A job once more: its recorded circuits, values and choices as a new order, changed where the caller says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from qpm_lab import circuits
from qpm_lab.errors import InputError
from qpm_lab.ledger import Ledger
from qpm_lab.runner.order import Order
from qpm_lab.runner.record import sweeps_of
from qpm_lab.runner.route_taken import Taken

LABELS = ("name", "experiment", "project", "cost_center", "classification")
CHANGES = ("shots", "backend", "seed", *LABELS, "max_cost", "fidelity", "twirl", "validate")
"""What may differ from the recorded job; its circuits and their values may not."""


def order_again(ledger: Ledger, job_id: str, changes: Mapping[str, Any]) -> Order:
    """The order that repeats a recorded job, whatever became of it.

    Circuits, the values of a sweep, backend, shots, labels, conditions, twirl and the choice of how fidelity is
    measured are those recorded; for a job whose backend a route chose that route, which chooses by today's rules. The
    seed is not, unless it is given: the same seed would give the same simulation and not another run. A repeated canary
    does not count as one.

    Args:
        ledger: Where it is recorded.
        job_id: Its id or a unique beginning.
        changes: Name → value of what is to differ; one of `CHANGES`.

    Raises:
        InputError: there is no such job, or it cannot be changed so.
    """
    for name in changes:
        if name not in CHANGES:
            raise InputError(
                f"{name!r} cannot be changed when a job is repeated.",
                f"These can: {', '.join(CHANGES)}. Otherwise submit the circuit anew.",
            )
    asked = ledger.entries(ledger.job(job_id).job_id)[0].payload
    return replace(_recorded(ledger, asked), **changes)


def options_of(order: Order) -> dict[str, Any]:
    """Everything of an order but the circuit, as keyword arguments of `Lab.dry_run`."""
    return {field.name: getattr(order, field.name) for field in fields(order)[1:]}


def _recorded(ledger: Ledger, asked: Mapping[str, Any]) -> Order:
    request, route = asked["request"], Taken.read(asked.get("route"))
    return Order(
        _source(ledger, asked),
        backend=request["backend"] if route is None else route.again,
        shots=request["shots"],
        fidelity=request.get("fidelity"),
        max_cost=request.get("max_cost"),
        twirl=(asked.get("twirl") or {}).get("kind"),
        validate=tuple(asked.get("conditions") or ()),
        **{name: request[name] for name in LABELS},
    )


def _source(ledger: Ledger, asked: Mapping[str, Any]) -> list[Any]:
    read = (circuits.read_qpy(ledger.blob(digest))[0] for digest in asked["circuit_blobs"])
    pairs = zip(read, sweeps_of(ledger, asked), strict=True)
    return [circuit if values is None else circuits.Sweep(circuit, values) for circuit, values in pairs]
