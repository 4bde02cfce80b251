"""`entities.json`: who people are and what backends are, as the bundle sees them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from qpm_lab.experiment import BackendInfo
from qpm_lab.policy.strict_yaml import Document

ANYONE = "*"
"""An entity with this id stands for every user or backend that is not listed."""
Uid = tuple[str, str]
_CACHED_WORLDS = 256


@dataclass(frozen=True, slots=True)
class Membership:
    """A user as a bundle sees them; `known` is False for someone it does not admit."""

    user: str
    known: bool = False
    team: str = ""
    roles: tuple[str, ...] = ()
    clearance: int | str | None = None
    country: str = ""
    flags: tuple[str, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """All attributes of the entity, as JSON values."""


class Directory:
    """The entities of a bundle; immutable."""

    def __init__(self, entities: Mapping[Uid, Mapping[str, Any]], base: Any) -> None:
        self._entities = entities
        self._base = base
        self.world = lru_cache(_CACHED_WORLDS)(self._world)

    def attributes(self, kind: str, name: str) -> Mapping[str, Any] | None:
        """The attributes of a listed entity, or of the one that stands for all others."""
        found = self._entities.get((kind, name), self._entities.get((kind, ANYONE)))
        return None if found is None else found["attrs"]

    def lists(self, kind: str, name: str) -> bool:
        """True when the entity is listed, or one stands for all that are not."""
        return self.attributes(kind, name) is not None

    def ids(self, kind: str) -> list[str]:
        """The ids listed under an entity type."""
        return [name for entity_kind, name in self._entities if entity_kind == kind and not name.endswith(ANYONE)]

    def member(self, user: str) -> Membership:
        entity = self._entities.get(("User", user), self._entities.get(("User", ANYONE)))
        if entity is None:
            return Membership(user)
        attributes, parents = entity["attrs"], entity["parents"]
        team = attributes.get("team") or next((p for p in parents if p["type"] == "Team"), "")
        return Membership(
            user=user,
            known=True,
            team=str(plain(team)),
            roles=tuple(sorted(p["id"] for p in parents if p["type"] == "Role")),
            clearance=attributes.get("clearance"),
            country=str(attributes.get("country", "")),
            flags=tuple(sorted(map(str, attributes.get("flags", ())))),
            attributes=attributes,
        )

    def backend(self, info: BackendInfo) -> Mapping[str, Any] | None:
        """Attributes of a backend: the bundle's where it is listed, else the stand-in's with the
        provider's own facts. None: not listed, and nothing stands for it; or another's id with faults
        before it, and the bundle does not list that such ids may be used."""
        name = info.ruled_as
        if name != info.id and ("Backend", f"{info.provider}/*") not in self._entities:
            return None
        facts = {"provider": name.partition("/")[0], "kind": info.kind, "local": info.local, "qubits": info.qubits}
        listed = self._entities.get(("Backend", name))
        if listed is not None:
            return {**facts, **listed["attrs"]}
        stand_in = self.attributes("Backend", name)
        return None if stand_in is None else {**stand_in, **facts}

    def _world(self, user: str, info: BackendInfo) -> Any:
        """Cedar's entities for one request, the stand-ins made into the ones they stand for."""
        added = []
        if ("User", user) not in self._entities:
            added.append({**self._entities["User", ANYONE], "uid": {"type": "User", "id": user}})
        if ("Backend", info.ruled_as) not in self._entities:
            declared = self._entities["Backend", ANYONE]["attrs"]
            facts = self.backend(info) or {}
            attributes = {name: facts[name] for name in declared}
            added.append({"uid": {"type": "Backend", "id": info.ruled_as}, "attrs": attributes, "parents": []})
        return self._base.with_added_json_str(json.dumps(added)) if added else self._base


def plain(value: Any) -> Any:
    """A Cedar JSON value for people: an entity becomes its id, a set a comma-separated list."""
    if isinstance(value, dict):
        return value.get("__entity", value).get("id", "")
    if isinstance(value, list):
        return ", ".join(str(plain(item)) for item in value)
    return ("yes" if value else "no") if isinstance(value, bool) else value


def load(document: Document, text: str, schema: Any) -> tuple[Directory | None, list[str]]:
    """The directory, or what is wrong with the file."""
    from cedarpy import Entities

    if document.problems:
        return None, list(document.problems)
    try:
        entities = {_uid(entity): _complete(entity) for entity in document.data}
    except (TypeError, KeyError, AttributeError):
        return None, [f"{document.name}: expected a list of entities with uid, attrs and parents."]
    if len(entities) < len(document.data):
        uids = [_uid(entity) for entity in document.data]
        twice = sorted({uid for uid in uids if uids.count(uid) > 1})
        return None, [f"{_place(document.name, text, uid)} is listed twice." for uid in twice]
    try:
        directory = Directory(entities, Entities.from_json_str(json.dumps(document.data), schema))
        return directory, list(_dangling(document.name, text, directory, entities))
    except (ValueError, RecursionError) as error:
        found = [_conformity(document.name, text, entity, schema) for entity in document.data]
        return None, [fault for fault in found if fault] or [f"{document.name}: {error}."]


def _dangling(name: str, text: str, directory: Directory, entities: Mapping[Uid, Mapping[str, Any]]) -> Iterator[str]:
    """Entities that name one which is not listed: rules that follow the name would err or never apply."""
    kinds = {kind for kind, _ in entities} | {"User", "Team", "Role", "Backend"}
    for uid, entity in entities.items():
        parents = [((p["type"], p["id"]), "the parent") for p in entity["parents"]]
        named = [(other, attribute) for attribute, value in entity["attrs"].items() for other in _named(value, kinds)]
        for (kind, other), place in dict.fromkeys([*named, *parents]):
            if not directory.lists(kind, other):
                missing = f'{kind}::"{other}"'
                near = _near(directory, kind, other)
                yield f"{_place(name, text, uid)} has {place} {missing}, which is not listed{near}."


def _named(value: Any, kinds: set[str]) -> Iterator[Uid]:
    """The entities that an attribute's value names, in either of Cedar's two spellings."""
    if isinstance(value, list):
        for item in value:
            yield from _named(item, kinds)
    elif isinstance(value, dict):
        uid = value.get("__entity", value)
        if uid is not value or (set(uid) == {"type", "id"} and uid["type"] in kinds):
            yield str(uid["type"]), str(uid["id"])
        else:
            yield from _named(list(value.values()), kinds)


def _near(directory: Directory, kind: str, name: str) -> str:
    near = get_close_matches(name, directory.ids(kind), 1)
    return f" (perhaps {near[0]!r})" if near else ""


def _uid(entity: Mapping[str, Any]) -> Uid:
    return str(entity["uid"]["type"]), str(entity["uid"]["id"])


def _complete(entity: Mapping[str, Any]) -> dict[str, Any]:
    attributes, parents = entity.get("attrs", {}), entity.get("parents", [])
    return {
        "uid": entity["uid"],
        "attrs": dict(attributes.items()),
        "parents": [{"type": str(p["type"]), "id": str(p["id"])} for p in parents],
    }


def _place(name: str, text: str, uid: Uid) -> str:
    pattern = r'"uid"\s*:\s*\{[^}]*"id"\s*:\s*' + re.escape(json.dumps(uid[1], ensure_ascii=False))
    found = list(re.finditer(pattern, text))
    line = f":{text.count(chr(10), 0, found[-1].start()) + 1}" if found else ""
    return f'{name}{line}: {uid[0]}::"{uid[1]}"'


def _conformity(name: str, text: str, entity: Mapping[str, Any], schema: Any) -> str:
    """Why one entity does not fit the schema; Cedar itself does not say which one it is."""
    from cedarpy import Entities

    try:
        Entities.from_json_str(json.dumps([entity]), schema)
    except (ValueError, RecursionError):
        declared = re.search(rf"entity {re.escape(_uid(entity)[0])}\b[^;]*;", str(schema))
        expected = " ".join(declared[0].split()) if declared else "no such entity type"
        return f"{_place(name, text, _uid(entity))} does not fit the schema, which says: {expected}"
    return ""
