"""IBM Quantum's HTTP API (version 2026-04-15), as its client 0.51 speaks it.

Keys are exchanged for tokens as IBM's cloud does; jobs are `executor` programs, whose circuits come as compressed QPY
and whose results go back as compressed arrays of bits.
"""

from __future__ import annotations

import base64
import json
import secrets
import time
import zlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import wraps
from hashlib import sha256
from io import BytesIO
from typing import TYPE_CHECKING, Any

from qpm_lab.doubles.double import Call, Double, DoubleJob, Handler, Reply, Route
from qpm_lab.doubles.execution import counts_of
from qpm_lab.doubles.faults import Faults
from qpm_lab.doubles.ibm_machine import GRIDS, configuration, listed, properties

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

TOKEN_SECONDS = 3600
STATES = {"queued": "Queued", "running": "Running", "done": "Completed", "failed": "Failed", "cancelled": "Cancelled"}
MOST_TAG_LENGTH = 86
QUEUE = 3
_SECONDS_PER_SHOT = 0.0003
_SECONDS_PER_UNIT = 60
"""IBM counts what is used in units of its own too; how many seconds make one is this double's guess."""


class IbmDouble(Double):
    """IBM Quantum on the loopback interface; `limit_reached` lets its instance have used up its time."""

    name = "ibm"

    def __init__(self, faults: Faults | None = None) -> None:
        super().__init__(faults)
        self.limit_reached = False
        self._tokens: dict[str, float] = {}

    def access(self) -> dict[str, Any]:
        return {"url": self.url, "secrets": {"token": self.token}, "options": {}}

    def routes(self) -> list[Route]:
        inside: list[tuple[str, str, Handler]] = [
            ("GET", r"/api/v1/backends", self._backends),
            ("GET", r"/api/v1/backends/(?P<name>\w+)/(?P<what>configuration|properties|status)", self._machine),
            ("GET", r"/api/v1/instances/usage", self._usage),
            ("POST", r"/api/v1/jobs", self._submit),
            ("GET", r"/api/v1/jobs", self._list),
            ("GET", r"/api/v1/jobs/(?P<id>[\w-]+)", self._job),
            ("GET", r"/api/v1/jobs/(?P<id>[\w-]+)/results", self._results),
            ("GET", r"/api/v1/jobs/(?P<id>[\w-]+)/metrics", self._metrics),
            ("POST", r"/api/v1/jobs/(?P<id>[\w-]+)/cancel", self._cancel),
        ]
        return [
            ("POST", "/identity/token", self._login),
            *((method, path, self._guarded(handler)) for method, path, handler in inside),
        ]

    def error(self, status: int, message: str) -> Reply:
        return Reply(status, {"errors": [{"code": status, "message": message}], "trace": secrets.token_hex(8)})

    def _login(self, call: Call) -> Reply:
        from urllib.parse import parse_qs

        given = parse_qs(call.body.decode())
        if given.get("apikey") != [self.token]:
            message = "Provided API key could not be found."
            return Reply(400, {"errorCode": "BXNIM0415E", "errorMessage": message, "context": {}})
        now = int(time.time())
        token = _jwt({"iat": now, "exp": now + TOKEN_SECONDS, "sub": "double"})
        self._tokens[token] = now + TOKEN_SECONDS
        told = {"access_token": token, "refresh_token": "not_supported", "token_type": "Bearer"}
        return Reply(200, {**told, "expires_in": TOKEN_SECONDS, "expiration": now + TOKEN_SECONDS})

    def _guarded(self, handler: Handler) -> Handler:
        @wraps(handler)
        def checked(call: Call) -> Reply:
            scheme, _, value = call.headers.get("authorization", "").partition(" ")
            known = (scheme == "Bearer" and self._tokens.get(value, 0) > time.time()) or (
                scheme == "apikey" and value == self.token
            )
            return handler(call) if known else self.error(401, "The token is invalid or has expired.")

        return checked

    def _backends(self, call: Call) -> Reply:
        return Reply(200, {"devices": [listed(name, QUEUE) for name in GRIDS]})

    def _machine(self, call: Call) -> Reply:
        name = call.parts["name"]
        if name not in GRIDS:
            return self.error(404, f"Backend {name} not found.")
        if call.parts["what"] == "status":
            told = {"state": True, "status": "active", "message": "available", "length_queue": QUEUE}
            return Reply(200, {**told, "backend_version": "1.0.0"})
        return Reply(200, (configuration if call.parts["what"] == "configuration" else properties)(name))

    def _usage(self, call: Call) -> Reply:
        used = 600 if self.limit_reached else 12
        told = {"instance_id": "crn:double", "plan_id": "open", "usage_consumed_seconds": used}
        return Reply(200, {**told, "usage_limit_seconds": 600, "usage_limit_reached": self.limit_reached})

    def _submit(self, call: Call) -> Reply:
        asked = call.json()
        tags = asked.get("tags", [])
        if asked["backend"] not in GRIDS:
            return self.error(404, f"Backend {asked['backend']} not found.")
        if asked["program_id"] != "executor" or asked["params"]["schema_version"] != "v2.0":
            return self.error(400, "The program or the version of its schema is not supported.")
        if not all(isinstance(tag, str) and len(tag) <= MOST_TAG_LENGTH for tag in tags):
            return self.error(400, f"A tag has at most {MOST_TAG_LENGTH} characters.")
        program = asked["params"]["quantum_program"]
        circuits, shots = _circuits(program), program["shots"]
        seed = int(sha256("".join(tags).encode()).hexdigest()[:8], 16) % 2**31
        counts = [counts_of(each, shots, seed + n, self.faults.fidelity_loss) for n, each in enumerate(circuits)]
        job = self.accept(tags[0] if tags else "", asked, counts, shots)
        job.more |= {"created": _now(), "registers": [[(r.name, r.size) for r in each.cregs] for each in circuits]}
        return Reply(200, {"id": job.id, "backend": asked["backend"]})

    def new_id(self) -> str:
        return f"d{secrets.token_hex(10)}"

    def _list(self, call: Call) -> Reply:
        wanted = set(call.query.get("tags", []))
        found = [j for j in self.jobs.values() if self.visible(j) and wanted <= set(j.asked.get("tags", []))]
        offset, limit = int(call.query.get("offset", ["0"])[0]), int(call.query.get("limit", ["200"])[0])
        newest = sorted(found, key=lambda job: job.accepted_at, reverse=True)[offset : offset + limit]
        told = [self._described(job, poll=False) for job in newest]
        return Reply(200, {"jobs": told, "count": len(found), "limit": limit, "offset": offset})

    def _job(self, call: Call) -> Reply:
        return self._with(call, lambda job: Reply(200, self._described(job)))

    def _described(self, job: DoubleJob, *, poll: bool = True) -> dict[str, Any]:
        state = self.state(job, poll=poll)
        told: dict[str, Any] = {"status": STATES[state]}
        if state == "failed":
            told |= {"reason": job.failure, "reason_code": 9999}
        return {
            "id": job.id,
            "backend": job.asked["backend"],
            "program": {"id": job.asked["program_id"]},
            "state": told,
            "status": STATES[state],
            "created": job.more["created"],
            "tags": job.asked.get("tags", []),
            "cost": job.asked.get("cost", 10800),
            "private": False,
        }

    def _results(self, call: Call) -> Reply:
        def results(job: DoubleJob) -> Reply:
            state = self.state(job, poll=False)
            if state == "failed":
                return Reply(200, job.failure.encode(), {"Content-Type": "text/plain"})
            return Reply(200, _result(job)) if state == "done" else self.error(404, "The job has no results yet.")

        return self._with(call, results)

    def _metrics(self, call: Call) -> Reply:
        def metrics(job: DoubleJob) -> Reply:
            state, created = self.state(job, poll=False), job.more["created"]
            if state in ("queued", "running"):
                told: dict[str, Any] = {"timestamps": {"created": created, "running": None, "finished": None}}
                return Reply(200, {**told, "position_in_queue": self.queue_position(job), "usage": _used(0, "pending")})
            seconds = 0.0 if state == "cancelled" else round(2 + _SECONDS_PER_SHOT * job.shots * len(job.counts), 3)
            times = {"created": created, "running": created, "finished": _now()}
            ran = {"caller": "double", "qiskit_version": "2.6.2", "circuits_execution_time_ns": int(seconds * 1e9)}
            return Reply(200, {**ran, "timestamps": times, "usage": _used(seconds, "complete")})

        return self._with(call, metrics)

    def _cancel(self, call: Call) -> Reply:
        def cancel(job: DoubleJob) -> Reply:
            if self.state(job, poll=False) in ("done", "failed", "cancelled"):
                return self.error(409, "The job is in a final state and cannot be cancelled.")
            job.cancelled = True
            return Reply(200, {})

        return self._with(call, cancel)

    def _with(self, call: Call, answer: Callable[[DoubleJob], Reply]) -> Reply:
        job = self.seen(call.parts["id"])
        return self.error(404, f"Job not found. Job ID: {call.parts['id']}") if job is None else answer(job)


def _circuits(program: Mapping[str, Any]) -> list[QuantumCircuit]:
    """The circuits of a program; ValueError when it is none that is understood here."""
    from qiskit import qpy

    sent = program["circuits"]
    circuits = qpy.load(BytesIO(zlib.decompress(base64.b64decode(sent["b64_data"]))))
    items = program["items"]
    if len(items) != len(circuits) or any(each["item_type"] != "circuit" for each in items):
        raise ValueError("only items of type circuit are run, one for each circuit")
    if program["meas_level"] != "classified":
        raise ValueError("only classified outcomes are given")
    return list(circuits)


def _result(job: DoubleJob) -> dict[str, Any]:
    """The result document: an array of shots × bits for each register of each circuit."""
    program = job.asked["params"]["quantum_program"]
    data = [
        {"results": _arrays(counts, registers, job.shots), "metadata": {}}
        for counts, registers in zip(job.counts, job.more["registers"], strict=True)
    ]
    return {
        "schema_version": "v2.0",
        "data": data,
        "metadata": {"chunk_timing": []},
        "passthrough_data": program.get("passthrough_data"),
        "semantic_role": program.get("semantic_role"),
    }


def _arrays(counts: Mapping[str, int], registers: list[tuple[str, int]], shots: int) -> dict[str, Any]:
    import numpy as np

    # A column per classical bit, the first one first; keys have it last.
    rows = np.array([[int(bit) for bit in reversed(key)] for key in counts], dtype=bool)
    bits = np.repeat(rows, list(counts.values()), axis=0)
    arrays, start = {}, 0
    for name, size in registers:
        packed = np.packbits(bits[:, start : start + size], bitorder="little").tobytes()
        text = base64.b64encode(zlib.compress(packed)).decode()
        arrays[name] = {"data": text, "shape": [shots, size], "dtype": "bool"}
        start += size
    return arrays


def _used(seconds: float, status: str) -> dict[str, Any]:
    found: dict[str, Any] = {"qpu_charge_time_seconds": seconds, "status": status}
    if status == "pending":
        return found
    units = {"value": round(seconds / _SECONDS_PER_UNIT, 4), "unit": "resource_units"}
    return {**found, **units, "details": [{**units, "metric": {"id": "qpu-seconds", "value": seconds}}]}


def _jwt(claims: Mapping[str, Any]) -> str:
    """A token that nobody can check, which is all that IBM's client asks of it."""
    parts = [{"alg": "RS256", "typ": "JWT", "kid": "double"}, claims, {"nonce": secrets.token_hex(8)}]
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts)


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")
