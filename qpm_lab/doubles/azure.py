"""Azure Quantum's side: one workspace with its storage, data plane 2026-01-15-preview.

It takes the workspace's key over plain HTTP, which Microsoft's client allows for keys (not for sign-in tokens).
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from typing import Any

from qpm_lab.doubles.azure_formats import OUTPUTS, program_of
from qpm_lab.doubles.double import Call, Double, DoubleJob, Handler, Reply, Route
from qpm_lab.doubles.execution import counts_of
from qpm_lab.doubles.faults import Faults

SUBSCRIPTION = "677fc922-91d0-4bf6-9b06-4274d319a0fa"
GROUP = "qpm-lab"
WORKSPACE = "double"
TARGETS = {
    "ionq": ("ionq.simulator", "ionq.qpu.forte-1"),
    "quantinuum": ("quantinuum.sim.h2-1sc", "quantinuum.sim.h2-1e", "quantinuum.qpu.h2-1"),
    "rigetti": ("rigetti.sim.qvm", "rigetti.qpu.cepheus-1-108q"),
}
"""Provider → the machines that this workspace has."""
_STATES = {"queued": "Waiting", "running": "Executing", "done": "Succeeded", "failed": "Failed"}
_PLACE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.Quantum/workspaces/{WORKSPACE}"
_BLOB = r"/storage/(?P<container>[a-z0-9-]{3,63})/(?P<blob>[A-Za-z]+)"
_SHOT_PRICE = 0.001
"""Of the double's own price list, in USD; simulators are free."""


class AzureDouble(Double):
    """A workspace whose jobs' ids are chosen by who submits them."""

    name = "azure"

    def __init__(self, faults: Faults | None = None) -> None:
        super().__init__(faults)
        self.blobs: dict[tuple[str, str], bytes] = {}
        """By container and name."""
        self.jobs = _Jobs(self.blobs)
        self._chosen = ""

    def access(self) -> dict[str, Any]:
        """A bare key; a connection string would name Azure's own address."""
        options = {"subscription_id": SUBSCRIPTION, "resource_group": GROUP, "workspace": WORKSPACE}
        return {"url": self.url, "secrets": {"token": self.token}, "options": options}

    def routes(self) -> list[Route]:
        job = rf"{_PLACE}/jobs/(?P<id>[0-9a-f-]{{36}})"
        return [
            ("PUT", job, self._keyed(self._create)),
            ("GET", job, self._keyed(self._get)),
            ("POST", rf"{job}:cancel", self._keyed(self._cancel)),
            ("GET", rf"{_PLACE}/jobs", self._keyed(self._list)),
            ("GET", rf"{_PLACE}/providerStatus", self._keyed(self._status)),
            ("POST", rf"{_PLACE}/storage/sasUri", self._keyed(self._sign)),
            ("PUT", _BLOB, self._signed(self._put_blob)),
            ("GET", _BLOB, self._signed(self._get_blob)),
        ]

    def error(self, status: int, message: str) -> Reply:
        """Azure's form of errors, which its storage understands too."""
        codes = {400: "InvalidInput", 401: "Unauthorized", 403: "AuthenticationFailed", 404: "ResourceNotFound"}
        code = codes.get(status, "ServiceUnavailable" if status >= 500 else "RequestRefused")
        return self._error(status, code, message)

    def _error(self, status: int, code: str, message: str) -> Reply:
        return Reply(status, {"error": {"code": code, "message": message}}, {"x-ms-error-code": code})

    def new_id(self) -> str:
        return self._chosen

    def _keyed(self, handler: Handler) -> Handler:
        def guarded(call: Call) -> Reply:
            if call.headers.get("x-ms-quantum-api-key") != self.token:
                return self.error(401, "The API key is not valid for this workspace.")
            return handler(call)

        return guarded

    def _signed(self, handler: Handler) -> Handler:
        def guarded(call: Call) -> Reply:
            expected = self._signature(call.parts["container"])
            if call.query.get("sig") != [expected]:
                return self.error(403, "Server failed to authenticate the request.")
            return handler(call)

        return guarded

    def _signature(self, container: str) -> str:
        return hashlib.sha256(f"{self.token}/{container}".encode()).hexdigest()

    def _sign(self, call: Call) -> Reply:
        asked = call.json()
        blob = f"/{asked['blobName']}" if asked.get("blobName") else ""
        signature = f"sv=2025-01-05&se=2099-01-01T00:00:00Z&sp=rcw&sig={self._signature(asked['containerName'])}"
        return Reply(body={"sasUri": f"{self.url}/storage/{asked['containerName']}{blob}?{signature}"})

    def _put_blob(self, call: Call) -> Reply:
        place = call.parts["container"], call.parts["blob"]
        if call.headers.get("if-none-match") == "*" and place in self.blobs:
            return self._error(409, "BlobAlreadyExists", "The specified blob already exists.")
        self.blobs[place] = call.body
        return Reply(201, b"", _blob_headers(call.body))

    def _get_blob(self, call: Call) -> Reply:
        body = self.blobs.get((call.parts["container"], call.parts["blob"]))
        if body is None:
            return self._error(404, "BlobNotFound", "The specified blob does not exist.")
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", call.headers.get("x-ms-range", ""))
        first, last = (int(found[1]), min(int(found[2]), len(body) - 1)) if found else (0, len(body) - 1)
        ranged = {"Content-Range": f"bytes {first}-{last}/{len(body)}", "x-ms-blob-type": "BlockBlob"}
        return Reply(206, body[first : last + 1], _blob_headers(body) | ranged)

    def _create(self, call: Call) -> Reply:
        job_id, asked = call.parts["id"], call.json()
        if job_id in self.jobs:
            return self._error(409, "JobAlreadyExists", f"A job with the id {job_id} exists in this workspace.")
        if asked["target"] not in TARGETS.get(asked["providerId"], ()):
            return self._error(400, "TargetNotFound", f"The target {asked['target']!r} is not in this workspace.")
        container = asked["containerUri"].partition("?")[0].rpartition("/")[2]
        data = self.blobs.get((container, asked["inputDataUri"].rpartition("/")[2]))
        if data is None:
            return self._error(400, "InputNotFound", "The input data does not exist.")
        circuit, shots = program_of(asked["inputDataFormat"], data), int(asked["inputParams"]["shots"])
        counts = counts_of(circuit, shots, self.faults.seed, self.faults.fidelity_loss)
        self._chosen = job_id
        job = self.accept(asked["name"], asked, [counts], shots)
        job.more["created"] = time.time()
        self.blobs[container, "rawOutputData"] = json.dumps(OUTPUTS[asked["inputDataFormat"]](circuit, counts)).encode()
        return Reply(201, self._document(job, poll=False))

    def _get(self, call: Call) -> Reply:
        job = self.seen(call.parts["id"])
        return self._unknown(call) if job is None else Reply(body=self._document(job))

    def _unknown(self, call: Call) -> Reply:
        return self._error(404, "JobNotFound", f"There is no job {call.parts['id']} in this workspace.")

    def _cancel(self, call: Call) -> Reply:
        job = self.seen(call.parts["id"])
        if job is None:
            return self._unknown(call)
        if self.state(job, poll=False) in ("done", "failed", "cancelled"):
            return self._error(409, "JobCompleted", "The job has ended.")
        job.cancelled = True
        return Reply(body=self._document(job, poll=False))

    def _list(self, call: Call) -> Reply:
        """Filters as Microsoft's client writes them: `startswith(Name, 'a name')`."""
        named = re.search(r"startswith\(Name, '([^']*)'\)", call.query.get("filter", [""])[0])
        begin = named[1] if named else ""
        visible = [job for job in self.jobs.values() if self.visible(job) and job.token.startswith(begin)]
        skip, top = int(call.query.get("skip", ["0"])[0]), int(call.query.get("top", ["100"])[0])
        return Reply(body={"value": [self._document(job, poll=False) for job in visible[skip : skip + top]]})

    def _status(self, call: Call) -> Reply:
        waiting = 60 * sum(self.state(job, poll=False) == "queued" for job in self.jobs.values())
        return Reply(body={"value": [_provider(name, targets, waiting) for name, targets in TARGETS.items()]})

    def _document(self, job: DoubleJob, *, poll: bool = True) -> dict[str, Any]:
        state = self.state(job, poll=poll)
        asked, ended = job.asked, state in ("done", "failed")
        created = datetime.fromtimestamp(job.more["created"], UTC)
        return {
            "id": job.id,
            "name": job.token,
            "itemType": "Job",
            "jobType": "QuantumComputing",
            "providerId": asked["providerId"],
            "target": asked["target"],
            "status": "Cancelled" if state == "cancelled" else _STATES[state],
            "containerUri": asked["containerUri"],
            "inputDataUri": asked["inputDataUri"],
            "inputDataFormat": asked["inputDataFormat"],
            "inputParams": asked["inputParams"],
            "outputDataFormat": asked["outputDataFormat"],
            "outputDataUri": asked["inputDataUri"].rpartition("/")[0] + "/rawOutputData",
            "creationTime": _written(created),
            "beginExecutionTime": None if state == "queued" else _written(created + timedelta(seconds=1)),
            "endExecutionTime": _written(created + timedelta(seconds=3)) if ended else None,
            "cancellationTime": _written(created + timedelta(seconds=2)) if state == "cancelled" else None,
            "errorData": {"code": "CalibrationLost", "message": job.failure} if state == "failed" else None,
            "costEstimate": _cost(job) if state == "done" else None,
            "quantumComputingData": {"count": 1},
            "tags": asked.get("tags") or [],
            "metadata": asked.get("metadata"),
            "sessionId": asked.get("sessionId"),
            "isCancelling": False,
            "jobPriority": None,
        }


class _Jobs(dict[str, DoubleJob]):
    """Takes the blobs along when the double forgets its jobs."""

    def __init__(self, blobs: dict[tuple[str, str], bytes]) -> None:
        super().__init__()
        self._blobs = blobs

    def clear(self) -> None:
        super().clear()
        self._blobs.clear()


def _blob_headers(body: bytes) -> dict[str, str]:
    changed = formatdate(usegmt=True)
    etag = f'"0x{hashlib.sha256(body).hexdigest()[:15].upper()}"'
    return {"ETag": etag, "Last-Modified": changed, "x-ms-version": "2025-01-05", "x-ms-request-id": "double"}


def _written(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _provider(name: str, targets: tuple[str, ...], waiting: int) -> dict[str, Any]:
    return {
        "id": name,
        "currentAvailability": "Available",
        "targets": [
            {
                "id": target,
                "currentAvailability": "Available",
                "averageQueueTime": waiting,
                "statusPage": f"https://status.example.com/{name}",
            }
            for target in targets
        ],
    }


def _cost(job: DoubleJob) -> dict[str, Any]:
    price = _SHOT_PRICE if ".qpu." in job.asked["target"] else 0.0
    event = {
        "dimensionId": "shots",
        "dimensionName": "Shots",
        "measureUnit": "shot",
        "amountBilled": job.shots,
        "amountConsumed": job.shots,
        "unitPrice": price,
    }
    return {"currencyCode": "USD", "events": [event], "estimatedTotal": round(price * job.shots, 6)}
