"""Every quota that counts for someone now, drawn on or not yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from qpm_lab import providers
from qpm_lab.errors import BundleError, InputError
from qpm_lab.experiment import BackendInfo, CircuitFacts, Hold, Principal, Quote, Request
from qpm_lab.ledger import Ledger
from qpm_lab.policy import Bundle
from qpm_lab.runner.record import hold_dict, quota_lines

PROBE = "any/"
LABELS = ("experiment", "project", "cost_center")


def budgets(ledger: Ledger, bundle: Bundle, principal: Principal, at: datetime) -> list[dict[str, Any]]:
    """Quota lines as in docs/record.md, those nearest their limit first.

    A quota exists for a person before its first use, so the bundle is asked what a smallest job on
    each kind of backend would draw on, once without labels and once for each label in use.

    Raises:
        BundleError: the bundle is broken.
        InputError: the bundle does not know the user.
    """
    _require_known(bundle, principal)
    holds: dict[str, Hold] = {}
    for request in _probes(ledger, principal, at):
        quote = Quote(bundle.currency, 1, 1, 1, "probe", at.date().isoformat(), qpu_nanoseconds=1)
        for hold in bundle.holds(request, quote, at):
            if not (hold.scope == "backend" and hold.key.startswith(PROBE)):
                holds.setdefault(hold.counter, hold)
    lines = quota_lines(ledger, [hold_dict(hold) for hold in holds.values()])
    return sorted(lines, key=_share, reverse=True)


def _require_known(bundle: Bundle, principal: Principal) -> None:
    if bundle.problems:
        raise BundleError(
            f"The policy bundle {bundle.name} is broken and refuses everything: {bundle.problems[0]}",
            "Mend what `qpm policy check` lists.",
            problems=bundle.problems,
        )
    if not bundle.members(principal.user).known:
        raise InputError(
            f"The policy bundle {bundle.name} does not know the user {principal.user!r}, so every job is refused.",
            "Ask its owner to add you to entities.json.",
        )


def _probes(ledger: Ledger, principal: Principal, at: datetime) -> Iterator[Request]:
    used = {(c.scope, c.key) for c in ledger.all_counters(at=at)}
    backends = [*providers.all_backends(), _vendor("simulator"), _vendor("qpu")]
    for info in backends:
        yield _probe(principal, info)
    for scope, key in sorted(used):
        if scope in LABELS:
            labels: dict[str, Any] = {scope: key}
            yield from (replace(_probe(principal, info), **labels) for info in backends[-2:])


def _probe(principal: Principal, info: BackendInfo) -> Request:
    facts = CircuitFacts("sha256:" + "0" * 64, 1, 1, 1, {}, 0)
    return Request(principal, info, (facts,), shots=1)


def _vendor(kind: Literal["simulator", "qpu"]) -> BackendInfo:
    return BackendInfo(f"{PROBE}{kind}", "", 1, kind, local=False, noisy=True)


def _share(line: dict[str, Any]) -> float:
    limit = float(line["limit"])
    return (float(line["used"]) + float(line["reserved"])) / limit if limit else 1.0
