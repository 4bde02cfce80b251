"""A policy bundle: loaded once, then asked about every request. Pure apart from reading its folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from qpm_lab.experiment import BackendInfo, Decision, Effect, Hold, Quote, Reason, Request, Shortage
from qpm_lab.policy import refusals
from qpm_lab.policy.assembly import Parts, assemble
from qpm_lab.policy.cedar_text import normalised
from qpm_lab.policy.directory import Membership
from qpm_lab.policy.facts import Facts, Value
from qpm_lab.policy.files import Folder, read
from qpm_lab.policy.quotas import Quota
from qpm_lab.policy.room import Price, Room, Smaller
from qpm_lab.policy.routes import Place, Route
from qpm_lab.policy.rules import Rule, Verdict


class Bundle:
    """Rules, quotas and entities of one folder.

    A broken bundle loads too: it lists its `problems` and refuses everything.
    """

    def __init__(self, folder: Folder, parts: Parts) -> None:
        self.name = folder.name
        self.problems: tuple[str, ...] = parts.problems
        self.version = _version(folder, parts)
        """`sha256:` of the content without comments and layout."""
        self.description = parts.description
        self.time_zone = parts.time_zone
        self.currency = parts.currency
        self.default_classification = parts.default_classification
        self._zone = ZoneInfo(parts.time_zone)
        self._parts = parts

    @classmethod
    def load(cls, folder: Path) -> Bundle:
        """Loads a bundle; its faults are in `problems`.

        Raises:
            BundleError: there is no such folder.
        """
        texts = read(Path(folder))
        return cls(texts, assemble(texts))

    @property
    def rule_ids(self) -> tuple[str, ...]:
        """The ids of all rules, permits included."""
        return tuple(rule.id for rule in self._parts.rules.rules) if self._parts.rules else ()

    @property
    def quotas(self) -> tuple[Quota, ...]:
        return self._parts.quotas

    @property
    def routes(self) -> tuple[Route, ...]:
        """The routes, in the order of the file."""
        return () if self.problems else self._parts.routes

    def listed(self, info: BackendInfo) -> Mapping[str, Any]:
        """The attributes of a backend as the rules see them; none when they do not know it."""
        directory = self._parts.directory
        return (directory.backend(info) if directory else None) or {}

    def place_of(self, info: BackendInfo) -> Place:
        """Tier of a backend, where it stands and whose it is: the bundle's word before the provider's."""
        return Place.of(info, self.listed(info))

    @property
    def backend_ids(self) -> tuple[str, ...]:
        """The backends that the bundle lists."""
        return tuple(self._parts.directory.ids("Backend")) if self._parts.directory else ()

    def members(self, user: str) -> Membership:
        """The user's team, roles and clearance as this bundle sees them."""
        directory = self._parts.directory
        return directory.member(user) if directory and not self.problems else Membership(user)

    def decide(
        self, request: Request, quote: Quote, *, max_cost: int | None = None, price: Price | None = None
    ) -> Decision:
        """Rules on this request alone: rules, prices, job quotas and the caller's own limit.

        Args:
            request: What is asked.
            quote: What it costs; its high end counts.
            max_cost: The caller's own limit in nano-units of the quote's currency.
            price: Prices a smaller job, so that a refusal can say how much of this one would fit; asked
                only for a refusal, and not needed for jobs that cost nothing.

        Returns:
            The verdict with all its reasons.
        """
        reasons, verdict = self._reasons(Smaller(request, quote, price), max_cost)
        return Decision(self._effect(reasons, verdict), reasons, self.name, self.version)

    def granting(self, request: Request, quote: Quote) -> tuple[str, ...]:
        """The ids of the permits that apply to a request."""
        facts = None if self.problems else self._facts(request, quote)
        return tuple(rule.id for rule in self._judge(facts).granted) if facts else ()

    def holds(self, request: Request, quote: Quote, now: datetime) -> tuple[Hold, ...]:
        """What an allowed job takes from every windowed quota that applies to it.

        Args:
            request: What is asked.
            quote: What it costs.
            now: An aware moment; it picks the windows.

        Raises:
            ValueError: `now` has no time zone.
        """
        facts = None if self.problems else self._facts(request, quote)
        if facts is None:
            return ()
        held = (
            quota.hold(request, quote, key, now, self._zone)
            for quota, key in _applicable(self.quotas, facts)
            if quota.window != "job" and key
        )
        return tuple(hold for hold in held if hold.amount > 0)

    def shortage_reasons(
        self,
        shortages: Sequence[Shortage],
        now: datetime,
        *,
        request: Request | None = None,
        quote: Quote | None = None,
        price: Price | None = None,
    ) -> tuple[Reason, ...]:
        """What to tell about quotas that had not enough left, with worked-out figures.

        Args:
            shortages: The holds that did not fit, of this bundle or of a session.
            now: An aware moment; says how long until a window ends.
            request: The job they were for; with its quote it is told how much of it would fit.
            quote: What it costs.
            price: As for `decide`.
        """
        job = Smaller(request, quote, price) if request and quote else None
        return tuple(refusals.of_shortage(shortage, now, job) for shortage in shortages)

    def _facts(self, request: Request, quote: Quote) -> Facts | None:
        """None when the bundle does not know the user, the backend or the classification."""
        directory = self._parts.directory
        classification = request.classification or self.default_classification
        if directory is None or any(refusals.of_request(request, classification)):
            return None
        member, backend = directory.member(request.principal.user), directory.backend(request.backend)
        if not member.known or backend is None:
            return None
        return Facts(request, quote, self.currency, classification, member, backend, directory)

    def _judge(self, facts: Facts) -> Verdict:
        return self._parts.rules.judge(facts, self._context(facts)) if self._parts.rules else Verdict((), (), ())

    def _context(self, facts: Facts) -> dict[str, Value]:
        return {name: value for name, value in facts.context().items() if name in self._parts.context_names}

    def _reasons(self, job: Smaller, max_cost: int | None) -> tuple[tuple[Reason, ...], Verdict | None]:
        if self.problems:
            return tuple(refusals.of_bundle(problem) for problem in self.problems), None
        price = tuple(refusals.of_price(job.quote, self.currency))
        caller = tuple(refusals.of_caller(job, max_cost))
        facts = self._facts(job.request, job.quote)
        if facts is None:
            return (*self._unknown(job.request), *price, *caller), None
        verdict = self._judge(facts)
        rules = self._rule_reasons(facts, verdict, job)
        return (*price, *rules, *caller, *_quota_reasons(self.quotas, facts, job)), verdict

    def _rule_reasons(self, facts: Facts, verdict: Verdict, job: Smaller) -> Iterator[Reason]:
        """A limit on a cost that nobody knows says nothing; the price's own reason does."""
        for rule in verdict.fired:
            if facts.cost_known or rule.limit is None or rule.limit.name != "cost":
                grows = rule.limit is not None and rule.limit.grows
                yield rule.reason(facts, job.room(partial(self._passes, rule)) if grows else Room())
        yield from (refusals.of_error(error) for error in verdict.errors)
        if not verdict.granted and self._parts.rules:
            yield refusals.of_silence(self._parts.rules.permits, facts)

    def _passes(self, rule: Rule, request: Request, quote: Quote) -> bool:
        facts, rules = self._facts(request, quote), self._parts.rules
        return facts is not None and rules is not None and not rules.stops(rule, facts, self._context(facts))

    def _unknown(self, request: Request) -> Iterator[Reason]:
        yield from refusals.of_request(request, request.classification or self.default_classification)
        if not self.members(request.principal.user).known:
            yield refusals.of_unknown_user(request.principal.user, self.name)
        if self._parts.directory and self._parts.directory.backend(request.backend) is None:
            yield refusals.of_unknown_backend(request.backend.id, self.name)

    def _effect(self, reasons: tuple[Reason, ...], verdict: Verdict | None) -> Effect:
        """Plain refusals win over those that a person may lift; only silence is consent."""
        if verdict is None or not verdict.granted or verdict.errors:
            return "deny"
        if not reasons:
            return "allow"
        return "needs-approval" if all("approver" in reason.details for reason in reasons) else "deny"


def _applicable(quotas: Sequence[Quota], facts: Facts) -> Iterator[tuple[Quota, str]]:
    """Quotas that count this backend, with their key; the key is empty when the request has none."""
    for quota in quotas:
        if quota.covers(facts.backend):
            yield quota, quota.key(facts.request, facts.member.team)


def _quota_reasons(quotas: Sequence[Quota], facts: Facts, job: Smaller) -> Iterator[Reason]:
    for quota, key in _applicable(quotas, facts):
        if not key and quota.require:
            yield refusals.of_missing_key(quota)
        elif key and quota.window == "job":
            amount, limit = quota.amount(facts.request, facts.quote), quota.limit_of(key)
            if amount > limit:
                yield refusals.of_job_quota(quota, amount, limit, job)


def _version(folder: Folder, parts: Parts) -> str:
    """Content without layout: rules by their tokens, data by its values, the rest by its lines."""
    digest = hashlib.sha256()
    for name, text in sorted(folder.texts.items()):
        if name in parts.data:
            content = json.dumps(parts.data[name], sort_keys=True, separators=(",", ":"), default=str)
        elif name.endswith((".cedar", ".cedarschema")):
            content = normalised(text)
        else:
            content = "\n".join(line.rstrip() for line in text.rstrip().split("\n"))
        for part in (name, content):
            encoded = part.encode("utf-8", "surrogatepass")
            digest.update(b"%d:" % len(encoded) + encoded)
    return f"sha256:{digest.hexdigest()}"
