"""IBM Quantum, by its Qiskit Runtime client.

Circuits go through the client's `executor_sampler.Sampler`. The top-level `SamplerV2` is deprecated since 0.50; its
replacement posts an `executor` program, whose circuits are run as they are (no twirling unless it is asked for) and
whose every shot comes back, so nothing is lost by the change. The token travels as the job's tag; jobs are found by it.
"""

from __future__ import annotations

import logging
import math
import os
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC
from importlib.metadata import version
from typing import Any, Literal

from qpm_lab.errors import ProviderError
from qpm_lab.providers import ibm_devices, ibm_fields
from qpm_lab.providers.answers import field, one_of, words
from qpm_lab.providers.ibm_results import (
    Checked,
    charged_seconds,
    check_size,
    counts_of,
    seconds_between,
    whole_number,
)
from qpm_lab.providers.ibm_watch import CALL_SECONDS, MACHINE_FIELDS, TITLE, Watch
from qpm_lab.providers.vendor import Access, Answer, Availability, Durability, Parcel, Standing, Vendor

State = Literal["queued", "running", "done", "failed", "cancelled"]
VENDOR = Vendor(
    name="ibm",
    title=TITLE,
    client="qpm_lab.providers.ibm:IbmClient",
    module="qiskit_ibm_runtime",
    packages=("qiskit-ibm-runtime>=0.51,<0.52", "qiskit>=2.1,<3", "qiskit-aer>=0.17.2"),
    secrets=("token",),
    backends=ibm_devices.BACKENDS,
    # IBM states no bound on when a new job is listed.
    durability=Durability("token", how="job_tags"),
    most_circuits=100,
    most_shots=100_000,
    decides=True,
)
API = "2026-04-15"
"""The `IBM-API-Version` that the client asks for."""
DOUBLE_INSTANCE = "crn:v1:bluemix:public:quantum-computing:us-east:a/double:double::"
STATES: Mapping[str, State] = {
    "Queued": "queued",
    "Running": "running",
    "Completed": "done",
    "Failed": "failed",
    "Cancelled": "cancelled",
}
RAN_TOO_LONG = 1305
"""The reason of a job that IBM stopped at its cap; its state is `Cancelled`."""


class IbmClient:
    """Speaks to IBM Quantum; see `vendor.Client`.

    Options: `instance` (its CRN or name; else the one that the client picks), `region`, `plans_preference`, and
    `unknown_fields`: `allow` reads answers with fields that nobody here has read about, which are refused otherwise.
    """

    def __init__(self, access: Access) -> None:
        # What else is installed here is not IBM's business.
        os.environ["USAGE_DATA_OPT_OUT"] = "True"
        if access.url:
            os.environ["IAM_URL"] = access.url
            # Else it asks IBM's global catalogue, whose address cannot be set, for the instances of the account.
            os.environ["QISKIT_FUNCTIONS_EXPERIMENTAL"] = "1"
        self._access = access
        strict = access.options.get("unknown_fields") != "allow"
        self._watch = Watch(float(access.options.get("timeout_seconds", CALL_SECONDS)), strict=strict)
        self._made: Any = None

    def calibration(self, backend: str) -> bytes | None:
        """The machine's target as IBM publishes it now, or a snapshot's."""
        if backend.startswith("fake_"):
            return ibm_devices.content(ibm_devices.snapshot(backend))
        with self._watch.call():
            machine = self._machine(backend)
            machine.refresh()
            told = self._watch.answer_to("/configuration")
            for name in MACHINE_FIELDS:
                # Without one of them the client keeps what it knew before.
                field(told, name, vendor=TITLE, what=f"GET /backends/{backend}/configuration")
            return ibm_devices.content(machine.target)

    def availability(self, backend: str) -> Availability:
        """The machine's status, its queue and the date of its calibration."""
        if backend.startswith("fake_"):
            return Availability(True, 0)
        with self._watch.call():
            machine = self._machine(backend)
            status = machine.status()
            told = self._watch.answer_to("/status")
            self._watch.search("/status", ibm_fields.STATUS, f"GET /backends/{backend}/status")
            for name in ("state", "status", "length_queue"):
                # The client fills in what is missing.
                field(told, name, vendor=TITLE, what=f"GET /backends/{backend}/status")
            properties = machine.properties(refresh=True)
            taken = None if properties is None else properties.last_update_date.astimezone(UTC).isoformat()
            active = status.status_msg == "active"
            message = "" if active else words(status.status_msg)
            return Availability(bool(status.operational) and active, int(status.pending_jobs), None, taken, message)

    def price(self, parcel: Parcel) -> tuple[str, str] | None:
        """None: IBM serves no estimate before a job is sent."""
        return None

    def send(self, parcel: Parcel) -> str:
        """Submits a sampler job tagged with the token.

        Raises:
            CapacityError: Its result would be larger than any answer that is read.
        """
        check_size(parcel)
        with self._watch.call(), warnings.catch_warnings():
            # Such a job would wait until somebody pays: it is not sent.
            for start in ("This instance has met its usage limit", "There is currently no more time"):
                warnings.filterwarnings("error", message=start)
            machine = self._machine(parcel.backend)
            try:
                job = _sampler(machine, parcel).run(list(parcel.circuits), shots=parcel.shots)
            except UserWarning as warning:
                raise ProviderError(
                    f"{TITLE}: {words(warning)}", "Nothing was sent. Choose another instance."
                ) from None
            return str(job.job_id())

    def find(self, backend: str, token: str) -> Sequence[str]:
        """Ids of all jobs with that tag, in every instance of the account that is used."""
        with self._watch.call():
            service = self._service()
            found = [service.jobs(job_tags=[token], limit=20, instance=crn) for crn in self._instances(service)]
            self._watch.search("/jobs", ibm_fields.JOBS, "GET /jobs")
            jobs = [job for page in found for job in page if token in (job.tags or ())]
            return [str(job.job_id()) for job in jobs]

    def standing(self, backend: str, vendor_id: str) -> Standing:
        """The job's state, its place in the queue while it waits, and IBM's words when it failed."""
        with self._watch.call():
            job, told = self._searched_job(vendor_id)
            state = _state(told, vendor_id)
            if state == "queued":
                return Standing(state, whole_number(self._metrics(job, vendor_id).get("position_in_queue")))
            return Standing(state, None, _reason(told) if state == "failed" else "")

    def answer(self, parcel: Parcel, vendor_id: str) -> Answer:
        """Counts, and the time that IBM charges."""
        from qiskit_ibm_runtime.decoders.defaults import DEFAULT_DECODERS

        with self._watch.call():
            job, told = self._searched_job(vendor_id)
            if _state(told, vendor_id) != "done":
                raise ProviderError(f"The job {vendor_id} of {TITLE} is not done.", "Ask again later.", retryable=True)
            what = f"GET /jobs/{vendor_id}/results"
            decoders = [Checked(what, self._watch.strict), *DEFAULT_DECODERS["executor"]]
            counts = counts_of(job.result(decoder=decoders), parcel, what)
            metrics = self._metrics(job, vendor_id)
            times = field(metrics, "timestamps", vendor=TITLE, what=f"GET /jobs/{vendor_id}/metrics")
            usage = field(metrics, "usage", vendor=TITLE, what=f"GET /jobs/{vendor_id}/metrics")
            return Answer(
                counts,
                run_seconds=seconds_between(times, "running", "finished"),
                queue_seconds=seconds_between(times, "created", "running"),
                qpu_seconds=charged_seconds(usage),
                details={**_versions(), "usage": words(usage.get("status", ""))},
            )

    def cancel(self, backend: str, vendor_id: str) -> None:
        """Asks IBM to cancel it; a job that has ended answers 409, which is no failure."""
        from qiskit_ibm_runtime.exceptions import RuntimeInvalidStateError

        with self._watch.call():
            job, told = self._job(vendor_id)
            if _state(told, vendor_id) in ("queued", "running"):
                with suppress(RuntimeInvalidStateError):
                    job.cancel()

    def run(self, parcel: Parcel) -> Answer:
        """Runs on a snapshot."""
        return Answer(ibm_devices.simulated(parcel), details=_versions())

    def _service(self) -> Any:
        """The client's service; made at the first need, since it asks for a token and the machines at once."""
        if not self._access.secrets.get("token"):
            raise ProviderError(f"{TITLE} needs a key.", "Store it: qpm secret set ibm")
        if self._made is None:
            self._watch.install()
            made = _service_of(self._access)
            # It takes an instance whose machines it could not read for an empty one.
            self._watch.raise_failure()
            self._listed()
            self._made = made
        return self._made

    def _listed(self) -> set[str]:
        """Names of the machines in the last list that came."""
        devices = field(self._watch.answer_to("/backends"), "devices", vendor=TITLE, what="GET /backends")
        return {str(each.get("name")) for each in devices}

    def _machine(self, name: str) -> Any:
        from qiskit.providers.exceptions import QiskitBackendNotFoundError

        try:
            return self._service().backend(name)
        except QiskitBackendNotFoundError:
            self._watch.raise_failure()
            if name in self._listed():
                raise
            message = f"{TITLE} offers no machine {name[:80]!r} to this key."
            raise ProviderError(message, "Look at the instance and plan in IBM Quantum Platform.") from None

    def _instances(self, service: Any) -> list[str]:
        chosen = self._access.options.get("instance") or (DOUBLE_INSTANCE if self._access.url else None)
        return [service.active_instance()] if chosen else [each["crn"] for each in service.instances()]

    def _job(self, vendor_id: str) -> tuple[Any, Any]:
        """The job, and what IBM said of it: the client keeps a state and fills in what is missing."""
        job = self._service().job(vendor_id)
        return job, self._watch.answer_to(f"/jobs/{vendor_id}")

    def _searched_job(self, vendor_id: str) -> tuple[Any, Any]:
        """As `_job`, for reading what it says; a job can be stopped whatever else it says."""
        found = self._job(vendor_id)
        self._watch.search(f"/jobs/{vendor_id}", ibm_fields.JOB, f"GET /jobs/{vendor_id}")
        return found

    def _metrics(self, job: Any, vendor_id: str) -> Any:
        metrics = job.metrics()
        self._watch.search("/metrics", ibm_fields.METRICS, f"GET /jobs/{vendor_id}/metrics")
        return metrics


def _service_of(access: Access) -> Any:
    from qiskit_ibm_runtime import QiskitRuntimeService

    logging.getLogger("qiskit_ibm_runtime").setLevel(logging.ERROR)
    options = access.options
    named: dict[str, Any] = {"instance": options.get("instance") or "auto"}
    named |= {name: options[name] for name in ("region", "plans_preference") if options.get(name)}
    if access.url:
        named["url"] = access.url
        named["url_resolver"] = lambda *_: f"{access.url}/api/v1"
        named["instance"] = options.get("instance") or DOUBLE_INSTANCE
    return QiskitRuntimeService(channel="ibm_quantum_platform", token=access.secrets["token"], **named)


def _sampler(machine: Any, parcel: Parcel) -> Any:
    from qiskit_ibm_runtime.executor_sampler import Sampler

    sampler = Sampler(mode=machine)
    sampler.options.environment.job_tags = [parcel.token]
    if parcel.cap_seconds is not None:
        # Whole seconds, and no more than what was reserved.
        sampler.options.max_execution_time = max(1, math.floor(parcel.cap_seconds))
    return sampler


def _state(told: Any, vendor_id: str) -> State:
    what = f"GET /jobs/{vendor_id}"
    status = field(told, "state", "status", vendor=TITLE, what=what)
    written = status.capitalize() if isinstance(status, str) else status
    state = STATES[one_of(written, STATES, "state.status", vendor=TITLE, what=what)]
    return "failed" if state == "cancelled" and told["state"].get("reason_code") == RAN_TOO_LONG else state


def _reason(told: Any) -> str:
    code, reason = told["state"].get("reason_code"), told["state"].get("reason") or "IBM gives no reason"
    return words(f"{reason} (code {code})" if code else reason)


def _versions() -> dict[str, str]:
    return {"client": f"qiskit-ibm-runtime {version('qiskit-ibm-runtime')}", "api": API}
