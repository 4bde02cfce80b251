"""YAML without its surprises: no repeated keys, no aliases, bounded depth, and the line of every value.

JSON is read here too: strictly as JSON, with YAML's line numbers when something is wrong.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MAX_DEPTH = 32
MAX_NODES = 50_000
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says, and where."""

    name: str
    data: Any = None
    problems: tuple[str, ...] = ()
    lines: Mapping[Path, int] = field(default_factory=dict)

    def place(self, path: Sequence[str | int]) -> str:
        """`file:line` of the value at `path`, or of the nearest value around it."""
        for end in range(len(path), -1, -1):
            if (line := self.lines.get(tuple(path[:end]))) is not None:
                return f"{self.name}:{line}"
        return self.name


def read_yaml(name: str, text: str) -> Document:
    """Parses a YAML file; faults are in `problems`, never raised."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        if problem := _dangerous(yaml, loader, text):
            return Document(name, problems=(f"{name}:{problem}",))
        node = yaml.compose(text, Loader=loader)
        lines: dict[Path, int] = {}
        repeated = _walk(name, node, (), lines) if node else []
        if repeated:
            return Document(name, problems=tuple(repeated), lines=lines)
        return Document(name, yaml.load(text, Loader=loader), lines=lines)
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        return Document(name, problems=(_yaml_problem(name, error),))


def read_json(name: str, text: str) -> Document:
    """Parses a JSON file; faults are in `problems`, never raised."""
    repeated = False

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal repeated
        found = dict(pairs)
        repeated = repeated or len(found) < len(pairs)
        return found

    try:
        data = json.loads(text, object_pairs_hook=unique, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        return Document(name, problems=(f"{name}:{error.lineno}: {error.msg} (column {error.colno}).",))
    except (RecursionError, ValueError) as error:
        return Document(name, problems=(f"{name}: cannot be read as JSON ({error}).",))
    if repeated:
        located = read_yaml(name, text).problems
        return Document(name, problems=located or (f"{name}: an object repeats a key.",))
    return Document(name, data)


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


def _dangerous(yaml: Any, loader: Any, text: str) -> str:
    """`line: fault` of what must not reach the composer, which recurses without a limit."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=loader)):
        line = event.start_mark.line + 1
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            return f"{line}: anchors and aliases are not read here."
        if depth > MAX_DEPTH:
            return f"{line}: lists and mappings nest more than {MAX_DEPTH} deep."
        if count > MAX_NODES:
            return f"{line}: more than {MAX_NODES:,} values."
    return ""


def _walk(name: str, node: Any, path: Path, lines: dict[Path, int]) -> list[str]:
    """Notes every line; returns the repeated keys."""
    lines[path] = node.start_mark.line + 1
    if node.id == "sequence":
        return [p for i, item in enumerate(node.value) for p in _walk(name, item, (*path, i), lines)]
    if node.id != "mapping":
        return []
    problems: list[str] = []
    seen: set[str] = set()
    for key, value in node.value:
        word = str(key.value)
        if word in seen:
            problems.append(f"{name}:{key.start_mark.line + 1}: the key {word!r} is given twice.")
        seen.add(word)
        problems += _walk(name, value, (*path, word), lines)
        lines[(*path, word)] = key.start_mark.line + 1
    return problems


def _yaml_problem(name: str, error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    text = getattr(error, "problem", None) or str(error).splitlines()[0]
    return f"{name}:{mark.line + 1}: {text}." if mark else f"{name}: {text}."
