"""Puts the files of a bundle together and collects everything that is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from qpm_lab.policy import directory as entities
from qpm_lab.policy.cedar_text import excess, statements, syntax_problems
from qpm_lab.policy.compiling import ONE_REQUEST, compile_rules
from qpm_lab.policy.directory import Directory
from qpm_lab.policy.facts import CONTEXT, NOTHING, Path, follow, principal_attributes
from qpm_lab.policy.files import ENTITIES, QUOTAS, ROUTES, SCHEMA, Folder
from qpm_lab.policy.quotas import Quota
from qpm_lab.policy.routes import Route
from qpm_lab.policy.rules import RuleSet
from qpm_lab.policy.strict_yaml import Document, read_json, read_yaml

_SAMPLES = {
    "cost_known": True,
    "has_seed": True,
    "interactive": True,
    "classification": "internal",
    "experiment": "",
    "project": "",
    "cost_center": "",
}
_TYPES = re.compile(r"types?: ([\w, :]+)$")
_SURPLUS = re.compile(r"record attribute `(\w+)` should not exist")
_LACKING = re.compile(r"expected the record to have an attribute `(\w+)`")


@dataclass(slots=True)
class Parts:
    """What the files of a bundle came to; filled file by file."""

    problems: tuple[str, ...] = ()
    description: str = ""
    time_zone: str = "UTC"
    currency: str = "USD"
    default_classification: str = "internal"
    quotas: tuple[Quota, ...] = ()
    routes: tuple[Route, ...] = ()
    directory: Directory | None = None
    rules: RuleSet | None = None
    context_names: frozenset[str] = frozenset()
    """The part of the context that the schema declares."""
    data: dict[str, Any] = field(default_factory=dict)
    """File name → its values, of files that could be read as data."""


def assemble(folder: Folder) -> Parts:
    """Reads all files; nothing in them can raise."""
    parts = Parts()
    problems = list(folder.problems)
    schema = None
    if SCHEMA in folder.texts:
        schema, faults = _schema(folder.texts[SCHEMA], parts)
        problems += faults
    for name, take in ((ENTITIES, _take_entities), (QUOTAS, _take_quotas), (ROUTES, _take_routes)):
        if name in folder.texts:
            problems += take(parts, folder.texts[name], schema)
    listed = parts.directory.lists if parts.directory else lambda kind, name: True
    parts.rules, faults = compile_rules(folder.rule_files, schema, _known_paths(parts.directory), listed)
    parts.problems = (*problems, *faults, *_shared_ids(parts), *_strange_keys(parts))
    return parts


def _schema(text: str, parts: Parts) -> tuple[Any, list[str]]:
    from cedarpy import Schema

    if any(excess(statement) for statement in statements(text)):
        return None, syntax_problems(SCHEMA, text, _schema_syntax)
    try:
        schema = Schema.from_str(text)
    except ValueError as error:
        return None, syntax_problems(SCHEMA, text, _schema_syntax) or [_schema_fault(text, str(error))]
    parts.context_names, faults = _declared_context(schema)
    return schema, faults


def _schema_syntax(text: str) -> None:
    """Raises only for syntax: one declaration alone cannot know the types of the others."""
    from cedarpy import Schema

    try:
        Schema.from_str(text)
    except ValueError as error:
        if "parsing" in str(error):
            raise


def _schema_fault(text: str, error: str) -> str:
    """`file:line: fault`, where the fault names types; Cedar lists those in no fixed order."""
    found = _TYPES.search(error)
    if found is None:
        return f"{SCHEMA}: {error}."
    names = sorted(found[1].split(", "))
    rows = text.split("\n")
    line = next((n for n, row in enumerate(rows, 1) if re.search(rf"\b{re.escape(names[0])}\b", row)), 1)
    return f"{SCHEMA}:{line}: {error[: found.start(1)]}{', '.join(names)}."


def _declared_context(schema: Any) -> tuple[frozenset[str], list[str]]:
    """Which context attributes the schema takes, found by asking it."""
    from cedarpy import is_authorized

    sample = {name: _SAMPLES.get(name, 0) for name in CONTEXT}
    request = {
        "principal": {"type": "User", "id": "someone"},
        "action": {"type": "Action", "id": "submit"},
        "resource": {"type": "Backend", "id": "some/backend"},
    }
    while True:
        errors = is_authorized({**request, "context": sample}, "", [], schema).diagnostics.errors
        if not errors:
            return frozenset(sample), []
        if (surplus := _SURPLUS.search(errors[0])) and surplus[1] in sample:
            del sample[surplus[1]]
        elif lacking := _LACKING.search(errors[0]):
            return frozenset(), [f"{SCHEMA}: the context has no attribute {lacking[1]!r}: {ONE_REQUEST}."]
        else:
            fault = errors[0].removeprefix("failed to build request: ")
            expected = "action submit applies to a User, a Backend and the documented context"
            return frozenset(), [f"{SCHEMA}: {fault} ({expected})."]


def _take_entities(parts: Parts, text: str, schema: Any) -> list[str]:
    document = _noted(parts, read_json(ENTITIES, text))
    parts.directory, faults = entities.load(document, text, schema)
    return faults


def _take_quotas(parts: Parts, text: str, schema: Any) -> list[str]:
    from qpm_lab.policy import documents

    document = _noted(parts, read_yaml(QUOTAS, text))
    file, faults = documents.typed(document, documents.QuotasFile)
    if file is None:
        return faults
    parts.description, parts.time_zone = file.description, file.time_zone
    parts.currency, parts.default_classification = file.currency, file.default_classification
    parts.quotas, faults = documents.quotas(document, file)
    return faults


def _take_routes(parts: Parts, text: str, schema: Any) -> list[str]:
    from qpm_lab.policy import documents

    document = _noted(parts, read_yaml(ROUTES, text))
    file, faults = documents.typed(document, documents.RoutesFile)
    listed = set(parts.directory.ids("Backend")) if parts.directory else None
    for index, route in enumerate(file.routes if file and listed is not None else ()):
        for position, backend in enumerate(route.backends):
            if backend not in (listed or ()):
                place = document.place(("routes", index, "backends", position))
                faults.append(f"{place}: route {route.id!r}: {backend!r} is not listed in {ENTITIES}.")
    known: dict[str, Route] = {}
    for index, route in enumerate(file.routes if file else ()):
        if route.id in known:
            faults.append(f"{document.place(('routes', index, 'id'))}: the route id {route.id!r} is given twice.")
        known[route.id] = route.route()
    parts.routes = tuple(known.values())
    return faults


def _noted(parts: Parts, document: Document) -> Document:
    if not document.problems:
        parts.data[document.name] = document.data
    return document


def _shared_ids(parts: Parts) -> list[str]:
    rule_ids = {rule.id: rule.place for rule in parts.rules.rules} if parts.rules else {}
    ids = [quota.id for quota in parts.quotas]
    shared = [
        f"{QUOTAS}: the quota id {name!r} is already used by the rule at {rule_ids[name]}."
        for name in ids
        if name in rule_ids
    ]
    return shared + [f"{QUOTAS}: the quota id {n!r} is given twice." for n in sorted(set(ids)) if ids.count(n) > 1]


def _strange_keys(parts: Parts) -> Iterator[str]:
    """Limits for names that the entities do not list: a slip of the pen would leave the general limit."""
    for quota in parts.quotas:
        listed = parts.directory.ids(quota.scope.capitalize()) if parts.directory else []
        for key in sorted(set(quota.keys) - set(listed)) if listed else ():
            yield f"{QUOTAS}: quota {quota.id!r}: the key {key!r} is not a {quota.scope} in {ENTITIES}."


def _known_paths(directory: Directory | None) -> Any:
    """A test for paths that a message may name: those that lead somewhere for someone."""
    if directory is None:
        return lambda path: True
    users = [principal_attributes(directory.member(name)) for name in (*directory.ids("User"), "*")]
    backends: list[Mapping[str, Any]] = [
        {"id": name, "provider": "", "kind": "", "local": True, "qubits": 0}
        | dict(directory.attributes("Backend", name) or {})
        for name in (*directory.ids("Backend"), "*")
    ]
    roots: dict[str, list[Any]] = {
        "context": [dict.fromkeys((*CONTEXT, "cost_high"), "")],
        "principal": users,
        "resource": backends,
    }

    def known(path: Path) -> bool:
        return any(follow(root, path[1:], directory) is not NOTHING for root in roots.get(path[0], ()))

    return known
