"""A double of IQM Server, API v1, as iqm-client 36 speaks to it."""

from __future__ import annotations

import random
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from qpm_lab.doubles.double import Call, Double, DoubleJob, Reply, Route
from qpm_lab.doubles.execution import counts_of
from qpm_lab.doubles.iqm_machines import MACHINES, Machine, circuit_of

_STATUS = {
    "queued": "waiting",
    "running": "processing",
    "done": "completed",
    "failed": "failed",
    "cancelled": "cancelled",
}
_CODES = {400: "invalid_operation", 401: "authentication", 404: "not_found", 409: "conflict", 422: "validation"}
_TIMELINE = (
    ("iqm-server", "created", 0.0),
    ("iqm-station-control", "execution_started", 2.0),
    ("iqm-station-control", "execution_ended", 2.5),
)
_JOB = r"/api/v1/jobs/(?P<id>[0-9a-f-]{36})"
_QC = r"(?P<machine>[a-z]+)"


class IqmDouble(Double):
    """IQM Server with three machines: `garnet`, `emerald` and `sirius`, whose qubits share a resonator.

    Couplings are lattices of the right size, not those of the real machines. Jobs have neither names nor keys; the
    token of a submission is read from the name of its first circuit.
    """

    name = "iqm"
    has_metrics = True
    """False plays a server without quality metrics."""

    def routes(self) -> list[Route]:
        found: list[Route] = [
            ("GET", "/api/v1/quantum-computers", self._computers),
            ("GET", f"/api/v1/quantum-computers/{_QC}/health", self._health),
            ("GET", rf"/api/v1/calibration-sets/{_QC}/[^/]+/dynamic-quantum-architecture", self._architecture),
            ("GET", rf"/api/v1/calibration-sets/{_QC}/[^/]+", self._calibration),
            ("GET", rf"/api/v1/calibration-sets/{_QC}/[^/]+/metrics", self._metrics),
            ("POST", f"/api/v1/jobs/{_QC}/circuit", self._submit),
            ("GET", _JOB, self._job),
            ("GET", f"{_JOB}/payload", self._payload),
            ("GET", f"{_JOB}/artifacts/measurement_counts", self._counts),
            ("GET", f"{_JOB}/artifacts/measurements", self._measurements),
            ("POST", f"{_JOB}/cancel", self._cancel),
        ]
        return [(method, path, self._behind_key(handler)) for method, path, handler in found]

    def error(self, status: int, message: str) -> Reply:
        body = {"message": message, "error_code": _CODES.get(status, "internal"), "source": "iqm-server"}
        return Reply(status, body)

    def _behind_key(self, handler: Any) -> Any:
        def checked(call: Call) -> Reply:
            if call.headers.get("authorization") != f"Bearer {self.token}":
                return self.error(401, "The token is not valid.")
            machine, job = call.parts.get("machine"), call.parts.get("id")
            if machine is not None and machine not in MACHINES:
                return self.error(404, f"Quantum computer {machine} not found.")
            if job is not None and self.seen(job) is None:
                return self.error(404, f"Job {job} not found.")
            reply: Reply = handler(call)
            return reply

        return checked

    def _computers(self, call: Call) -> Reply:
        found = [
            {"id": machine.id, "alias": name, "display_name": machine.title, "proxy_path": None}
            for name, machine in MACHINES.items()
        ]
        told = {"station_control_version": "47.3.1"}
        return Reply(body={"quantum_computers": [{**each, **told} for each in found]})

    def _health(self, call: Call) -> Reply:
        return Reply(body={"healthy": True})

    def _architecture(self, call: Call) -> Reply:
        return Reply(body=MACHINES[call.parts["machine"]].architecture())

    def _calibration(self, call: Call) -> Reply:
        return Reply(body=MACHINES[call.parts["machine"]].calibration())

    def _metrics(self, call: Call) -> Reply:
        if not self.has_metrics:
            return self.error(404, "No quality metrics for this calibration set.")
        return Reply(body=MACHINES[call.parts["machine"]].metrics())

    def _submit(self, call: Call) -> Reply:
        asked = call.json()
        machine = MACHINES[call.parts["machine"]]
        wrong = machine.refusal(asked)
        if wrong:
            return self.error(422, wrong)
        shots, loss = int(asked["shots"]), self.faults.fidelity_loss
        ran = [self._ran(machine, circuit, shots, loss) for circuit in asked["circuits"]]
        job = self.accept(asked["circuits"][0]["name"], asked, [counts for _, counts in ran], shots)
        job.more.update(keys=[keys for keys, _ in ran], created=datetime.now(UTC), qc=machine.id)
        return Reply(201, self._described(job, "queued"))

    def _ran(
        self, machine: Machine, asked: Mapping[str, Any], shots: int, loss: float
    ) -> tuple[list[str], dict[str, int]]:
        keys, circuit = circuit_of(machine, asked)
        seed = zlib.crc32(repr(sorted(asked.items(), key=str)).encode())
        return keys, counts_of(circuit, shots, seed, loss)

    def _job(self, call: Call) -> Reply:
        job = self.jobs[call.parts["id"]]
        return Reply(body=self._described(job, self.state(job)))

    def _payload(self, call: Call) -> Reply:
        return Reply(body=self.jobs[call.parts["id"]].asked)

    def _counts(self, call: Call) -> Reply:
        job = self.jobs[call.parts["id"]]
        if self.state(job) != "done":
            return self.error(404, "The artifact is not available.")
        # One character per measurement, the first key leftmost: the reverse of a Qiskit key.
        found = [
            {"measurement_keys": keys, "counts": {outcome[::-1]: n for outcome, n in counts.items()}}
            for keys, counts in zip(job.more["keys"], job.counts, strict=True)
        ]
        return Reply(body=found)

    def _measurements(self, call: Call) -> Reply:
        job = self.jobs[call.parts["id"]]
        if self.state(job) != "done":
            return self.error(404, "The artifact is not available.")
        found = [_shot_by_shot(keys, counts) for keys, counts in zip(job.more["keys"], job.counts, strict=True)]
        return Reply(body=found)

    def _cancel(self, call: Call) -> Reply:
        job = self.jobs[call.parts["id"]]
        job.cancelled = job.cancelled or self.state(job, poll=False) in ("queued", "running")
        return Reply(body={})

    def _described(self, job: DoubleJob, state: str) -> dict[str, Any]:
        steps = {"queued": 1, "running": 2}.get(state, 3)
        errors = [{"message": job.failure, "error_code": "execution", "source": "iqm-station-control"}]
        return {
            "id": job.id,
            "type": "circuit",
            "qc": {"id": job.more["qc"]},
            "status": _STATUS[state],
            "runtime_ms": 1000 if state == "done" else None,
            "execution": None,
            "compilation": {"calibration_set_id": job.asked.get("calibration_set_id")},
            "messages": [],
            "errors": errors if state == "failed" else [],
            "queue_position": self.queue_position(job) if state == "queued" else None,
            "timeline": [_entry(job, *each) for each in _TIMELINE[:steps]],
            "artifacts": [{"type": "measurements"}, {"type": "measurement_counts"}] if state == "done" else [],
        }


def _entry(job: DoubleJob, source: str, status: str, seconds: float) -> dict[str, str]:
    reached = job.more["created"] + timedelta(seconds=seconds)
    return {"source": source, "status": status, "timestamp": reached.isoformat()}


def _shot_by_shot(keys: list[str], counts: Mapping[str, int]) -> dict[str, list[list[int]]]:
    shots = [outcome[::-1] for outcome, number in counts.items() for _ in range(number)]
    random.Random(len(shots)).shuffle(shots)
    return {key: [[int(outcome[n])] for outcome in shots] for n, key in enumerate(keys)}
