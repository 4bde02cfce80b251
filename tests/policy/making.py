"""Requests, quotes and small bundles for the tests of this folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qpm_lab.experiment import BackendInfo, CircuitFacts, Principal, Quote, Request, to_nano

SCHEMA = """
entity Role;
entity Team = { max_qubits: Long };
entity User in [Role, Team] = { team: Team, flags: Set<String> };
entity Backend = { kind: String, local: Bool };
type Asked = { shots: Long, total_shots: Long, qubits: Long, cost_high_nano: Long, experiment: String };
action submit appliesTo { principal: User, resource: Backend, context: Asked };
"""
PERMIT = """@id("permit.member")
@message("members may submit")
permit (principal in Role::"member", action == Action::"submit", resource);
"""
LIMIT = """@id("limit.shots")
@message("You asked for {context.shots:,}; {limit} is the most.")
@fix("Ask for fewer.")
@owner("lead")
@severity("error")
forbid (principal, action == Action::"submit", resource)
when { context.shots > 1000 };
"""
ENTITIES = """[
{"uid": {"type": "Team", "id": "chem"}, "attrs": {"max_qubits": 7}, "parents": []},
{"uid": {"type": "User", "id": "ada"}, "attrs": {"team": {"__entity": {"type": "Team", "id": "chem"}}, "flags": ["x"]},
 "parents": [{"type": "Role", "id": "member"}, {"type": "Team", "id": "chem"}]},
{"uid": {"type": "User", "id": "out"}, "attrs": {"team": {"__entity": {"type": "Team", "id": "chem"}}, "flags": []},
 "parents": []},
{"uid": {"type": "Backend", "id": "aer/simulator"}, "attrs": {"kind": "simulator", "local": true}, "parents": []},
{"uid": {"type": "Role", "id": "member"}, "attrs": {}, "parents": []}
]
"""
QUOTAS = """description: A small bundle.
time_zone: Europe/Berlin
currency: USD
quotas:
  - {id: shots-per-day, measure: shots, scope: user, window: day, limit: 5000, owner: lead}
"""
ROUTES = """routes:
  - {id: simulate, backends: [aer/simulator], owner: lead}
"""
TESTS = """defaults: {user: ada, backend: aer/simulator, shots: 10}
tests:
  - {name: passes, expect: allow}
  - {name: too many, request: {shots: 1001}, expect: deny, reasons: [limit.shots]}
  - {name: none left, used: {shots-per-day: 4991}, expect: deny, reasons: [shots-per-day]}
"""
FILES = {
    "schema.cedarschema": SCHEMA,
    "rules.cedar": PERMIT + LIMIT,
    "entities.json": ENTITIES,
    "quotas.yaml": QUOTAS,
    "routes.yaml": ROUTES,
    "tests.yaml": TESTS,
}
FREE = Quote("USD", 0, 0, 0, "local simulation is free", "2026-01-01")
SIMULATOR = BackendInfo("aer/simulator", "", 30, "simulator", local=True, noisy=False)


def write(folder: Path, **changed: str | bytes | None) -> Path:
    """A sound small bundle with files replaced (`rules_cedar=…`) or, with None, left out."""
    folder.mkdir(exist_ok=True, parents=True)
    for name, text in FILES.items():
        content = changed.get(name.replace(".", "_"), text)
        if content is not None:
            (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def price(high: str | None, currency: str = "USD", **more: Any) -> Quote:
    """A quote whose high end is an amount of money; None is unknown."""
    nano = None if high is None else to_nano(high)
    return Quote(currency, nano, nano, nano, "a list", "2026-01-01", **more)


def circuit(qubits: int = 2, depth: int = 3) -> CircuitFacts:
    return CircuitFacts("sha256:" + "0" * 64, qubits, qubits, depth, {"h": 1, "cx": 1}, 1)


def ask(user: str = "ada", shots: int = 10, circuits: int = 1, notebook_run: str = "", **more: Any) -> Request:
    """A request; by default a small one on the local simulator."""
    qubits = more.pop("qubits", 2)
    backend = more.pop("backend", SIMULATOR)
    return Request(Principal(user, notebook_run), backend, (circuit(qubits),) * circuits, shots, **more)


def vendor(backend: str) -> BackendInfo:
    return BackendInfo(backend, "", 36, "qpu", local=False, noisy=True)
