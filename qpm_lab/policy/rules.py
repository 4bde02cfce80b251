"""The Cedar rules of a bundle, asked about one request."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qpm_lab.experiment import Reason
from qpm_lab.policy.facts import Facts, Value
from qpm_lab.policy.room import Room, counted, sentence
from qpm_lab.policy.wording import Limit, Wording

_POLICY = re.compile(r"policy `policy(\d+)`")


@dataclass(frozen=True, slots=True)
class Rule:
    """One `permit` or `forbid` with what it says to people."""

    id: str
    permits: bool
    message: Wording
    fix: Wording
    owner: str
    severity: str
    approver: str
    """Role that may agree; empty for a rule that simply forbids."""
    limit: Limit | None
    place: str
    """`file:line`."""

    def reason(self, facts: Facts, room: Room) -> Reason:
        """Why this rule stopped a request, with the figures.

        Args:
            facts: The request.
            room: What of it the rule would let pass.
        """
        return Reason(
            rule=self.id,
            kind="rule",
            message=self.message.render(facts, self.limit),
            fix=f"{self.fix.render(facts, self.limit)} {_advice(room)}".strip(),
            owner=self.owner,
            severity=self.severity,
            details={**self._details(facts), **room.details()},
        )

    def _details(self, facts: Facts) -> dict[str, Any]:
        details: dict[str, Any] = {"place": self.place}
        if self.approver:
            details["approver"] = self.approver
        if self.limit is None or (most := self.limit.value(facts)) is None:
            return details
        asked = self.limit.asked(facts)
        details["measure"] = self.limit.name
        details["unit"] = self.limit.unit(facts)
        details["asked"] = None if asked is None else self.limit.figure(asked)
        details["limit"] = self.limit.figure(most)
        return details


def _advice(room: Room) -> str:
    """What would pass; nothing where fewer points or shots are no way out."""
    if room.points is None and room.shots is None:
        return ""
    if room.many or not room.shots:
        return f"{sentence(room.ways())}." if room.ways() else room.nothing()
    return f"At most {counted(room.shots, 'shot')} {'fits' if room.shots == 1 else 'fit'}."


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules said about one request."""

    fired: tuple[Rule, ...]
    """Every `forbid` that applies, in the order of the files."""
    granted: tuple[Rule, ...]
    """Every `permit` that applies."""
    errors: tuple[str, ...]
    """What went wrong in which rule; a rule that errors never permits."""


class RuleSet:
    """Compiled rules; immutable."""

    def __init__(self, rules: Sequence[Rule], text: str, permits: str, schema: Any) -> None:
        from cedarpy import PolicySet

        self.rules = tuple(rules)
        self.permits = tuple(rule for rule in rules if rule.permits)
        self._all = PolicySet.from_str(text)
        self._permits = PolicySet.from_str(permits)
        self._schema = schema

    def judge(self, facts: Facts, context: Mapping[str, Value]) -> Verdict:
        """Evaluates every rule.

        Args:
            facts: The request and what the bundle knows of it.
            context: The part of `facts.context()` that the schema declares.
        """
        answer = self._ask(self._all, facts, context)
        errors = tuple(_told(error, self.rules) for error in answer.diagnostics.errors)
        if answer.allowed:
            granted = tuple(self.rules[_index(name)] for name in answer.diagnostics.reasons)
            return Verdict((), granted, errors)
        if not answer.diagnostics.reasons and errors:
            return Verdict((), (), errors)
        fired = sorted(_index(name) for name in answer.diagnostics.reasons)
        permitted = self._ask(self._permits, facts, context)
        granted = tuple(self.permits[_index(name)] for name in permitted.diagnostics.reasons)
        return Verdict(tuple(self.rules[i] for i in fired), granted, errors)

    def stops(self, rule: Rule, facts: Facts, context: Mapping[str, Value]) -> bool:
        """True when this rule forbids the request; also when a rule errs, which never permits."""
        answer = self._ask(self._all, facts, context).diagnostics
        return bool(answer.errors) or self.rules.index(rule) in map(_index, answer.reasons)

    def _ask(self, policies: Any, facts: Facts, context: Mapping[str, Value]) -> Any:
        from cedarpy import is_authorized

        request = {
            "principal": {"type": "User", "id": facts.member.user},
            "action": {"type": "Action", "id": "submit"},
            "resource": {"type": "Backend", "id": facts.request.backend.ruled_as},
            "context": dict(context),
        }
        world = facts.directory.world(facts.member.user, facts.request.backend)
        return is_authorized(request, policies, world, self._schema)


def _told(error: str, rules: Sequence[Rule]) -> str:
    """Cedar's message with the rule's own id and place."""
    found = _POLICY.search(error)
    if found is None or int(found[1]) >= len(rules):
        return error
    rule = rules[int(found[1])]
    return f"{error[: found.start()]}{rule.id} ({rule.place}){error[found.end() :]}"


def _index(policy_id: str) -> int:
    """Cedar names rules `policy0`, `policy1`, … in the order of the text."""
    return int(policy_id.removeprefix("policy"))
