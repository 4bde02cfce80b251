"""AQT's double: Arnica's API for jobs, and beside it the one of a machine that is asked directly."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from qpm_lab.doubles.double import Call, Double, Reply, Route
from qpm_lab.doubles.execution import counts_of

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

_WORKSPACE = "double"
_RESOURCES = {
    "ibex": ("device", 12),
    "simulator_no_noise": ("simulator", 20),
    "simulator_noise": ("simulator", 20),
}
_STATES = {
    "queued": "queued",
    "running": "ongoing",
    "done": "finished",
    "failed": "error",
    "cancelled": "cancelled",
}
_MOST_CIRCUITS = 50
_MOST_SHOTS = 2_000


class AqtDouble(Double):
    """Jobs of several circuits in the cloud; at a machine one circuit at a time."""

    name = "aqt"

    def routes(self) -> list[Route]:
        """What it answers: `v1/…` as the cloud, the rest as a machine."""
        return [
            ("GET", r"/v1/workspaces", self._known(lambda call: Reply(200, _workspaces()))),
            ("GET", r"/v1/resources/(?P<id>[^/]+)", self._known(self._resource)),
            ("POST", r"/v1/submit/(?P<workspace>[^/]+)/(?P<id>[^/]+)", self._known(self._submit)),
            ("GET", r"/v1/result/(?P<id>[^/]+)", self._known(self._result)),
            ("DELETE", r"/v1/jobs/(?P<id>[^/]+)", self._known(self._cancel)),
            ("GET", r"/status/ions", self._known(lambda call: Reply(200, {"num_ions": 12}))),
            ("GET", r"/system/name", self._known(lambda call: Reply(200, "double"))),
            ("PUT", r"/circuit", self._known(self._put)),
            ("GET", r"/circuit/result/(?P<id>[^/]+)", self._known(self._payload)),
        ]

    def error(self, status: int, message: str) -> Reply:
        return Reply(422 if status == 400 else status, {"detail": message})

    def _known(self, handler: Callable[[Call], Reply]) -> Callable[[Call], Reply]:
        def checked(call: Call) -> Reply:
            if call.headers.get("authorization") != f"Bearer {self.token}":
                return self.error(401, "Could not validate credentials.")
            return handler(call)

        return checked

    def _resource(self, call: Call) -> Reply:
        name = call.parts["id"]
        if name not in _RESOURCES:
            return self.error(404, f"There is no resource {name}.")
        kind, qubits = _RESOURCES[name]
        document = {"id": name, "name": name.upper(), "type": kind, "status": "online", "available_qubits": qubits}
        known = characterisation(qubits) if kind == "device" else None
        return Reply(200, {**document, "status_updated_at": "2026-11-20T06:00:00Z", "characterisation": known})

    def _submit(self, call: Call) -> Reply:
        asked, resource = call.json(), call.parts["id"]
        if call.parts["workspace"] != _WORKSPACE or resource not in _RESOURCES:
            return self.error(403, "You may not submit jobs there.")
        circuits = asked["payload"]["circuits"]
        if asked["job_type"] != "quantum_circuit" or not 1 <= len(circuits) <= _MOST_CIRCUITS:
            raise ValueError("a job has 1 to 50 quantum circuits")
        counts = [self._run(each, n, _RESOURCES[resource][1]) for n, each in enumerate(circuits)]
        job = self.accept(asked["label"] or "", asked, counts, circuits[0]["repetitions"])
        job.more["job"] = {
            "job_id": job.id,
            "job_type": "quantum_circuit",
            "label": asked["label"],
            "resource_id": resource,
            "workspace_id": _WORKSPACE,
        }
        return Reply(200, {"job": job.more["job"], "response": {"status": "queued"}})

    def _run(self, asked: Mapping[str, Any], place: int, most: int) -> dict[str, int]:
        shots = asked["repetitions"]
        if not 1 <= shots <= _MOST_SHOTS or not 1 <= asked["number_of_qubits"] <= most:
            raise ValueError(f"1 to {_MOST_SHOTS} repetitions on 1 to {most} qubits")
        circuit = circuit_of(asked["quantum_circuit"], asked["number_of_qubits"])
        return counts_of(circuit, shots, self.faults.seed + len(self.jobs) + place, self.faults.fidelity_loss)

    def _result(self, call: Call) -> Reply:
        job = self.seen(call.parts["id"])
        if job is None:
            return Reply(200, {"job_id": call.parts["id"], "message": "unknown job_id"})
        state = _STATES[self.state(job)]
        response: dict[str, Any] = {"status": state}
        if call.query.get("include_timing_data") == ["true"]:
            response["timing_data"] = _timing(state)
        if state == "ongoing":
            response["finished_count"] = 0
        elif state == "finished":
            response["result"] = {str(n): _samples(counts) for n, counts in enumerate(job.counts)}
        elif state == "error":
            response["message"] = job.failure
        return Reply(200, {"job": job.more["job"], "response": response})

    def _cancel(self, call: Call) -> Reply:
        """208 always: AQT says 204 the first time, which the doubles' server cannot send."""
        job = self.seen(call.parts["id"])
        if job is None:
            return self.error(404, f"There is no job {call.parts['id']}.")
        job.cancelled = job.cancelled or self.state(job, poll=False) in ("queued", "running")
        return Reply(208, b"")

    def _put(self, call: Call) -> Reply:
        asked = call.json()
        job = self.accept("", asked, [self._run(asked, 0, 12)], asked["repetitions"])
        return Reply(200, job.id)

    def _payload(self, call: Call) -> Reply:
        """A machine answers when it is done; to tell that it is not, this one has to be given latency."""
        job = self.seen(call.parts["id"])
        if job is None:
            return self.error(404, "Unknown circuit.")
        done = {"status": "finished", "result": _samples(job.counts[0])}
        return Reply(200, {"job_id": job.id, "payload": {"status": "error"} if job.failure else done})


def _workspaces() -> list[dict[str, Any]]:
    resources = [{"id": name, "name": name.upper(), "type": kind} for name, (kind, _) in _RESOURCES.items()]
    state = {"accepting_job_submissions": True, "jobs_being_processed": True}
    return [{"id": _WORKSPACE, **state, "resources": resources}]


def circuit_of(operations: list[Mapping[str, Any]], qubits: int) -> QuantumCircuit:
    """Angles are in units of π; every qubit is measured at the end.

    Raises:
        ValueError: An operation, or an angle, that the machine does not take.
    """
    from qiskit import QuantumCircuit as Circuit

    if not operations or operations[-1] != {"operation": "MEASURE"}:
        raise ValueError("the last operation has to be MEASURE")
    circuit = Circuit(qubits, qubits)
    for each in operations[:-1]:
        if each["operation"] == "RZ":
            circuit.rz(each["phi"] * math.pi, each["qubit"])
        elif each["operation"] == "R":
            theta, phi = _within(each["theta"], 1.0), _within(each["phi"], 2.0)
            circuit.r(theta * math.pi, phi * math.pi, each["qubit"])
        elif each["operation"] == "RXX":
            circuit.rxx(_within(each["theta"], 0.5) * math.pi, *each["qubits"])
        else:
            raise ValueError(f"unknown operation {each['operation']}")
    circuit.measure(range(qubits), range(qubits))
    return circuit


def _within(angle: float, most: float) -> float:
    if not 0.0 <= angle <= most:
        raise ValueError(f"an angle of {angle} is not between 0 and {most}")
    return angle


def _samples(counts: Mapping[str, int]) -> list[list[int]]:
    """One row per shot, qubit 0 first."""
    return [[int(bit) for bit in reversed(key)] for key, count in counts.items() for _ in range(count)]


def _timing(state: str) -> list[dict[str, str]]:
    """Two seconds in the queue, three at work."""
    start = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
    passed = {"queued": ["queued"], "ongoing": ["queued", "ongoing"]}.get(state, ["queued", "ongoing", state])
    seconds = {"queued": 0, "ongoing": 2}
    return [
        {"new_status": each, "timestamp": (start + timedelta(seconds=seconds.get(each, 5))).isoformat()}
        for each in passed
    ]


def characterisation(qubits: int) -> dict[str, Any]:
    """Of a machine, as AQT measures it: percentages, seconds and microseconds."""
    fidelity = {"value": 99.97, "uncertainty": 0.01}
    return {
        "single_qubit_gate_fidelity": {str(n): {**fidelity, "value": 99.97 - n / 100} for n in range(qubits)},
        "mean_two_qubit_gate_fidelity": {"value": 98.7, "uncertainty": 0.2},
        "spam_fidelity_lower_bound": 99.74,
        "t2_coherence_time_s": {"value": 0.452, "uncertainty": 0.068},
        "t1_s": {"value": 1.14, "uncertainty": 0.06},
        "readout_time_micros": 2500.0,
        "single_qubit_gate_duration_micros": 15.0,
        "two_qubit_gate_duration_micros": 200.0,
        "updated_at": "2026-11-20T06:00:00Z",
    }
