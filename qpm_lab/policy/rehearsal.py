"""Runs a bundle's own `tests.yaml`, and sees to it that every rule and quota is exercised."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from qpm_lab.experiment import (
    BackendInfo,
    CircuitFacts,
    Decision,
    Principal,
    Quote,
    Reason,
    Request,
    Shortage,
    to_nano,
)
from qpm_lab.policy.bundle import Bundle
from qpm_lab.policy.files import ROUTES, TESTS, read
from qpm_lab.policy.quotas import MEASURES, read_limit
from qpm_lab.policy.routes import Candidate, ranked
from qpm_lab.policy.strict_yaml import read_yaml

if TYPE_CHECKING:
    from qpm_lab.policy.documents import AskedEntry, RouteTestEntry, TestEntry, TestsFile

_NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class TestRow:
    """One row and what became of it."""

    __test__ = False
    name: str
    expected: str
    got: str
    ok: bool
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class TestReport:
    """All rows; `problems` is what kept rows from being run."""

    __test__ = False
    rows: tuple[TestRow, ...]
    problems: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.problems and bool(self.rows) and all(row.ok for row in self.rows)


def check(folder: str | Path) -> list[str]:
    """Everything that is wrong with a bundle, tests and routes included; empty when it is sound.

    Raises:
        BundleError: there is no such folder.
    """
    texts = read(Path(folder)).texts
    missing = [f"{name}: this file is missing." for name in (ROUTES, TESTS) if name not in texts]
    return [*Bundle.load(Path(folder)).problems, *missing, *_tests_file(texts.get(TESTS))[1]]


def test(folder: str | Path) -> TestReport:
    """Runs every row of `tests.yaml`, then one row per rule and quota for "was seen to act".

    Raises:
        BundleError: there is no such folder.
    """
    if problems := check(folder):
        return TestReport((), tuple(problems))
    bundle = Bundle.load(Path(folder))
    file, _ = _tests_file(read(Path(folder)).texts[TESTS])
    seen: set[str] = set()
    rows = [_run(bundle, file.defaults, entry, seen) for entry in file.tests] if file else []
    routed = [_run_route(bundle, file.defaults, entry) for entry in file.routes] if file else []
    return TestReport((*rows, *routed, *_unseen(bundle, seen)))


def _tests_file(text: str | None) -> tuple[TestsFile | None, list[str]]:
    from qpm_lab.policy import documents

    return documents.typed(read_yaml(TESTS, text), documents.TestsFile) if text is not None else (None, [])


def _unseen(bundle: Bundle, seen: set[str]) -> Iterator[TestRow]:
    for name in (*bundle.rule_ids, *(quota.id for quota in bundle.quotas)):
        if name not in seen:
            yield TestRow(f"{name} is exercised", "at least one row", "no row makes it act", False)


def _run(bundle: Bundle, defaults: AskedEntry, entry: TestEntry, seen: set[str]) -> TestRow:
    expected = " ".join((entry.expect, *sorted(entry.reasons)))
    try:
        asked = defaults.model_copy(update=entry.request.model_dump(exclude_unset=True))
        request, quote = _request(asked), _quote(asked, bundle.currency)
        decision = _decision(bundle, request, quote, asked, entry)
    except ValueError as error:
        return TestRow(entry.name, expected, f"the row cannot be run: {error}", False)
    ids = {reason.rule for reason in decision.reasons}
    seen |= ids | (set(bundle.granting(request, quote)) if decision.effect == "allow" else set())
    got = " ".join((decision.effect, *sorted(ids)))
    return TestRow(entry.name, expected, got, got == expected, decision.reasons)


def _run_route(bundle: Bundle, defaults: AskedEntry, entry: RouteTestEntry) -> TestRow:
    expected = ", ".join(entry.expect) or "none"
    route = next((each for each in bundle.routes if each.id == entry.route), None)
    try:
        if route is None:
            raise ValueError(f"there is no route {entry.route!r}")
        if strange := {*entry.costs, *entry.queues, *entry.fidelities, *entry.unreachable} - set(route.backends):
            raise ValueError(f"{min(strange)!r} is not in the route {route.id!r}")
        asked = defaults.model_copy(update=entry.request.model_dump(exclude_unset=True))
        rows = ranked(route, [_candidate(bundle, asked, entry, name) for name in route.backends])
    except ValueError as error:
        return TestRow(entry.name, expected, f"the row cannot be run: {error}", False)
    got = ", ".join(row.candidate.id for row in rows if row.rank is not None) or "none"
    return TestRow(entry.name, expected, got, got == expected)


def _candidate(bundle: Bundle, defaults: AskedEntry, entry: RouteTestEntry, name: str) -> Candidate:
    asked = defaults.model_copy(update={"backend": name, "cost": entry.costs.get(name)})
    info = _backend(asked)
    request, quote = _request(asked), _quote(asked, bundle.currency)
    return Candidate(
        id=name,
        kind="simulator" if bundle.listed(info).get("kind") == "simulator" else "qpu",
        place=bundle.place_of(info),
        trouble="It does not answer." if name in entry.unreachable else "",
        unreachable=name in entry.unreachable,
        quote=quote,
        decision=bundle.decide(request, quote),
        queue=entry.queues.get(name),
        fidelity=entry.fidelities.get(name),
    )


def _decision(bundle: Bundle, request: Request, quote: Quote, asked: AskedEntry, entry: TestEntry) -> Decision:
    max_cost = None
    if asked.max_cost is not None:
        max_cost = read_limit(asked.max_cost, MEASURES["cost"], bundle.currency)
    decision = bundle.decide(request, quote, max_cost=max_cost)
    short = bundle.shortage_reasons(_shortages(bundle, request, quote, entry), _NOON, request=request, quote=quote)
    if not short:
        return decision
    return Decision("deny", (*decision.reasons, *short), decision.policy, decision.policy_version)


def _shortages(bundle: Bundle, request: Request, quote: Quote, entry: TestEntry) -> list[Shortage]:
    """Holds that do not fit beside what the row says is used."""
    quotas = {quota.id: quota for quota in bundle.quotas}
    if unknown := sorted(set(entry.used) - set(quotas)):
        raise ValueError(f"there is no quota {unknown[0]!r}")
    used = {n: read_limit(v, quotas[n].measure, bundle.currency) for n, v in entry.used.items()}
    holds = bundle.holds(request, quote, _NOON)
    shortages = [Shortage(hold, used.get(hold.quota, 0), 0) for hold in holds]
    return [s for s in shortages if s.settled + s.hold.amount > s.hold.limit]


def _request(asked: AskedEntry) -> Request:
    gates = {"cx": asked.two_qubit_gates or 0, "h": max(0, (asked.gates or 0) - (asked.two_qubit_gates or 0))}
    qubits = asked.qubits if asked.qubits is not None else 1
    circuit = CircuitFacts(
        fingerprint="sha256:" + "0" * 64,
        qubits=qubits,
        clbits=qubits,
        depth=asked.depth if asked.depth is not None else 1,
        gates=gates,
        two_qubit_gates=asked.two_qubit_gates or 0,
        points=asked.points or 1,
    )
    return Request(
        principal=Principal(asked.user or "", asked.notebook_run or ""),
        backend=_backend(asked),
        circuits=(circuit,) * (1 if asked.circuits is None else asked.circuits),
        shots=1 if asked.shots is None else asked.shots,
        seed=asked.seed,
        experiment=asked.experiment,
        project=asked.project,
        cost_center=asked.cost_center,
        classification=asked.classification,
    )


def _backend(asked: AskedEntry) -> BackendInfo:
    """What a provider would say; a listed backend has its facts from the bundle all the same."""
    kind, local = asked.kind or "qpu", bool(asked.local)
    return BackendInfo(asked.backend or "", "", 1000, kind, local, noisy=not local)


def _quote(asked: AskedEntry, currency: str) -> Quote:
    qpu = to_nano(Decimal(str(asked.qpu_seconds or 0)))
    high: int | None = None
    if asked.cost != "unknown":
        text, _, unit = str("0" if asked.cost in (None, "stale") else asked.cost).partition(" ")
        currency = unit or currency
        high = read_limit(text, MEASURES["cost"], currency)
    return Quote(
        currency=currency,
        low=high,
        expected=high,
        high=high,
        source="a test row",
        as_of="2026-01-01",
        stale=asked.cost == "stale",
        qpu_nanoseconds=qpu,
    )
