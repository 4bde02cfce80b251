"""Azure Quantum, by Microsoft's client `azure-quantum`: the machines of several makers in one workspace.

A job's id is ours to choose and must be unique in the workspace, so that a submission can be repeated without harm.
Its program and its output are blobs in the workspace's storage.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from qpm_lab.errors import ProviderError
from qpm_lab.experiment import BackendInfo
from qpm_lab.providers.answers import field, one_of, words
from qpm_lab.providers.azure_programs import (
    IONQ_GATES,
    QUANTINUUM_GATES,
    REPORT,
    RIGETTI_GATES,
    TITLE,
    counts_from,
    form_of,
)
from qpm_lab.providers.azure_workspace import API, GET_JOB, Workspace, id_of
from qpm_lab.providers.vendor import Access, Answer, Availability, Durability, Parcel, Standing, Vendor

_STATES: Mapping[str, Literal["queued", "running", "done", "failed", "cancelled"]] = {
    "Queued": "queued",
    "Waiting": "queued",
    "Executing": "running",
    "Finishing": "running",
    "CancellationRequested": "running",
    "Cancelling": "running",
    "Completed": "done",
    "Succeeded": "done",
    "Failed": "failed",
    "Cancelled": "cancelled",
}


def _backend(name: str, description: str, qubits: int, gates: tuple[str, ...], *, noisy: bool) -> BackendInfo:
    return BackendInfo(
        id=f"azure/{name}",
        description=description,
        qubits=qubits,
        kind="qpu" if ".qpu." in name else "simulator",
        local=False,
        noisy=noisy,
        gates=gates,
        region="United States",
        legal_seat="US",
    )


VENDOR = Vendor(
    name="azure",
    title=TITLE,
    client="qpm_lab.providers.azure:AzureClient",
    module="azure.quantum",
    packages=("azure-quantum>=3.13,<4", "qiskit>=2.1,<3"),
    secrets=("token",),
    backends=(
        _backend("ionq.simulator", "IonQ's ideal simulator, on Azure", 29, IONQ_GATES, noisy=False),
        _backend("ionq.qpu.forte-1", "IonQ Forte 1, trapped ions, on Azure", 36, IONQ_GATES, noisy=True),
        _backend(
            "quantinuum.sim.h2-1sc",
            "Quantinuum's checker for H2-1, on Azure: it reads the circuit, its counts mean nothing",
            56,
            QUANTINUUM_GATES,
            noisy=False,
        ),
        _backend("quantinuum.sim.h2-1e", "Quantinuum's emulator of H2-1, on Azure", 56, QUANTINUUM_GATES, noisy=True),
        _backend("quantinuum.qpu.h2-1", "Quantinuum H2-1, trapped ions, on Azure", 56, QUANTINUUM_GATES, noisy=True),
        _backend("rigetti.sim.qvm", "Rigetti's ideal simulator, on Azure", 20, RIGETTI_GATES, noisy=False),
        _backend(
            "rigetti.qpu.cepheus-1-108q", "Rigetti Cepheus-1, superconducting, on Azure", 108, RIGETTI_GATES, noisy=True
        ),
    ),
    durability=Durability("idempotent", how="the job's id, chosen here and unique in the workspace (PUT /jobs/ID)"),
    most_shots=10_000,
)


class AzureClient:
    """Speaks to one workspace.

    Args:
        access: See `azure_workspace.Workspace`.
    """

    def __init__(self, access: Access) -> None:
        self._workspace = Workspace(access)

    def calibration(self, backend: str) -> bytes | None:
        """Azure gives none."""
        return None

    def price(self, parcel: Parcel) -> tuple[str, str] | None:
        """Azure estimates nothing beforehand."""
        return None

    def availability(self, backend: str) -> Availability:
        """What the workspace says of that machine."""
        what = "GET /providerStatus"
        targets = self._workspace.targets(what)
        named = [each for each in targets if field(each, "id", vendor=TITLE, what=what) == backend]
        if not named:
            return Availability(False, message=f"The workspace {words(self._workspace.name)} has no {words(backend)}.")
        found = field(named[0], "currentAvailability", vendor=TITLE, what=what)
        known = ("Available", "Degraded", "Unavailable")
        state = one_of(found, known, "currentAvailability", vendor=TITLE, what=what)
        seconds = _number(field(named[0], "averageQueueTime", vendor=TITLE, what=what), "averageQueueTime", what)
        message = "" if state == "Available" else f"{TITLE} says: {state}."
        return Availability(state != "Unavailable", queue_seconds=float(seconds), message=message)

    def send(self, parcel: Parcel) -> str:
        """Puts the program into storage, then the job under its own id; both may be there already."""
        from azure.quantum import JobDetails

        form, job_id = form_of(parcel.backend), id_of(parcel.token)
        (circuit,) = parcel.circuits
        program = form.program(circuit).encode()
        container, blob = self._workspace.put_program(f"job-{job_id}", program, form.content_type)
        details = JobDetails(
            name=parcel.token,
            provider_id=parcel.backend.partition(".")[0],
            target=parcel.backend,
            container_uri=container,
            input_data_uri=blob,
            input_data_format=form.input,
            output_data_format=form.output,
            input_params={"shots": parcel.shots},
        )
        self._workspace.put_job(job_id, details)
        return job_id

    def find(self, backend: str, token: str) -> Sequence[str]:
        """The job with the token's id, if it is there."""
        return [id_of(token)] if self._workspace.has_job(id_of(token)) else []

    def standing(self, backend: str, vendor_id: str) -> Standing:
        """Azure tells no place in the queue."""
        job = self._workspace.job(vendor_id)
        state = _state(job)
        error = job.get("errorData")
        message = f"{error.get('code', '')}: {error.get('message', '')}" if isinstance(error, Mapping) else ""
        return Standing(state, message=words(message.strip(": ")) if state == "failed" else "")

    def answer(self, parcel: Parcel, vendor_id: str) -> Answer:
        """Counts from the output blob, the bill from the job."""
        job = self._workspace.job(vendor_id)
        if _state(job) != "done":
            raise ProviderError(f"The job {words(vendor_id)} is {words(job['status'])}.", "Wait for it.")
        output = self._workspace.output(str(field(job, "outputDataUri", vendor=TITLE, what=GET_JOB)))
        (circuit,) = parcel.circuits
        return Answer(
            counts=[counts_from(form_of(parcel.backend), circuit, parcel.shots, output)],
            run_seconds=_seconds(job, "beginExecutionTime", "endExecutionTime"),
            queue_seconds=_seconds(job, "creationTime", "beginExecutionTime"),
            billed=_billed(job),
            details={"client": _client_version(), "api": API},
        )

    def cancel(self, backend: str, vendor_id: str) -> None:
        """Asks Azure to stop it."""
        if _state(self._workspace.job(vendor_id, searched=False)) in ("queued", "running"):
            self._workspace.cancel(vendor_id)

    def run(self, parcel: Parcel) -> Answer:
        """Nothing of it runs on this machine."""
        raise ProviderError(f"{TITLE} has no machine {words(parcel.backend)!r} that runs here.", "Submit it as a job.")


def _state(job: Any) -> Literal["queued", "running", "done", "failed", "cancelled"]:
    found = field(job, "status", vendor=TITLE, what=GET_JOB)
    return _STATES[one_of(found, _STATES, "status", vendor=TITLE, what=GET_JOB)]


def _number(value: Any, name: str, what: str) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if isinstance(value, bool) or not number.is_finite() or number < 0:
        raise ProviderError(f"The field {name!r} of {TITLE}'s answer to {what} is {words(value)!r}, no amount.", REPORT)
    return number


def _billed(job: Any) -> tuple[str, str] | None:
    """Azure calls it an estimate: taxes and exchange rates come with the invoice."""
    if job.get("costEstimate") is None:
        return None
    currency = str(field(job, "costEstimate", "currencyCode", vendor=TITLE, what=GET_JOB))
    total = field(job, "costEstimate", "estimatedTotal", vendor=TITLE, what=GET_JOB)
    if not re.fullmatch(r"[A-Z]{3}", currency):
        raise ProviderError(
            f"The field 'costEstimate.currencyCode' of {TITLE}'s answer is {words(currency)!r}.", REPORT
        )
    return currency, format(_number(total, "costEstimate.estimatedTotal", GET_JOB), "f")


def _seconds(job: Any, begin: str, end: str) -> float:
    """Between two times of a job; 0 when one is not told."""
    times = [job.get(begin), job.get(end)]
    if None in times:
        return 0.0
    try:
        first, last = (datetime.fromisoformat(str(each)) for each in times)
        return max(0.0, (last - first).total_seconds())
    except (ValueError, TypeError) as error:
        message = f"The times {begin!r} and {end!r} of {TITLE}'s job cannot be read."
        raise ProviderError(message, REPORT, cause=error) from error


def _client_version() -> str:
    from importlib.metadata import version

    return f"azure-quantum {version('azure-quantum')}"
