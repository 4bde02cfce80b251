"""Files of prices: bounded, without YAML's surprises, every fault named at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from qpm_lab.errors import InputError
from qpm_lab.pricing.rows import faults

LARGEST_BYTES = 2**20
_DEEPEST = 16
_Model = TypeVar("_Model", bound=BaseModel)


class _Loader(yaml.SafeLoader):
    """Refuses aliases and keys that are given twice, which YAML takes in silence."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            raise ValueError("aliases (`*name`) are not read here")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        if twice := {str(key) for key in keys if keys.count(key) > 1}:
            raise ValueError(f"line {node.start_mark.line + 1}: {', '.join(sorted(twice))} is given twice")
        return super().construct_mapping(node, deep=deep)


def read_document(path: Path, what: str, model: type[_Model], known: Mapping[str, Any] | None = None) -> _Model:
    """Reads a YAML file into a model.

    Args:
        path: The file.
        what: What it is, for the error.
        model: What it has to be.
        known: What its validators have to know besides.

    Raises:
        InputError: It cannot be used; the message has the path and every fault.
    """
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise ValueError(f"it is larger than {LARGEST_BYTES:,} bytes")
        return checked_document(_parsed(path.read_text("utf-8")), f"{what} {path}", model, known)
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise _unusable(f"{what} {path}", str(error) or type(error).__name__) from error


def checked_document(data: Any, what: str, model: type[_Model], known: Mapping[str, Any] | None = None) -> _Model:
    """The same for what was read already.

    Raises:
        InputError: It cannot be used; the message has every fault.
    """
    try:
        return model.model_validate(data, context=dict(known or {}))
    except ValidationError as error:
        raise _unusable(what, faults(error)) from error


def _parsed(text: str) -> Any:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.events.CollectionStartEvent)
        depth -= isinstance(event, yaml.events.CollectionEndEvent)
        if depth > _DEEPEST:
            raise ValueError(f"it is nested more than {_DEEPEST} deep")
    return yaml.load(text, Loader=_Loader)


def _unusable(what: str, problems: str) -> InputError:
    return InputError(f"The {what} cannot be used: {problems[:4000]}", "Correct these places.")
