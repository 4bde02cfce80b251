"""The broker: of a route's backends it takes the one that ranks first, and the next where that cannot be reached.

Facts are gathered here, the policy ranks them (`qpm_lab/policy/routes.py`), the runner submits. Looking spends nothing,
holds nothing and records nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from qpm_lab import circuits, fidelity, providers
from qpm_lab.errors import CircuitError, InputError, ProviderError, QpmError
from qpm_lab.policy import Bundle
from qpm_lab.policy.routes import Candidate, Ranked, Route, ranked
from qpm_lab.runner import clock
from qpm_lab.runner.order import Order, checked
from qpm_lab.runner.plan import Plan, find_backend, judge
from qpm_lab.runner.planning import plan_for
from qpm_lab.runner.reaching import ASK_SECONDS, require_answer, together
from qpm_lab.runner.route_record import route_document, row
from qpm_lab.runner.route_taken import AUTO, PREFIX, Taken, is_route
from qpm_lab.runner.tasks import task_of

if TYPE_CHECKING:
    from qpm_lab.circuits import Prepared
    from qpm_lab.experiment import BackendInfo
    from qpm_lab.runner.attempt import LiveJob
    from qpm_lab.runner.runner import Runner

EXAMPLE = "{id: auto, backends: [ionq/qpu.forte-1, aer/noisy], by: listed, owner: me}"
LOOK = "See %qexplain --route for each of them."
Passed = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Choice:
    """All backends of a route for one order, ranked."""

    route: Route
    policy: str
    policy_version: str
    ranked: tuple[Ranked, ...]
    plans: Mapping[str, Plan]
    """Of those backends on which the job can be planned."""
    asked: str
    """`auto` or `route:NAME`, as it was written."""

    @property
    def able(self) -> list[str]:
        """The backends that can be taken, the best first."""
        return [each.candidate.id for each in self.ranked if each.rank is not None]

    @property
    def missed(self) -> list[Passed]:
        """Those that would come first if their vendors answered."""
        return [{"backend": each.candidate.id, "why": each.why} for each in self.ranked if each.missed]

    def plan(self, backend_id: str, passed: Sequence[Passed] = ()) -> Plan:
        """The plan for one of them, which says how it was chosen."""
        route = self.route
        taken = Taken(
            name=route.id,
            by=route.by,
            policy_version=self.policy_version,
            chosen=backend_id,
            ranked=tuple(map(row, self.ranked)),
            passed_over=(*self.missed, *passed),
            max_attempts=route.max_attempts,
            fallback=route.fallback,
            rerun_on_failed_validation=route.rerun_on_failed_validation,
            asked=self.asked,
        )
        return replace(self.plans[backend_id], route=taken)

    def refused(self) -> Plan | None:
        """The one that comes closest when rules or quotas leave none: what needs approval before what is denied."""
        left = [each.candidate for each in self.ranked if not each.barred and not each.candidate.trouble]
        left = [each for each in left if each.decision and each.decision.effect != "allow" and each.id in self.plans]
        left.sort(key=lambda each: each.decision is None or each.decision.effect != "needs-approval")
        return self.plan(left[0].id) if left else None


def route_of(bundle: Bundle, backend: str) -> Route:
    """The route that `auto` or `route:NAME` means.

    Raises:
        InputError: there is none; the hint says what to write.
    """
    if bundle.problems:
        raise InputError(
            f"The policy bundle {bundle.name!r} is broken: {bundle.problems[0]}", "qpm policy check says all."
        )
    routes = {route.id: route for route in bundle.routes}
    if not routes:
        hint = f"Write into its routes.yaml, under routes: - {EXAMPLE}"
        raise InputError(f"The policy bundle {bundle.name!r} has no route, so no backend can be chosen.", hint)
    if backend == AUTO:
        return routes.get(AUTO) or next(iter(routes.values()))
    name = backend.removeprefix(PREFIX)
    if name not in routes:
        raise InputError(
            f"The policy bundle {bundle.name!r} has no route {name[:80]!r}.",
            f"Write {' or '.join(f'--backend {PREFIX}{each}' for each in routes)}.",
        )
    return routes[name]


def choose(runner: Runner, order: Order, at: datetime, *, fully: bool = False) -> Choice:
    """Ranks the backends of a route for an order.

    Args:
        runner: Knows rules, prices, quotas and breakers.
        order: Names a route.
        at: The present.
        fully: Also ask what does not decide: for whoever wants to see it.

    Raises:
        InputError: there is no such route, or the job cannot be planned on any of its backends.
    """
    bundle = runner.rules.bundle()
    route = route_of(bundle, checked(order).backend)
    prepared = circuits.prepare(order.source, parameters=order.parameters, args=order.args)
    looks = [_Look(runner, bundle, replace(order, backend=name), at, prepared) for name in route.backends]
    if all(look.plan is None for look in looks):
        raise next(look.error for look in looks if look.error is not None)
    ask = partial(_Look.asked, queue=fully or route.by == "availability", errors=fully or route.by == "fidelity")
    answers = together({look.id: partial(ask, look) for look in looks}, ASK_SECONDS)
    found = [answers.get(look.id) or look.silent() for look in looks]
    plans = {look.id: look.plan for look in looks if look.plan is not None}
    return Choice(route, bundle.name, bundle.version, ranked(route, found), plans, order.backend)


def planned(runner: Runner, order: Order, at: datetime) -> Plan:
    """The plan for the backend that a route would give now; where it gives none, for the one that comes closest.

    Raises:
        InputError: there is no such route, or the job cannot be planned on any of its backends.
    """
    choice = choose(runner, order, at)
    if choice.able:
        return choice.plan(choice.able[0])
    return choice.refused() or choice.plan(next(iter(choice.plans)))


def explained(runner: Runner, order: Order) -> dict[str, Any]:
    """What `%qexplain --route` shows: every backend of the route with its price, verdict, wait and rank.

    Raises:
        InputError: the order names one backend, or a route that is not there.
    """
    if not is_route(order.backend):
        raise InputError(f"{order.backend} is one backend, not a route.", "Write --backend auto, or route:NAME.")
    with runner.site.in_force():
        return route_document(choose(runner, order, clock.now(), fully=True))


def submit(runner: Runner, order: Order, at: datetime) -> LiveJob:
    """Submits to the first backend of the route that takes it.

    Raises:
        DeniedError: the rules or quotas leave none.
        ProviderError: none can be reached or run it; nothing was reserved.
    """
    choice = choose(runner, order, at)
    passed: list[Passed] = []
    for name in choice.able:
        plan = choice.plan(name, passed)
        if not choice.route.fallback:
            return runner.send(plan, at)
        try:
            if choice.route.by != "availability":
                require_answer(runner, name)
            return runner.send(plan, at)
        except (ProviderError, InputError) as error:
            passed.append({"backend": name, "why": error.message})
    plan_refused = None if passed or choice.missed else choice.refused()
    if plan_refused is not None:
        raise runner.refuse(plan_refused, judge(plan_refused, ledger=runner.ledger, at=at), at)
    left_out = [{"backend": each.candidate.id, "why": each.why} for each in choice.ranked if each.rank is None]
    told = " ".join(f"{each['backend']}: {each['why']}" for each in (*passed, *left_out))
    raise ProviderError(
        f"No backend of the route {choice.route.id!r} can take this job. {told}", LOOK, retryable=bool(passed)
    )


class _Look:
    """One backend of a route, planned and judged."""

    def __init__(
        self, runner: Runner, bundle: Bundle, order: Order, at: datetime, prepared: tuple[Prepared, ...]
    ) -> None:
        self.id = order.backend
        self.plan: Plan | None = None
        self.error: QpmError | None = None
        self._runner = runner
        self._candidate = Candidate(self.id)
        try:
            info = find_backend(self.id)
            self._candidate = self._known(info, bundle)
            self.plan = plan = plan_for(runner, order, at, prepared)
            verdict = judge(plan, ledger=runner.ledger, at=at)
            trouble = self._candidate.trouble or _unfit(plan)
            self._candidate = replace(self._candidate, trouble=trouble, quote=plan.quote, decision=verdict)
        except (InputError, ProviderError) as error:
            self.error = error
            self._candidate = replace(self._candidate, trouble=error.message)

    def _known(self, info: BackendInfo, bundle: Bundle) -> Candidate:
        found = Candidate(self.id, info.kind, bundle.place_of(info))
        if info.state != "ready":
            return replace(found, trouble=f"It is not ready: {info.note or info.state}.")
        try:
            self._runner.breakers.require_closed(self.id)
        except ProviderError as error:
            return replace(found, trouble=error.message, unreachable=True)
        return found

    def asked(self, *, queue: bool, errors: bool) -> Candidate:
        """With what only its vendor or its calibration says."""
        found, plan = self._candidate, self.plan
        if plan is None or found.trouble:
            return found
        try:
            # A price that is unknown may be so because the vendor, who alone knows it, does not answer.
            found = self._now(found) if queue or not plan.quote.known else found
        except (InputError, ProviderError) as error:
            return replace(found, trouble=error.message, unreachable=True)
        return replace(found, fidelity=predicted(plan)) if errors else found

    def _now(self, found: Candidate) -> Candidate:
        remote = providers.remote(self.id)
        if remote is None:
            return replace(found, available=True, queue=0)
        now = self._runner.breakers.ask(self.id, partial(remote.availability, self.id))
        return replace(found, available=now.available, queue=now.queue, queue_seconds=now.queue_seconds)

    def silent(self) -> Candidate:
        """As one that has not answered in time."""
        return replace(self._candidate, trouble=f"It did not answer within {ASK_SECONDS:.0f} s.", unreachable=True)


def predicted(plan: Plan) -> float | None:
    """The expected success probability of the least reliable circuit; None where nobody can tell."""
    info = plan.request.backend
    if not info.noisy:
        return 1.0
    try:
        target = providers.target(info.id)
        found = [
            fidelity.expected_success_probability(providers.routed(info.id, each.circuit), target).value
            for each in plan.prepared
        ]
    except QpmError:
        return None
    known = [value for value in found if value is not None]
    return min(known) if len(known) == len(found) else None


def _unfit(plan: Plan) -> str:
    """Why the backend cannot hold the job, as far as nobody has to be asked."""
    info = plan.request.backend
    if info.state != "ready":
        return ""
    try:
        providers.provider_of(info.id).check(task_of(plan))
    except (ProviderError, CircuitError) as error:
        return error.message
    return ""
