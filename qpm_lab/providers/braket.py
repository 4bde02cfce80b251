"""Amazon Braket, by its SDK.

Settings of a site: `region` for Amazon's simulators, `regions` by backend, `bucket` (a name, or one per region) and
`prefix` in S3 for the results, `unknown_fields: allow` to read answers with fields that nobody here knows. A machine
under `backends` has an `arn`, and `placed: true` when its circuits shall be laid out here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from importlib import metadata
from typing import Any

from qpm_lab.errors import InputError, ProviderError
from qpm_lab.providers import braket_devices as devices
from qpm_lab.providers.answers import field, one_of, words
from qpm_lab.providers.braket_aws import TITLE, Aws, EndedError, asking, read
from qpm_lab.providers.braket_program import histogram, program
from qpm_lab.providers.vendor import Access, Answer, Availability, Durability, Parcel, Standing, Vendor

VENDOR = Vendor(
    name="braket",
    title=TITLE,
    client="qpm_lab.providers.braket:BraketClient",
    module="braket.aws",
    packages=("amazon-braket-sdk>=1.127,<2", "qiskit>=2.2,<3"),
    secrets=("access_key_id", "secret_access_key"),
    backends=devices.BACKENDS,
    durability=Durability("idempotent", how="clientToken of CreateQuantumTask; the tag qpm"),
)
_TAG = "qpm"
_STATES = {
    "CREATED": "queued",
    "QUEUED": "queued",
    "RUNNING": "running",
    "CANCELLING": "running",
    "COMPLETED": "done",
    "FAILED": "failed",
    "CANCELLED": "cancelled",
}
_MOST_PAGES = 100
_LEAST_BILLED_SECONDS = 3.0
"""Of Amazon's simulators, per task; `MIN_SIMULATOR_DURATION` of the SDK's cost tracker."""


class BraketClient:
    """Speaks to AWS with the SDK's own session, one per region."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._aws = Aws(access)

    def calibration(self, backend: str) -> bytes | None:
        """Of machines whose qubits are coupled to few others; the others take any pair."""
        if not self._placed(backend):
            return None
        device = self._device(backend)
        return devices.calibration(field(device, "deviceCapabilities", vendor=TITLE, what="GetDevice"))

    def availability(self, backend: str) -> Availability:
        device = self._device(backend)
        status = field(device, "deviceStatus", vendor=TITLE, what="GetDevice")
        state = one_of(status, ("ONLINE", "OFFLINE", "RETIRED"), "deviceStatus", vendor=TITLE, what="GetDevice")
        waiting = [
            _number(each.get("queueSize"))
            for each in device.get("deviceQueueInfo") or ()
            if each.get("queue") == "QUANTUM_TASKS_QUEUE"
        ]
        queue = sum(each for each in waiting if each is not None) if waiting else None
        service = (device.get("deviceCapabilities") or {}).get("service") or {}
        message = "" if state == "ONLINE" else f"{TITLE} says {state.lower()}."
        return Availability(state == "ONLINE", queue, None, service.get("updatedAt"), message)

    def price(self, parcel: Parcel) -> tuple[str, str] | None:
        """By the price list that AWS publishes; None for simulators, which are billed by time."""
        arn = self._arn(parcel.backend)
        if "/qpu/" not in arn:
            return None
        from braket.tracking.pricing import price_search

        parts = []
        for family in ("Quantum Task", "Quantum Task-Shot"):
            with asking("the price list"):
                # The list spells this column in two ways; the SDK's tracker reads this one for single tasks.
                wanted = {"Region Code": arn.split(":")[3], "DeviceName": arn.split("/")[-1], "Product Family": family}
                found = price_search(**wanted)
            if len(found) != 1 or found[0]["Currency"] != "USD":
                return None
            parts.append(Decimal(found[0]["PricePerUnit"]))
        return "USD", f"{parts[0] + parts[1] * parcel.shots:f}"

    def send(self, parcel: Parcel) -> str:
        from braket.ir.openqasm import Program

        sent = program(parcel.circuits[0], placed=self._placed(parcel.backend))
        session = self._aws.session(self._region(parcel.backend))
        bucket = self._aws.bucket(self._region(parcel.backend))
        with asking("CreateQuantumTask", sending=True):
            arn: str = session.create_quantum_task(
                clientToken=parcel.token,
                deviceArn=self._arn(parcel.backend),
                action=Program(source=sent.source).json(),
                shots=parcel.shots,
                outputS3Bucket=bucket,
                outputS3KeyPrefix=str(self._access.options.get("prefix") or "qpm"),
                tags={_TAG: parcel.token},
            )
        return arn

    def find(self, backend: str, token: str) -> Sequence[str]:
        """By the tag: tasks cannot be searched by it, so those of the machine are read page by page."""
        session = self._aws.session(self._region(backend))
        wanted = {"name": "deviceArn", "operator": "EQUAL", "values": [self._arn(backend)]}
        page: dict[str, Any] = {}
        found: list[str] = []
        for _ in range(_MOST_PAGES):
            more = {"nextToken": page["nextToken"]} if page.get("nextToken") else {}
            with asking("SearchQuantumTasks"):
                page = session.braket_client.search_quantum_tasks(filters=[wanted], maxResults=100, **more)
            tasks = field(page, "quantumTasks", vendor=TITLE, what="SearchQuantumTasks")
            ours = [task for task in tasks if (task.get("tags") or {}).get(_TAG) == token]
            found += [field(task, "quantumTaskArn", vendor=TITLE, what="SearchQuantumTasks") for task in ours]
            if not page.get("nextToken"):
                return found
        if found:
            return found
        message = f"{TITLE} lists more than {_MOST_PAGES * 100:,} tasks; the job was not among the first of them."
        raise ProviderError(message, "Look for its tag in the console: qpm jobs resolve.", uncertain=True)

    def standing(self, backend: str, vendor_id: str) -> Standing:
        task = self._task(vendor_id)
        status = field(task, "status", vendor=TITLE, what="GetQuantumTask")
        state: Any = _STATES[one_of(status, _STATES, "status", vendor=TITLE, what="GetQuantumTask")]
        position = _number((task.get("queueInfo") or {}).get("position")) if state == "queued" else None
        return Standing(state, position, words(task.get("failureReason") or "") if state == "failed" else "")

    def answer(self, parcel: Parcel, vendor_id: str) -> Answer:
        task = self._task(vendor_id)
        place = [
            field(task, name, vendor=TITLE, what="GetQuantumTask") for name in ("outputS3Bucket", "outputS3Directory")
        ]
        with asking("results.json"):
            text = self._aws.session(_region_of(vendor_id)).retrieve_s3_object_body(
                place[0], f"{place[1]}/results.json"
            )
        document = read(text, "results.json")
        sent = program(parcel.circuits[0], placed=self._placed(parcel.backend))
        counts = histogram(document, sent, int(task.get("numSuccessfulShots") or parcel.shots))
        ran = _simulated_seconds(document)
        details = {"client": f"amazon-braket-sdk {metadata.version('amazon-braket-sdk')}", "api": "2019-09-01"}
        billed = None if ran is None else max(ran, _LEAST_BILLED_SECONDS)
        waited = max(0.0, _lasted(task) - ran) if ran is not None else 0.0
        return Answer([counts], ran or 0.0, waited, qpu_seconds=billed, details=details)

    def cancel(self, backend: str, vendor_id: str) -> None:
        try:
            with asking("CancelQuantumTask"):
                self._aws.session(_region_of(vendor_id)).cancel_quantum_task(vendor_id)
        except EndedError:
            return

    def run(self, parcel: Parcel) -> Answer:
        """On the SDK's own simulator, in this process."""
        from braket.devices import LocalSimulator
        from braket.ir.openqasm import Program

        sent = program(parcel.circuits[0], placed=False)
        with _seeded(parcel.seed):
            result = LocalSimulator("braket_sv").run(Program(source=sent.source), shots=parcel.shots).result()
        document = {"measuredQubits": list(result.measured_qubits), "measurements": result.measurements.tolist()}
        version = metadata.version("amazon-braket-default-simulator")
        details = {"client": f"amazon-braket-default-simulator {version}"}
        return Answer([histogram(document, sent, parcel.shots)], details=details)

    def _told(self, backend: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = (self._access.options.get("backends") or {}).get(backend) or {}
        return found

    def _arn(self, backend: str) -> str:
        arn = self._told(backend).get("arn") or devices.ARNS.get(backend)
        if arn is None:
            raise InputError(f"braket/{backend} has no ARN.", "Give its `arn` in the settings of this provider.")
        return str(arn)

    def _placed(self, backend: str) -> bool:
        return bool(self._told(backend).get("placed", backend in devices.PLACED))

    def _region(self, backend: str) -> str:
        """Of the machine; Amazon's simulators are in several, so their ARN names none."""
        options = self._access.options
        stated = (options.get("regions") or {}).get(backend) or self._arn(backend).split(":")[3]
        return str(stated or options.get("region") or devices.SIMULATOR_REGION)

    def _device(self, backend: str) -> dict[str, Any]:
        with asking("GetDevice"):
            device: dict[str, Any] = self._aws.session(self._region(backend)).get_device(self._arn(backend))
        capabilities = device.get("deviceCapabilities")
        return {**device, "deviceCapabilities": read(capabilities, "GetDevice")} if capabilities else device

    def _task(self, vendor_id: str) -> dict[str, Any]:
        with asking("GetQuantumTask"):
            task: dict[str, Any] = self._aws.session(_region_of(vendor_id)).get_quantum_task(vendor_id)
        return task


def _number(text: Any) -> int | None:
    """Of a queue: digits, or `>2000`."""
    digits = str(text).removeprefix(">").strip()
    return int(digits) if digits.isascii() and digits.isdigit() else None


def _region_of(vendor_id: str) -> str:
    parts = vendor_id.split(":")
    if len(parts) < 6 or parts[:3] != ["arn", "aws", "braket"]:
        raise InputError(f"{words(vendor_id)[:100]!r} is no ARN of a quantum task.", "Copy it from the Braket console.")
    return parts[3]


def _lasted(task: Mapping[str, Any]) -> float:
    began, ended = task.get("createdAt"), task.get("endedAt")
    return float((ended - began).total_seconds()) if began and ended else 0.0


def _simulated_seconds(document: Mapping[str, Any]) -> float | None:
    """How long a simulator of Amazon's ran, which is what it bills."""
    told = ((document.get("additionalMetadata") or {}).get("simulatorMetadata") or {}).get("executionDuration")
    return None if told is None else float(told) / 1000


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """The simulator takes no seed, but draws from a fresh generator of NumPy's for each run."""
    import numpy as np

    fresh = np.random.default_rng
    np.random.default_rng = lambda *_: fresh(seed)
    try:
        yield
    finally:
        np.random.default_rng = fresh
