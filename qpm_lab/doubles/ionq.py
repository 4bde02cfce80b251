"""IonQ's API v0.4 as docs.ionq.com has it: jobs, their results and costs, estimates, backends, characterizations.

In the form of IonQ's description of 2 September 2026; see `providers.ionq`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from qpm_lab.doubles.double import Call, Double, DoubleJob, Reply, Route
from qpm_lab.doubles.execution import counts_of

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

_QUBITS = {"simulator": 29, "qpu.aria-1": 25, "qpu.forte-1": 36, "qpu.forte-enterprise-1": 36}
_STATUS = {"queued": "ready", "running": "started", "done": "completed", "failed": "failed", "cancelled": "canceled"}
_ERRORS = {400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}
_JOB = r"/v0\.4/jobs/(?P<id>[0-9a-f-]{36})"
_GATES = {"not": "x", "si": "sdg", "ti": "tdg", "v": "sx", "vi": "sxdg", "xx": "rxx", "yy": "ryy", "zz": "rzz"}
"""IonQ's names of gates that Qiskit calls differently."""
_ONE_QUBIT_PRICE, _TWO_QUBIT_PRICE, _LEAST = 0.00016, 0.0011, 25.0
"""USD per gate and shot, and of a job at least: figures of this double's own, not IonQ's prices."""
_IDEAL = {
    "supported_gates": ["x", "y", "z", "h", "s", "si", "t", "ti", "v", "vi", "rx", "ry", "rz", "cnot", "swap", "not"],
    "supported_native_gates": ["gpi", "gpi2", "ms", "zz"],
    "supported_error_mitigations": [],
    "noise_models": ["aria-1", "forte-1", "forte-enterprise-1", "ideal"],
}
_TRAPPED = {
    "supported_gates": _IDEAL["supported_gates"],
    "supported_native_gates": ["gpi", "gpi2", "zz"],
    "supported_error_mitigations": ["debiasing"],
    "characterization_id": "617a1f8b-59d4-435d-aa33-695433d7155e",
    "kw": 4902.81,
    "location": "College Park, MD, USA",
}
_KNOWN = frozenset(
    {"type", "name", "backend", "shots", "input", "metadata", "noise", "settings", "dry_run", "session_id"}
)


class IonqDouble(Double):
    """Runs what IonQ's `qis` gates express; its simulator answers with exact probabilities, machines with shares."""

    name = "ionq"

    def routes(self) -> list[Route]:
        return [
            ("GET", r"/v0\.4/backends/(?P<backend>[^/]+)", self._backend),
            *(
                (method, path, self._with_key(handler))
                for method, path, handler in (
                    ("GET", r"/v0\.4/backends/(?P<backend>[^/]+)/characterizations", self._characterizations),
                    ("GET", r"/v0\.4/jobs/estimate", self._estimate),
                    ("POST", r"/v0\.4/jobs", self._submit),
                    ("GET", r"/v0\.4/jobs", self._list),
                    ("GET", _JOB, self._job),
                    ("GET", _JOB + "/cost", self._cost),
                    ("GET", _JOB + "/results/probabilities(?P<all>/aggregated)?", self._results),
                    ("PUT", _JOB + "/status/cancel", self._cancel),
                )
            ),
        ]

    def error(self, status: int, message: str) -> Reply:
        return Reply(status, {"statusCode": status, "error": _ERRORS.get(status, "Error"), "message": message})

    def _with_key(self, handler: Callable[[Call], Reply]) -> Callable[[Call], Reply]:
        def answer(call: Call) -> Reply:
            if call.headers.get("authorization") != f"apiKey {self.token}":
                return self.error(401, "Invalid API key.")
            return handler(call)

        return answer

    def _backend(self, call: Call) -> Reply:
        name = call.parts["backend"]
        if name not in _QUBITS:
            return self.error(404, f"Backend {name} not found.")
        answer = {"backend": name, "status": "available", "qubits": _QUBITS[name], "degraded": False}
        answer |= {"average_queue_time": 1181215, "last_updated": _time(datetime.now(UTC))}
        return Reply(body={**answer, **(_IDEAL if name == "simulator" else _TRAPPED)})

    def _characterizations(self, call: Call) -> Reply:
        name = call.parts["backend"]
        if name not in _QUBITS:
            return self.error(404, f"Backend {name} not found.")
        found = [] if name == "simulator" else [_characterization(name)]
        return Reply(body={"characterizations": found, "pages": 1})

    def _estimate(self, call: Call) -> Reply:
        told = {name: values[0] for name, values in call.query.items()}
        ones, twos, shots = (int(told[name]) for name in ("1q_gates", "2q_gates", "shots"))
        rates = {"cost_1q_gate": _ONE_QUBIT_PRICE, "cost_2q_gate": _TWO_QUBIT_PRICE, "job_cost_minimum": _LEAST}
        answer = {
            "estimate_context": {**told, "organization": None, "project": None},
            "estimated_at": _time(datetime.now(UTC)),
            "estimated_unit": "usd",
            "rate_card": {"id": "double", "rates": [{"sku": told["backend"], "unit": "gates", **rates}]},
            "estimated_total_cost": _price(ones, twos, shots),
            "estimated_execution_time": 12_000,
            "current_predicted_queue_time": 900_000,
        }
        return Reply(body=answer)

    def _submit(self, call: Call) -> Reply:
        asked = call.json()
        unknown = set(asked) - _KNOWN
        if unknown:
            return self.error(400, f'"{min(unknown)}" is not allowed')
        if asked["backend"] not in _QUBITS:
            return self.error(400, f"Backend {asked['backend']} is not available.")
        many = asked["type"] == "ionq.multi-circuit.v1"
        told = [each["circuit"] for each in asked["input"]["circuits"]] if many else [asked["input"]["circuit"]]
        width, shots = int(asked["input"]["qubits"]), int(asked["shots"])
        if width > _QUBITS[asked["backend"]] or shots < 1:
            return self.error(400, f"{asked['backend']} does not run {shots} shots on {width} qubits.")
        circuits = [_circuit(gates, width) for gates in told]
        seed = self.random.randrange(2**31)
        counts = [counts_of(each, shots, seed + n, self.faults.fidelity_loss) for n, each in enumerate(circuits)]
        job = self.accept(str(asked.get("name", "")), asked, counts, shots)
        exact = asked["backend"] == "simulator" and not self.faults.fidelity_loss
        job.more["shares"] = [
            _exact(each) if exact else _shares(n, shots) for each, n in zip(circuits, counts, strict=True)
        ]
        job.more["children"] = [self.new_id() for _ in circuits] if many else None
        job.more["cost"] = sum(_price(*_gates(gates), shots) for gates in told)
        job.more["submitted"] = datetime.now(UTC)
        return Reply(201, {"id": job.id, "status": "submitted", "session_id": None})

    def _list(self, call: Call) -> Reply:
        seen = [job for job in reversed(self.jobs.values()) if self.visible(job)]
        ids = [job.id for job in seen]
        after = call.query.get("next", [""])[0]
        start = ids.index(after) + 1 if after in ids else 0
        page = seen[start : start + int(call.query.get("limit", ["25"])[0])]
        more = start + len(page) < len(seen)
        jobs = [self._document(job, self.state(job, poll=False)) for job in page]
        return Reply(body={"jobs": jobs, "next": page[-1].id if more else None})

    def _job(self, call: Call) -> Reply:
        job = self.seen(call.parts["id"])
        if job is None:
            return self.error(404, "Job not found.")
        return Reply(body={**self._document(job, self.state(job)), "child_job_ids": job.more["children"]})

    def _document(self, job: DoubleJob, state: str) -> dict[str, Any]:
        """A job as lists show it."""
        started, done = (_time(job.more["submitted"]), state in ("done", "failed"))
        return {
            "id": job.id,
            "status": _STATUS[state],
            "type": job.asked["type"],
            "backend": job.asked["backend"],
            "dry_run": False,
            "cost_model": "2QGE_operations",
            "submitter_id": "64b03577072d45001c85e9c4",
            "project_id": None,
            "parent_job_id": None,
            "session_id": None,
            "metadata": job.asked.get("metadata"),
            "name": job.token,
            "submitted_at": started,
            "started_at": started if done or state == "running" else None,
            "completed_at": started if done else None,
            "predicted_wait_time_ms": 5000,
            "predicted_execution_duration_ms": 3000,
            "execution_duration_ms": 2800 if state == "done" else None,
            "shots": job.shots,
            "failure": {"code": "SystemError", "message": job.failure} if state == "failed" else None,
            "output": {},
            "settings": job.asked.get("settings", {}),
            "stats": {"circuits": len(job.counts), "qubits": job.asked["input"]["qubits"]},
            "results": _artifacts(job.id, bool(job.more["children"])) if state == "done" else None,
        }

    def _cost(self, call: Call) -> Reply:
        job = self.seen(call.parts["id"])
        if job is None:
            return self.error(404, "Job not found.")
        cost = {"value": job.more["cost"], "unit": "usd"}
        return Reply(body={"dry_run": False, "estimated_cost": cost, "cost": cost})

    def _results(self, call: Call) -> Reply:
        job = self.seen(call.parts["id"])
        children = job.more["children"] if job else None
        if job is None or self.state(job, poll=False) != "done" or bool(call.parts["all"]) != bool(children):
            return self.error(404, "Results not found.")
        shares = job.more["shares"]
        return Reply(body=dict(zip(children, shares, strict=True)) if children else shares[0])

    def _cancel(self, call: Call) -> Reply:
        job = self.seen(call.parts["id"])
        if job is None:
            return self.error(404, "Job not found.")
        if self.state(job, poll=False) in ("done", "failed"):
            return self.error(400, "Job cannot be canceled: it has ended.")
        job.cancelled = True
        return Reply(body={"id": job.id, "status": "canceled"})


def _artifacts(job_id: str, many: bool) -> dict[str, Any]:
    """What results there are: by the address that IonQ's own client reads, and by their forms, each with its name."""
    place = f"/v0.4/jobs/{job_id}/results/probabilities" + ("/aggregated" if many else "")
    kind = "probabilities-aggregate" if many else "probabilities"
    form = f"ionq.result.{kind}.json.v1"
    return {"probabilities": {"url": place}, form: {"id": kind, "format": form, "media_type": "application/json"}}


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _circuit(gates: list[Mapping[str, Any]], width: int) -> QuantumCircuit:
    """IonQ's gates as a Qiskit circuit that measures every qubit into the bit of its number."""
    from qiskit import QuantumCircuit as Circuit
    from qiskit.circuit.library import get_standard_gate_name_mapping

    standard = get_standard_gate_name_mapping()
    circuit = Circuit(width, width)
    for each in gates:
        name = "x" if each["gate"] == "cnot" else _GATES.get(each["gate"], each["gate"])
        if name not in standard:
            raise ValueError(f"gate {each['gate']} is not known")
        controls = each.get("controls", [each["control"]] if "control" in each else [])
        targets = each.get("targets", [each["target"]] if "target" in each else [])
        gate = type(standard[name])(*([each["rotation"]] if "rotation" in each else []))
        circuit.append(gate.control(len(controls)) if controls else gate, [*controls, *targets])
    circuit.measure(range(width), range(width))
    return circuit


def _exact(circuit: QuantumCircuit) -> dict[str, float]:
    from qiskit.quantum_info import Statevector

    found = Statevector(circuit.remove_final_measurements(inplace=False)).probabilities_dict(decimals=12)
    return {str(int(key, 2)): float(share) for key, share in found.items() if share}


def _shares(counts: Mapping[str, int], shots: int) -> dict[str, float]:
    return {str(int(key, 2)): count / shots for key, count in counts.items()}


def _gates(gates: list[Mapping[str, Any]]) -> tuple[int, int]:
    """How many act on one qubit, and how many on more."""
    wide = sum(len(re.findall(r"\d+", str([each.get(k) for k in _PLACES]))) > 1 for each in gates)
    return len(gates) - wide, wide


_PLACES = ("control", "controls", "target", "targets")


def _price(ones: int, twos: int, shots: int) -> float:
    return round(max(_LEAST, shots * (ones * _ONE_QUBIT_PRICE + twos * _TWO_QUBIT_PRICE)), 6)


def _characterization(name: str) -> dict[str, Any]:
    qubits = _QUBITS[name]
    return {
        "id": "617a1f8b-59d4-435d-aa33-695433d7155e",
        "backend": name,
        "date": "2026-04-30T09:30:00.000Z",
        "qubits": qubits,
        "connectivity": [[a, b] for a in range(qubits) for b in range(a + 1, qubits)],
        "fidelity": {"spam": {"median": 0.9952}, "1q": {"median": 0.9998}, "2q": {"median": 0.9935}},
        "timing": {"readout": 0.00015, "reset": 5e-5, "1q": 0.00011, "2q": 0.0009, "t1": 100, "t2": 1},
    }
