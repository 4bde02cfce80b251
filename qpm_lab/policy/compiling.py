"""From rule files to a `RuleSet`: everything that can be wrong with a rule is found here, with its line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from qpm_lab.policy.cedar_text import MAX_PROBLEMS, Statement, excess, statements, syntax_problems
from qpm_lab.policy.facts import CONTEXT, Path
from qpm_lab.policy.rules import Rule, RuleSet
from qpm_lab.policy.syntax_tree import attributes_read, entities_named, limit_set
from qpm_lab.policy.wording import Wording

SEVERITIES = ("info", "warning", "error", "critical")
_FORBID = ("id", "message", "fix", "owner", "severity")
_PERMIT = ("id", "message")
_ANNOTATIONS = frozenset((*_FORBID, "effect", "approver"))
_USAGE = re.compile(r"(^|_)(used|usage|spent|consumed|remaining|reserved|today|so_far)(_|$)")
_QUOTED = re.compile(r"`([^`]+)`")
ONE_REQUEST = (
    "rules see one request, never usage, because usage can change before the reservation; "
    "a limit over time is a quota in quotas.yaml"
)
Known = Callable[[Path], bool]
Listed = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True)
class _Source:
    """One statement with its parsed form."""

    file: str
    statement: Statement
    template: Any

    @property
    def place(self) -> str:
        return f"{self.file}:{self.statement.line}"


def compile_rules(
    files: Mapping[str, str], schema: Any, known: Known, listed: Listed
) -> tuple[RuleSet | None, list[str]]:
    """Compiles all rule files of a bundle together.

    Args:
        files: File name → text.
        schema: Cedar's parsed schema; None when it is broken, which leaves types unchecked.
        known: True for a path that a message may name.
        listed: True for the type and id of an entity that a rule may name.

    Returns:
        The rules, or None and what is wrong.
    """
    sources: list[_Source] = []
    problems: list[str] = []
    for name, text in files.items():
        found, faults = _parsed(name, text)
        sources += found
        problems += faults or (_type_faults(name, text, found, schema) if schema else [])
    problems += [fault for source in sources for fault in _faults(source, known)]
    problems += [fault for source in sources for fault in _strangers(source, listed)]
    problems += _repeated(sources)
    if problems or schema is None:
        return None, list(dict.fromkeys(problems))
    rules = [_rule(source) for source in sources]
    permits = [source for source in sources if source.template.effect == "permit"]
    return RuleSet(rules, _joined(sources), _joined(permits), schema), []


def _joined(sources: list[_Source]) -> str:
    return "\n".join(source.statement.text for source in sources)


def _parsed(name: str, text: str) -> tuple[list[_Source], list[str]]:
    from cedarpy import PolicySet

    found = statements(text)
    if any(excess(statement) for statement in found):
        return [], syntax_problems(name, text, PolicySet.from_str)
    try:
        tree = PolicySet.from_str(text).to_pst()
    except ValueError as error:
        return [], syntax_problems(name, text, PolicySet.from_str) or [f"{name}: {error}."]
    if tree.templates:
        return [], [f"{name}: rules with ?principal or ?resource are not used here; name whom they are for."]
    parsed = zip(found, tree.static_policies.values(), strict=True)
    return [_Source(name, statement, template) for statement, template in parsed], []


def _type_faults(name: str, text: str, sources: list[_Source], schema: Any) -> Iterator[str]:
    from cedarpy import validate_policies

    for error in validate_policies(text, schema).errors[:MAX_PROBLEMS]:
        message = error.error.split(", ", 1)[-1]
        source = sources[int(error.policy_id.removeprefix("policy"))]
        word = _QUOTED.search(message)
        line = source.statement.line_of_word(word[1]) if word else source.statement.line
        unknown = " in context " in message and "not found" in message
        hint = f" ({ONE_REQUEST})" if unknown else ""
        yield f"{name}:{line}: {message.replace('`', chr(39))}{hint}."


def _faults(source: _Source, known: Known) -> Iterator[str]:
    template, notes = source.template, source.template.annotations
    rule = f"{source.place}: rule {notes.get('id', '')!r}"
    for name in _PERMIT if template.effect == "permit" else _FORBID:
        if not notes.get(name, "").strip():
            yield f"{source.place}: the annotation @{name} is missing."
    for name in sorted(set(notes) - _ANNOTATIONS):
        yield f"{rule}: @{name} is not an annotation; there are {', '.join(sorted(_ANNOTATIONS))}."
    if notes.get("severity", "error") not in SEVERITIES:
        yield f"{rule}: @severity has to be one of {', '.join(SEVERITIES)}."
    if "effect" in notes or "approver" in notes:
        yield from (f"{rule}: {fault}" for fault in _approval_faults(template))
    limit = limit_set(template)
    for name in ("message", "fix"):
        for fault in Wording(notes.get(name, "")).faults(known, limit):
            yield f"{rule}: @{name}: {fault}."
    for path in sorted(attributes_read(template)):
        if any(_USAGE.search(part) for part in path) or (path[0] == "context" and path[1] not in CONTEXT):
            line = source.statement.line_of_word(path[-1])
            yield f"{source.file}:{line}: rule {notes.get('id', '')!r} reads {'.'.join(path)}: {ONE_REQUEST}."


def _strangers(source: _Source, listed: Listed) -> Iterator[str]:
    """A rule for a role that nobody can have never acts, and nobody would notice."""
    for kind, name in sorted(entities_named(source.template)):
        if not listed(kind, name):
            line = source.statement.line_of_word(name)
            rule_id = source.template.annotations.get("id", "")
            yield f'{source.file}:{line}: rule {rule_id!r} names {kind}::"{name}", which entities.json does not list.'


def _approval_faults(template: Any) -> Iterator[str]:
    notes = template.annotations
    if template.effect != "forbid" or notes.get("effect") != "needs-approval":
        yield '@effect("needs-approval") on a forbid is the only effect that can be set.'
    if not notes.get("approver", "").strip():
        yield "@approver has to name the role that may agree."


def _repeated(sources: list[_Source]) -> Iterator[str]:
    seen: dict[str, str] = {}
    for source in sources:
        rule_id = source.template.annotations.get("id", "")
        if rule_id in seen:
            yield f"{source.place}: the id {rule_id!r} is already used at {seen[rule_id]}."
        seen[rule_id] = source.place


def _rule(source: _Source) -> Rule:
    notes = source.template.annotations
    return Rule(
        id=notes["id"],
        permits=source.template.effect == "permit",
        message=Wording(notes["message"]),
        fix=Wording(notes.get("fix", "")),
        owner=notes.get("owner", ""),
        severity=notes.get("severity", "info"),
        approver=notes.get("approver", ""),
        limit=limit_set(source.template),
        place=source.place,
    )
