"""A double of Quantinuum Nexus, as qnexus 0.51 speaks to it: login, projects, circuits, jobs, results, machines."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http.cookies import CookieError, SimpleCookie
from typing import Any

from qpm_lab.doubles.double import Call, Double, DoubleJob, Reply, Route
from qpm_lab.doubles.execution import counts_of
from qpm_lab.doubles.faults import Faults
from qpm_lab.doubles.quantinuum_circuits import as_results, circuit_of, credits

_SESSION = "double-session"
_STATUS = {
    "queued": "QUEUED",
    "running": "RUNNING",
    "done": "COMPLETED",
    "failed": "ERROR",
    "cancelled": "CANCELLED",
}
_MACHINES = frozenset({"H2-1", "H2-2", "H1-1", "H2-1E", "H1-1E"})
_JOBS = "/api/jobs/v1beta3"
_ID = r"(?P<id>[0-9a-f-]{36})"


class QuantinuumDouble(Double):
    """Nexus with the H-Series machines; by its time stamps each job waits two seconds and runs for half a second.

    A job with a program whose credits would pass its `max_cost` fails.
    """

    name = "quantinuum"

    def __init__(self, faults: Faults | None = None) -> None:
        super().__init__(faults)
        self.circuits: dict[str, Mapping[str, Any]] = {}
        self.projects: dict[str, str] = {}
        """Id → name."""

    def routes(self) -> list[Route]:
        found: list[Route] = [
            ("GET", "/api/projects/v1beta2/meta/count", self._project_count),
            ("GET", "/api/projects/v1beta2", self._project_list),
            ("POST", "/api/projects/v1beta2", self._project_create),
            ("POST", "/api/circuits/v1beta2", self._upload),
            ("GET", f"/api/circuits/v1beta2/{_ID}", self._circuit),
            ("POST", _JOBS, self._submit),
            ("GET", _JOBS, self._list),
            ("GET", f"{_JOBS}/{_ID}", self._job),
            ("POST", f"{_JOBS}/{_ID}/rpc/cancel", self._cancel),
            ("GET", rf"/api/results/v1beta3/{_ID}", self._result),
            ("GET", r"/api/machines/v1beta/(?P<machine>[^/]+)/status", self._machine),
        ]
        guarded = [(method, path, self._behind_session(handler)) for method, path, handler in found]
        return [("POST", "/auth/tokens/refresh", self._refresh), *guarded]

    def error(self, status: int, message: str) -> Reply:
        return Reply(status, {"message": message})

    def _refresh(self, call: Call) -> Reply:
        if _cookie(call, "myqos_oat") != self.token:
            return self.error(401, "The refresh token is not valid.")
        return Reply(200, {}, {"Set-Cookie": f"myqos_id={_SESSION}; Path=/"})

    def _behind_session(self, handler: Any) -> Any:
        def checked(call: Call) -> Reply:
            if _cookie(call, "myqos_id") != _SESSION:
                return self.error(401, "The session has expired.")
            reply: Reply = handler(call)
            return reply

        return checked

    def _project_count(self, call: Call) -> Reply:
        return Reply(body={"count": len(self._projects_of(call))})

    def _project_list(self, call: Call) -> Reply:
        found = self._projects_of(call) if _first_page(call) else []
        return Reply(body={"data": [self._project(each) for each in found]})

    def _projects_of(self, call: Call) -> list[str]:
        wanted = call.query.get("filter[name_exact]")
        return [number for number, name in self.projects.items() if wanted is None or name in wanted]

    def _project_create(self, call: Call) -> Reply:
        number = self.new_id()
        self.projects[number] = str(call.json()["data"]["attributes"]["name"])
        return Reply(201, {"data": self._project(number)})

    def _project(self, number: str) -> dict[str, Any]:
        told = {**_annotations(self.projects[number]), "contents_modified": _now().isoformat(), "archived": False}
        return {"id": number, "type": "project", "attributes": told}

    def _upload(self, call: Call) -> Reply:
        data, number = call.json()["data"], self.new_id()
        circuit_of(data["attributes"])
        self.circuits[number] = data
        return Reply(201, {"data": self._described_circuit(number)})

    def _circuit(self, call: Call) -> Reply:
        number = call.parts["id"]
        if number not in self.circuits:
            return self.error(404, "The circuit was not found.")
        project = self.circuits[number]["relationships"]["project"]["data"]["id"]
        return Reply(body={"data": self._described_circuit(number), "included": [self._project(project)]})

    def _described_circuit(self, number: str) -> dict[str, Any]:
        data = self.circuits[number]
        told = {**data["attributes"], **_annotations(data["attributes"]["name"])}
        return {"id": number, "type": "circuit", "attributes": told, "relationships": data["relationships"]}

    def _submit(self, call: Call) -> Reply:
        asked = call.json()["data"]
        definition = asked["attributes"]["definition"]
        machine = definition["backend_config"]["device_name"]
        if machine not in _MACHINES:
            return self.error(400, f"There is no device {machine}.")
        ran = [self._ran(item) for item in definition["items"]]
        job = self.accept(asked["attributes"]["name"], asked, [counts for _, counts in ran], 0)
        prices = [price for price, _ in ran]
        limits = [item.get("max_cost") for item in definition["items"]]
        if any(limit is not None and price > limit for price, limit in zip(prices, limits, strict=True)):
            job.failure = "The program would cost more than its max_cost."
        job.more.update(prices=prices, created=_now(), results=[self.new_id() for _ in ran])
        return Reply(202, self._document(job, "queued"))

    def _ran(self, item: Mapping[str, Any]) -> tuple[float, dict[str, int]]:
        attributes = self.circuits[item["program_id"]]["attributes"]
        shots = int(item["n_shots"])
        seed = zlib.crc32(repr(attributes["commands"]).encode())
        counts = counts_of(circuit_of(attributes), shots, seed, self.faults.fidelity_loss)
        return credits(attributes, shots), counts

    def _list(self, call: Call) -> Reply:
        wanted = call.query.get("filter[name_exact]")
        found = [job for job in self.jobs.values() if self.visible(job) and (wanted is None or job.token in wanted)]
        documents = [self._document(job, self.state(job, poll=False)) for job in found if _first_page(call)]
        projects = [self._project(number) for number in self.projects]
        return Reply(body={"data": [each["data"] for each in documents], "included": projects})

    def _job(self, call: Call) -> Reply:
        job = self.seen(call.parts["id"])
        if job is None:
            return self.error(404, "The job was not found.")
        return Reply(body=self._document(job, self.state(job)))

    def _cancel(self, call: Call) -> Reply:
        job = self.seen(call.parts["id"])
        if job is None:
            return self.error(404, "The job was not found.")
        job.cancelled = job.cancelled or self.state(job, poll=False) in ("queued", "running")
        return Reply(202, {})

    def _document(self, job: DoubleJob, state: str) -> dict[str, Any]:
        attributes = job.asked["attributes"]
        definition = {**attributes["definition"], "batch_id": "", "is_local": False, "items": self._items(job, state)}
        definition["total_items"] = len(definition["items"])
        programs = [{"id": item["program_id"], "type": "circuit"} for item in definition["items"]]
        project = job.asked["relationships"]["project"]
        told = {
            **_annotations(attributes["name"]),
            "job_type": attributes["job_type"],
            "status": self._status(job, state),
            "definition": definition,
        }
        relationships = {"project": project, "programs": {"data": programs}}
        links = {"self": f"/api/jobs/v1beta3/{job.id}"}
        data = {"id": job.id, "type": "job", "attributes": told, "relationships": relationships, "links": links}
        return {"data": data, "included": [self._project(project["data"]["id"])]}

    def _items(self, job: DoubleJob, state: str) -> list[dict[str, Any]]:
        status = self._status(job, state)
        return [
            {
                **item,
                "item_id": n,
                "item_uuid": job.more["results"][n],
                "external_handle": job.more["results"][n],
                "has_runtime_traces": False,
                "status": {
                    **status,
                    "cost": job.more["prices"][n] if state == "done" else None,
                    "n_shots_completed": item["n_shots"] if state == "done" else 0,
                },
                "result_id": job.more["results"][n] if state == "done" else None,
                "result_type": "PYTKET" if state == "done" else None,
            }
            for n, item in enumerate(job.asked["attributes"]["definition"]["items"])
        ]

    def _status(self, job: DoubleJob, state: str) -> dict[str, Any]:
        created, ended = job.more["created"], state == "done"
        return {
            "status": _STATUS[state],
            "message": f"The job is {_STATUS[state].lower()}.",
            "error_detail": job.failure if state == "failed" else None,
            "submitted_time": created.isoformat(),
            "queued_time": created.isoformat(),
            "running_time": None if state == "queued" else (created + timedelta(seconds=2)).isoformat(),
            "completed_time": (created + timedelta(seconds=2.5)).isoformat() if ended else None,
            "queue_position": self.queue_position(job) if state == "queued" else None,
            "cost": sum(job.more["prices"]) if ended else None,
        }

    def _result(self, call: Call) -> Reply:
        for job in self.jobs.values():
            if call.parts["id"] in job.more["results"]:
                place = job.more["results"].index(call.parts["id"])
                program = job.asked["attributes"]["definition"]["items"][place]["program_id"]
                return Reply(body=as_results(call.parts["id"], program, job.counts[place]))
        return self.error(404, "The result was not found.")

    def _machine(self, call: Call) -> Reply:
        if call.parts["machine"] not in _MACHINES:
            return self.error(404, "The machine was not found.")
        return Reply(body={"state": "online"})


def _annotations(name: str) -> dict[str, Any]:
    made = _now().isoformat()
    return {"name": name, "description": "", "properties": {}, "timestamps": {"created": made, "modified": made}}


def _first_page(call: Call) -> bool:
    return call.query.get("page[number]", ["0"])[0] == "0"


def _cookie(call: Call, name: str) -> str:
    try:
        found = SimpleCookie(call.headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return found.value if found is not None else ""


def _now() -> datetime:
    return datetime.now(UTC)
