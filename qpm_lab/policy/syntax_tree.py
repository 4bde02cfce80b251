"""Questions to a parsed rule: which attributes it reads, and which limit it sets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from qpm_lab.policy.facts import MEASURED, Path
from qpm_lab.policy.wording import Limit

_TOO_MUCH = {("when", "greater"): 0, ("when", "greater_eq"): 1, ("unless", "less_eq"): 0, ("unless", "less"): 1}


def attributes_read(template: Any) -> set[Path]:
    """Dotted paths such as `("context", "shots")`, also those only asked for with `has`."""
    return {path for node in _nodes(template.clauses) for path in _paths(node)}


def entities_named(template: Any) -> set[tuple[str, str]]:
    """Type and id of every entity that the rule names, the action left out."""
    named = {(node.type, str(node.id)) for node in _nodes(template) if type(node).__name__ == "EntityUid"}
    uids = {("::".join((*map(str, kind.namespace), str(kind.basename))), name) for kind, name in named}
    return {(kind, name) for kind, name in uids if kind != "Action"}


def limit_set(template: Any) -> Limit | None:
    """The first comparison of something measured with a number or an attribute, if there is one."""
    for clause in template.clauses:
        kind = type(clause).__name__.lower()
        for node in _conjuncts(clause.expr):
            if limit := _limit(kind, node):
                return limit
    return None


def _limit(kind: str, node: Any) -> Limit | None:
    slack = _TOO_MUCH.get((kind, getattr(node, "op", "")))
    if slack is None:
        return None
    left, right = _path(node.left), _path(node.right)
    literal = getattr(node.right, "value", None)
    if len(left) != 2 or left[0] != "context" or left[1] not in MEASURED:
        return None
    bound = literal if isinstance(literal, int) and not isinstance(literal, bool) else right
    return Limit(left[1], bound, slack) if bound or bound == 0 else None


def _conjuncts(expression: Any) -> Iterator[Any]:
    if getattr(expression, "op", "") == "and":
        yield from _conjuncts(expression.left)
        yield from _conjuncts(expression.right)
    else:
        yield expression


def _nodes(value: Any) -> Iterator[Any]:
    if isinstance(value, tuple):
        for item in value:
            yield from _nodes(item)
    elif isinstance(value, dict):
        yield from _nodes(tuple(value.values()))
    elif is_dataclass(value):
        yield value
        yield from _nodes(tuple(getattr(value, field.name) for field in fields(value)))


def _paths(node: Any) -> Iterator[Path]:
    name = type(node).__name__
    if name == "GetAttr" and (path := _path(node)):
        yield path
    if name == "HasAttr" and (base := _path(node.base)):
        yield (*base, *node.attrs)


def _path(node: Any) -> Path:
    """`principal.team.providers` as names; empty for anything that is not such a chain."""
    name = type(node).__name__
    if name == "Var":
        return (str(node.name),)
    base = _path(node.base) if name == "GetAttr" else ()
    return (*base, str(node.attr)) if base else ()
