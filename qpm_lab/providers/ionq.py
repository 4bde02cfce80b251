"""IonQ, by its Qiskit provider: circuits in its `qis` gates, found again by their name, priced by its own estimate.

Used of that provider are the translation of circuits and the REST client, without the client's retries: they send a
submission again when its answer is lost, and ask for ever when the service is down. Debiasing changes the price and is
off unless the setting `debiasing` is true. IonQ's histograms are probabilities over the qubits, the first one lowest.

Known are the fields of IonQ's own description of API v0.4: of 30 April 2026 (docs.ionq.com), and of 2 September 2026
(`openapi.json` of ionq/ionq-core-python at 0408cf4; the models of ionq-core 0.2.0), which has `cost_model` and what a
machine supports. `cost_model` is in jobs that people recorded since July 2026; the `noise_models` of the simulator are
in the tests of qiskit-ionq at 220daa6.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from qpm_lab.errors import ProviderError
from qpm_lab.experiment import BackendInfo
from qpm_lab.providers.answers import field, one_of, words
from qpm_lab.providers.ionq_api import TITLE, VERSION, Api
from qpm_lab.providers.ionq_calibration import GATES, content, utc
from qpm_lab.providers.vendor import Access, Answer, Availability, Durability, Parcel, Standing, Vendor

if TYPE_CHECKING:
    from qpm_lab.providers.ionq_circuits import Sent

_PAGES = 200
"""Of a hundred jobs; a list that goes on after these is not taken for a whole one."""
_STATES: Mapping[str, Any] = {
    "submitted": "queued",
    "ready": "queued",
    "started": "running",
    "completed": "done",
    "failed": "failed",
    "canceled": "cancelled",
}
_MACHINE = {
    "available": True,
    "running": True,
    "reserved": False,
    "calibrating": False,
    "unavailable": False,
    "offline": False,
    "retired": False,
}
_JOB_FIELDS = frozenset(
    {"id", "status", "type", "backend", "dry_run", "submitter_id", "project_id", "parent_job_id", "session_id"}
    | {"metadata", "name", "submitted_at", "started_at", "completed_at", "predicted_wait_time_ms", "shots", "noise"}
    | {"predicted_execution_duration_ms", "execution_duration_ms", "failure", "output", "settings", "stats", "results"}
    | {"child_job_ids", "warning", "cost_model"}
)
_BACKEND_FIELDS = frozenset(
    {"backend", "status", "degraded", "qubits", "average_queue_time", "last_updated", "characterization_id", "kw"}
    | {"location", "noise_models", "supported_gates", "supported_native_gates", "supported_error_mitigations"}
)
_COST_FIELDS = frozenset({"dry_run", "estimated_cost", "cost"})
_LIST_FIELDS = frozenset({"jobs", "next"})
_CREDITS = ("credit", "credits")
"""The unit of organisations that IonQ bills in credits of its own: no amount of money."""
_ESTIMATE = "GET /jobs/estimate"


def _machine(name: str, description: str, qubits: int, kind: Any = "qpu") -> BackendInfo:
    return BackendInfo(
        id=f"ionq/{name}",
        description=description,
        qubits=qubits,
        kind=kind,
        local=False,
        noisy=kind == "qpu",
        gates=GATES,
        region="United States",
        legal_seat="US",
    )


VENDOR = Vendor(
    name="ionq",
    title=TITLE,
    client="qpm_lab.providers.ionq:IonQClient",
    module="qiskit_ionq",
    packages=("qiskit-ionq>=1.1.1,<2",),
    secrets=("token",),
    backends=(
        _machine("simulator", "IonQ's cloud simulator, ideal", 29, "simulator"),
        _machine("qpu.forte-1", "IonQ Forte, trapped ions, any pair of qubits", 36),
        _machine("qpu.forte-enterprise-1", "IonQ Forte Enterprise, trapped ions, any pair of qubits", 36),
    ),
    durability=Durability("token", how="job name"),
    serves_prices=True,
    most_circuits=50,
    most_shots=10_000,
)


class IonQClient:
    """Speaks to IonQ's API.

    Args:
        access: `token`; settings `debiasing` (default off) and `unknown_fields`: `allow` reads answers with fields that
            nobody here has read about, which are refused otherwise.
    """

    def __init__(self, access: Access) -> None:
        self._api = Api(access)
        self._debiasing = access.options.get("debiasing") is True

    def calibration(self, backend: str) -> bytes | None:
        found = self._characterization(backend)
        return None if found is None else content(found)

    def availability(self, backend: str) -> Availability:
        what = f"GET /backends/{backend}"
        found = self._api.read(what, _BACKEND_FIELDS, "backends", backend)
        status = one_of(field(found, "status", vendor=TITLE, what=what), _MACHINE, "status", vendor=TITLE, what=what)
        message = "degraded" if found.get("degraded") is True else ""
        known = self._characterization(backend)
        calibrated_at = None if known is None else utc(known["date"])
        queue_seconds = None if backend == "simulator" else self._queue_seconds(backend)
        return Availability(_MACHINE[status], None, queue_seconds, calibrated_at, message or status)

    def _queue_seconds(self, backend: str) -> float | None:
        """By the estimate of a small job: the queue time in the machine's own description has no unit."""
        small = {"oneq_gates": 1, "twoq_gates": 1, "qubits": 2, "shots": 100}
        estimate = self._api.asked(lambda theirs: theirs.estimate_job(backend=backend, **small).to_dict(), _ESTIMATE)
        milliseconds = estimate.get("current_predicted_queue_time")
        known = isinstance(milliseconds, int | float) and 0 <= milliseconds < 1e12
        return milliseconds / 1000 if known else None

    def price(self, parcel: Parcel) -> tuple[str, str] | None:
        if parcel.backend == "simulator":
            return None
        amounts = [self._estimate(parcel, each) for each in _sent(parcel)]
        money = [each for each in amounts if each is not None]
        if len(money) < len(amounts) or len({currency for currency, _ in money}) != 1:
            return None
        return money[0][0], str(sum((amount for _, amount in money), Decimal(0)))

    def _estimate(self, parcel: Parcel, sent: Sent) -> tuple[str, Decimal] | None:
        estimate = self._api.asked(
            lambda theirs: theirs.estimate_job(
                backend=parcel.backend,
                oneq_gates=sent.one_qubit_gates,
                twoq_gates=sent.two_qubit_gates,
                qubits=sent.circuit.num_qubits,
                shots=parcel.shots,
                error_mitigation=self._debiasing,
            ).to_dict(),
            _ESTIMATE,
        )
        # IonQ renamed both in summer 2026, within v0.4.
        unit = _either(estimate, "estimated_unit", "cost_unit")
        return _money(unit, _either(estimate, "estimated_total_cost", "estimated_cost"))

    def send(self, parcel: Parcel) -> str:
        from qpm_lab.providers.ionq_circuits import payload

        body = payload(parcel, _sent(parcel), self._debiasing)
        found = self._api.asked(lambda theirs: theirs.post("jobs", json_body=body), "POST /jobs", sending=True)
        return _id(field(found, "id", vendor=TITLE, what="POST /jobs"))

    def find(self, backend: str, token: str) -> Sequence[str]:
        params: dict[str, Any] = {"limit": 100}
        for _ in range(_PAGES):
            page = self._api.read("GET /jobs", _LIST_FIELDS, "jobs", params=params)
            jobs = field(page, "jobs", vendor=TITLE, what="GET /jobs")
            named = [job for job in jobs if field(job, "name", vendor=TITLE, what="GET /jobs") == token]
            if named:
                return [_id(field(job, "id", vendor=TITLE, what="GET /jobs")) for job in named]
            if not page.get("next"):
                return []
            params["next"] = page["next"]
        raise ProviderError(
            f"{TITLE} lists more than {_PAGES * 100:,} jobs; the one looked for is not among the newest.",
            "Look for it at IonQ, then tell: qpm jobs resolve ID --vendor-id X or --not-submitted",
            uncertain=True,
        )

    def standing(self, backend: str, vendor_id: str) -> Standing:
        job, state = self._job(vendor_id)
        return Standing(state, message=_failure(job) if state == "failed" else "")

    def answer(self, parcel: Parcel, vendor_id: str) -> Answer:
        from qpm_lab.providers.ionq_circuits import counts, seconds_between

        job, state = self._job(vendor_id)
        if state != "done":
            raise ProviderError(f"The job {vendor_id} has no result: it is {state}.", _failure(job))
        if parcel.backend != "simulator" and job.get("backend") == "simulator":
            # Seen by people with access to machines; nothing but this field tells.
            raise ProviderError(
                f"{TITLE} ran the job on its simulator and not on {parcel.backend}; its counts are no result of that.",
                f"Ask {TITLE} whether this organisation may use {parcel.backend}.",
            )
        sent = _sent(parcel)
        shares = self._shares(vendor_id, job, len(sent))
        return Answer(
            counts=[counts(share, each, parcel) for share, each in zip(shares, sent, strict=True)],
            run_seconds=float(job.get("execution_duration_ms") or 0) / 1000,
            queue_seconds=seconds_between(job.get("submitted_at"), job.get("started_at")),
            billed=self._billed(vendor_id) if parcel.backend != "simulator" else None,
            details={"client": f"qiskit-ionq {_client_version()}", "api": VERSION, "debiasing": self._debiasing},
        )

    def cancel(self, backend: str, vendor_id: str) -> None:
        try:
            self._api.asked(lambda theirs: theirs.cancel_job(vendor_id), "PUT /jobs/ID/status/cancel")
        except ProviderError as error:
            # A job that has ended is refused, with no status of its own for it.
            if error.retryable or self._job(vendor_id)[1] in ("queued", "running"):
                raise

    def run(self, parcel: Parcel) -> Answer:
        raise ProviderError(f"{TITLE} has no local backend.")

    def _job(self, vendor_id: str) -> tuple[Mapping[str, Any], Any]:
        what = "GET /jobs/ID"
        job = self._api.asked(lambda theirs: theirs.retrieve_job(vendor_id), what)
        self._api.check(job, _JOB_FIELDS, what)
        status = field(job, "status", vendor=TITLE, what=what)
        return job, _STATES[one_of(status, _STATES, "status", vendor=TITLE, what=what)]

    def _shares(self, vendor_id: str, job: Mapping[str, Any], number: int) -> list[Any]:
        """The probabilities of each circuit, in order."""
        place = f"/{VERSION}/jobs/{vendor_id}/results/probabilities"
        if number == 1:
            return [self._api.asked(lambda theirs: theirs.get_results(place), "GET /jobs/ID/results/probabilities")]
        what = "GET /jobs/ID/results/probabilities/aggregated"
        found = self._api.asked(lambda theirs: theirs.get_results(f"{place}/aggregated"), what)
        children = field(job, "child_job_ids", vendor=TITLE, what="GET /jobs/ID")
        if not isinstance(children, list) or len(children) != number or len(found) != number:
            raise ProviderError(f"{TITLE}'s answer to {what} has not {number} circuits.", "Report it.", uncertain=True)
        return [field(found, str(child), vendor=TITLE, what=what) for child in children]

    def _billed(self, vendor_id: str) -> tuple[str, str] | None:
        """What the job cost; None when the key may not see it, IonQ does not say yet, or says it in credits."""
        try:
            found = self._api.read("GET /jobs/ID/cost", _COST_FIELDS, "jobs", vendor_id, "cost", may_miss=True)
        except ProviderError as error:
            if error.retryable or error.uncertain:
                raise
            return None
        cost = found.get("cost")
        if cost is None:
            return None
        what = "GET /jobs/ID/cost"
        unit, value = (field(found, "cost", name, vendor=TITLE, what=what) for name in ("unit", "value"))
        money = _money(unit, value)
        return None if money is None else (money[0], str(money[1]))

    def _characterization(self, backend: str) -> Mapping[str, Any] | None:
        """The latest; None for a simulator, and where there is none."""
        if backend == "simulator":
            return None
        what = "GET /backends/N/characterizations"
        found = self._api.asked(lambda theirs: _facts(theirs.get_latest_calibration(backend)), what, None)
        return found if isinstance(found, Mapping) else None


def _facts(characterization: Any) -> dict[str, Any] | None:
    if characterization is None:
        return None
    return {name: getattr(characterization, name) for name in ("qubits", "fidelity", "timing", "date")}


def _sent(parcel: Parcel) -> list[Sent]:
    from qpm_lab.providers.ionq_circuits import flat

    return [flat(circuit, number) for number, circuit in enumerate(parcel.circuits)]


def _failure(job: Mapping[str, Any]) -> str:
    told = job.get("failure")
    if not isinstance(told, Mapping):
        return ""
    return words(": ".join(str(told[name]) for name in ("code", "message", "error") if told.get(name)))


def _id(value: Any) -> str:
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_-]{1,128}", value):
        return value
    raise ProviderError(f"{TITLE} gave the job the id {words(value)!r}.", "Report it.", uncertain=True)


def _either(estimate: Mapping[str, Any], name: str, older: str) -> Any:
    return field(estimate, older if older in estimate else name, vendor=TITLE, what=_ESTIMATE)


def _money(unit: Any, value: Any) -> tuple[str, Decimal] | None:
    """Currency and amount; None for credits."""
    return None if unit in _CREDITS else (_currency(unit), _amount(value))


def _amount(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12:
        raise ProviderError(f"{TITLE} names {words(value)} as an amount of money.", "Report it.", uncertain=True)
    return Decimal(str(value))


def _currency(value: Any) -> str:
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z]{3}", value):
        return value.upper()
    raise ProviderError(f"{TITLE} names {words(value)!r} as a currency.", "Report it.", uncertain=True)


def _client_version() -> str:
    from importlib.metadata import version

    return version("qiskit-ionq")
