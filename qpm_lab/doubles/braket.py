"""Amazon Braket's double: tasks and devices as the Braket API has them, results as S3 hands them out.

Signatures are not checked, only whose key signed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from qpm_lab.doubles.braket_devices import device_document, price_list
from qpm_lab.doubles.braket_language import circuit_of, measured_qubits
from qpm_lab.doubles.double import Call, Double, DoubleJob, Reply, Route
from qpm_lab.doubles.execution import counts_of

ACCOUNT = "123456789012"
_CODES = {
    400: "ValidationException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    409: "ConflictException",
    429: "ThrottlingException",
}
_STATES = {
    "queued": "QUEUED",
    "running": "RUNNING",
    "done": "COMPLETED",
    "failed": "FAILED",
    "cancelled": "CANCELLED",
}
_PAGE = 10


class BraketDouble(Double):
    """Braket's API, its results in S3, the caller's identity and the price list."""

    name = "braket"
    key_id = "AKIADOUBLE0123456789"
    _region = ""

    def routes(self) -> list[Route]:
        """What it answers; ARNs come percent-encoded."""
        return [
            ("POST", r"/quantum-task", self._signed(self._create)),
            ("GET", r"/quantum-task/(?P<arn>[^/]+)", self._signed(self._get)),
            ("PUT", r"/quantum-task/(?P<arn>[^/]+)/cancel", self._signed(self._cancel)),
            ("POST", r"/quantum-tasks", self._signed(self._search)),
            ("GET", r"/device/(?P<arn>[^/]+)", self._signed(self._device)),
            ("GET", r"/offers/v1\.0/aws/AmazonBraket/current/index\.csv", _prices),
            ("POST", r"/", self._signed(_identity)),
            ("PUT", r"/(?P<bucket>amazon-braket-[^/]+)/?", self._signed(lambda call: Reply(200, b""))),
            ("GET", r"/(?P<bucket>amazon-braket-[^/]+)/(?P<key>.+)/results\.json", self._signed(self._result)),
        ]

    def access(self) -> dict[str, Any]:
        keys = {"access_key_id": self.key_id, "secret_access_key": self.token}
        return {"url": self.url, "secrets": keys, "options": {"bucket": "amazon-braket-double"}}

    def error(self, status: int, message: str) -> Reply:
        """AWS answers 403 to keys that have expired, and names the kind of error in a header."""
        code = _CODES.get(status, "InternalServiceException")
        if status == 401:
            status, code = 403, "ExpiredTokenException"
        return Reply(status, {"message": message}, {"x-amzn-errortype": code})

    def _signed(self, handler: Any) -> Any:
        def checked(call: Call) -> Reply:
            signer = re.search(r"Credential=([^/]+)/", call.headers.get("authorization", ""))
            if signer is None or signer[1] != self.key_id:
                refused = self.error(403, "The security token included in the request is invalid.")
                return Reply(403, refused.body, {"x-amzn-errortype": "UnrecognizedClientException"})
            reply: Reply = handler(call)
            return reply

        return checked

    def _create(self, call: Call) -> Reply:
        asked = call.json()
        digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
        token = asked["clientToken"]
        for job in self.jobs.values():
            if job.more["client_token"] == token:
                same = job.more["digest"] == digest
                return self._accepted(job) if same else self.error(400, "The client token was used for another task.")
        source = json.loads(asked["action"])["source"]
        circuit = circuit_of(source)
        shots = int(asked["shots"])
        counts = counts_of(circuit, shots, len(self.jobs) + self.faults.seed, self.faults.fidelity_loss)
        signed = re.search(r"/\d{8}/([^/]+)/", call.headers["authorization"])
        self._region = signed[1] if signed else ""
        job = self.accept(asked["tags"].get("qpm", ""), asked, [counts], shots)
        job.more |= {"client_token": token, "digest": digest, "measured": measured_qubits(source)}
        job.more["created"] = datetime.now(UTC)
        return self._accepted(job)

    def new_id(self) -> str:
        """An ARN, in the region that the submission was signed for."""
        return f"arn:aws:braket:{self._region}:{ACCOUNT}:quantum-task/{super().new_id()}"

    def _accepted(self, job: DoubleJob) -> Reply:
        return Reply(201, {"quantumTaskArn": job.id})

    def _found(self, call: Call) -> DoubleJob | None:
        return self.seen(unquote(call.parts["arn"]))

    def _get(self, call: Call) -> Reply:
        job = self._found(call)
        if job is None:
            return self.error(404, f"The quantum task {unquote(call.parts['arn'])} does not exist.")
        state = self.state(job)
        queue: dict[str, Any] = {"queue": "QUANTUM_TASKS_QUEUE", "queuePriority": "Normal"}
        place = str(self.queue_position(job)) if state == "queued" else "None"
        document = {**self._summary(job, state), "deviceParameters": "{}", "queueInfo": {**queue, "position": place}}
        if state == "failed":
            document["failureReason"] = job.failure
        return Reply(200, document)

    def _summary(self, job: DoubleJob, state: str) -> dict[str, Any]:
        asked = job.asked
        document = {
            "quantumTaskArn": job.id,
            "status": _STATES[state],
            "deviceArn": asked["deviceArn"],
            "shots": job.shots,
            "outputS3Bucket": asked["outputS3Bucket"],
            "outputS3Directory": f"{asked['outputS3KeyPrefix']}/{job.id.rpartition('/')[2]}",
            "createdAt": _time(job.more["created"]),
            "tags": asked["tags"],
        }
        ended = state in ("done", "failed", "cancelled")
        return {**document, "endedAt": _time(datetime.now(UTC))} if ended else document

    def _cancel(self, call: Call) -> Reply:
        job = self._found(call)
        if job is None:
            return self.error(404, "The quantum task does not exist.")
        state = self.state(job, poll=False)
        if state in ("done", "failed"):
            return self.error(409, f"The quantum task is in the terminal state {_STATES[state]}.")
        job.cancelled = True
        return Reply(200, {"quantumTaskArn": job.id, "cancellationStatus": "CANCELLED"})

    def _search(self, call: Call) -> Reply:
        """Newest first, a page at a time; by device, the one filter that is served."""
        asked = call.json()
        devices = [value for each in asked["filters"] if each["name"] == "deviceArn" for value in each["values"]]
        found = [
            job
            for job in reversed(self.jobs.values())
            if self.visible(job) and (not devices or job.asked["deviceArn"] in devices)
        ]
        start = int(asked.get("nextToken") or 0)
        page = found[start : start + _PAGE]
        document: dict[str, Any] = {"quantumTasks": [self._summary(job, self.state(job, poll=False)) for job in page]}
        if start + _PAGE < len(found):
            document["nextToken"] = str(start + _PAGE)
        return Reply(200, document)

    def _device(self, call: Call) -> Reply:
        arn = unquote(call.parts["arn"])
        document = device_document(arn)
        return Reply(200, document) if document else self.error(404, f"The device {arn} does not exist.")

    def _result(self, call: Call) -> Reply:
        """As JSON, so that faults reach it; S3 itself calls it a stream of bytes."""
        name = unquote(call.parts["key"]).rpartition("/")[2]
        job = next((each for each in self.jobs.values() if each.id.endswith(f"/{name}")), None)
        if job is None or self.state(job, poll=False) != "done":
            return Reply(404, b"<Error><Code>NoSuchKey</Code><Message>The key does not exist.</Message></Error>")
        return Reply(200, _result_document(job))


def _result_document(job: DoubleJob) -> dict[str, Any]:
    """Qubits in ascending order, whatever bits they were measured into; IonQ's machines give probabilities."""
    places = sorted(range(len(job.more["measured"])), key=lambda bit: job.more["measured"][bit])
    device = job.asked["deviceArn"]
    rows = {"".join(key[::-1][place] for place in places): count for key, count in job.counts[0].items()}
    document: dict[str, Any] = {
        "braketSchemaHeader": {"name": "braket.task_result.gate_model_task_result", "version": "1"},
        "measuredQubits": [job.more["measured"][place] for place in places],
        "taskMetadata": {
            "braketSchemaHeader": {"name": "braket.task_result.task_metadata", "version": "1"},
            "id": job.id,
            "shots": job.shots,
            "deviceId": device,
        },
        "additionalMetadata": {"action": json.loads(job.asked["action"])},
    }
    if "/ionq/" in device:
        return {**document, "measurementProbabilities": {row: n / job.shots for row, n in rows.items()}}
    if "/quantum-simulator/" in device:
        header = {"name": "braket.task_result.simulator_metadata", "version": "1"}
        document["additionalMetadata"]["simulatorMetadata"] = {"braketSchemaHeader": header, "executionDuration": 16}
    return {**document, "measurements": list(_shots(rows))}


def _shots(rows: Mapping[str, int]) -> Iterator[list[int]]:
    for row, count in rows.items():
        yield from [[int(bit) for bit in row]] * count


def _identity(call: Call) -> Reply:
    """Of STS: the account that the default bucket is named after."""
    text = (
        '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
        f"<Arn>arn:aws:iam::{ACCOUNT}:user/double</Arn><UserId>AIDADOUBLE</UserId><Account>{ACCOUNT}</Account>"
        "</GetCallerIdentityResult></GetCallerIdentityResponse>"
    )
    return Reply(200, text.encode(), {"Content-Type": "text/xml"})


def _prices(call: Call) -> Reply:
    return Reply(200, price_list().encode(), {"Content-Type": "text/csv"})


def _time(when: datetime) -> str:
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
