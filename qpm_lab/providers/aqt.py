"""AQT, by its Qiskit provider: the Arnica cloud, a machine by direct access, or its simulators on this machine.

Settings of a site: `workspace`, where a machine is in several; `direct: true` when `url` is that of one machine;
`unknown_fields: allow` to read answers with fields that nobody here knows. AQT cannot be asked for a job by its
label, so one whose answer was lost is parked.

Known are the fields of the models of aqt-connector 0.5. What Arnica answered to qBraid on 31 July 2026 has no other:
workspaces, three machines and a finished job (tests/runtime/aqt of qBraid/qBraid). When a job's state changed, it says
only when it is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib import metadata
from typing import Any
from urllib.parse import quote

from qpm_lab.errors import ProviderError
from qpm_lab.experiment import BackendInfo
from qpm_lab.providers.answers import field, http_error, one_of, words
from qpm_lab.providers.aqt_api import TITLE, Api
from qpm_lab.providers.aqt_circuits import Sent, calibration, histogram, job_request, prepared
from qpm_lab.providers.vendor import Access, Answer, Availability, Durability, Parcel, Standing, Vendor

_GATES = ("r", "rxx", "rz")
_STATES = {
    "queued": "queued",
    "ongoing": "running",
    "finished": "done",
    "error": "failed",
    "cancelled": "cancelled",
}
_RESULT = "GET /v1/result/ID"
_JOB_FIELDS = frozenset({"job", "response", "job_id", "message"})
_RESPONSE_FIELDS = frozenset({"status", "timing_data", "finished_count", "result", "message"})
_RESOURCE_FIELDS = frozenset(
    {"id", "name", "type", "status", "available_qubits", "status_updated_at", "characterisation"}
)


def _machine(name: str, description: str, qubits: int, kind: Any, noisy: bool) -> BackendInfo:
    return BackendInfo(
        f"aqt/{name}", description, qubits, kind, False, noisy, gates=_GATES, region="Austria", legal_seat="AT"
    )


def _offline(name: str, description: str, noisy: bool) -> BackendInfo:
    return BackendInfo(f"aqt/{name}", description, 20, "simulator", True, noisy, gates=_GATES)


VENDOR = Vendor(
    name="aqt",
    title=TITLE,
    client="qpm_lab.providers.aqt:AQTClient",
    module="qiskit_aqt_provider",
    packages=("qiskit-aqt-provider>=2.0.1,<3", "qiskit>=2.1,<2.5", "qiskit-aer>=0.17.2"),
    secrets=("token",),
    backends=(
        _machine("ibex", "AQT IBEX, 12 trapped ions, any pair of qubits", 12, "qpu", True),
        _offline("offline_simulator_no_noise", "AQT's simulator here, ideal", False),
        _offline("offline_simulator_noise", "AQT's simulator here, with depolarizing noise", True),
        _machine("simulator_no_noise", "AQT's cloud simulator, ideal", 20, "simulator", False),
        _machine("simulator_noise", "AQT's cloud simulator, with noise", 20, "simulator", True),
    ),
    durability=Durability("none", how="the label of a job, by which AQT lists none"),
    most_circuits=50,
    most_shots=2_000,
)


class AQTClient:
    """Speaks to Arnica, or to one machine; runs AQT's own simulators."""

    def __init__(self, access: Access) -> None:
        self._api = Api(access)
        self._workspace = str(access.options.get("workspace") or "")
        self._direct = access.options.get("direct") is True

    def calibration(self, backend: str) -> bytes | None:
        """Of machines whose characterisation AQT publishes; all pairs of ions are joined."""
        if self._direct or backend.startswith("offline_"):
            return None
        known = self._resource(backend)
        if known.get("characterisation") is None:
            return None
        return calibration(known["characterisation"], int(field(known, "available_qubits", **_asked(backend))))

    def availability(self, backend: str) -> Availability:
        if self._direct:
            ions = field(self._api.get("status/ions"), "num_ions", vendor=TITLE, what="GET /status/ions")
            return Availability(int(ions) > 0, message=f"{words(ions)} ions are loaded.")
        known = self._resource(backend)
        states = ("online", "offline", "maintenance", "unavailable")
        state = one_of(field(known, "status", **_asked(backend)), states, "status", **_asked(backend))
        updated = (known.get("characterisation") or {}).get("updated_at")
        return Availability(state == "online", None, None, updated, "" if state == "online" else state)

    def price(self, parcel: Parcel) -> tuple[str, str] | None:
        return None

    def send(self, parcel: Parcel) -> str:
        request = job_request(parcel.circuits, parcel.shots)
        if self._direct:
            return self._put([each.model_dump(mode="json") for each in request.payload.circuits])
        path = f"v1/submit/{quote(self._place(parcel.backend), safe='')}/{quote(parcel.backend, safe='')}"
        body = request.model_copy(update={"label": parcel.token}).model_dump(mode="json")
        answer = self._api.post(path, body)
        return str(field(answer, "job", "job_id", vendor=TITLE, what="POST /v1/submit"))

    def _put(self, circuits: Sequence[Mapping[str, Any]]) -> str:
        """A machine takes one circuit after the other; their ids together are ours."""
        taken: list[str] = []
        for circuit in circuits:
            try:
                taken.append(self._api.put("circuit", circuit))
            except ProviderError as error:
                if not taken:
                    raise
                message = f"{TITLE} took {len(taken)} of {len(circuits)} circuits ({', '.join(taken)}): {error.message}"
                raise ProviderError(message, "Run fewer circuits at a time.", uncertain=True, cause=error) from error
        return "+".join(taken)

    def find(self, backend: str, token: str) -> Sequence[str]:
        return ()

    def standing(self, backend: str, vendor_id: str) -> Standing:
        if self._direct:
            states = [self._payload(each) for each in vendor_id.split("+")]
            if any(each is not None and each["status"] == "error" for each in states):
                return Standing("failed", message="The machine says: error.")
            return Standing("running" if None in states else "done")
        response = self._response(vendor_id)
        state: Any = _STATES[response["status"]]
        message = words(field(response, "message", vendor=TITLE, what=_RESULT)) if state == "failed" else ""
        return Standing(state, message=message)

    def answer(self, parcel: Parcel, vendor_id: str) -> Answer:
        sent = [prepared(circuit) for circuit in parcel.circuits]
        details = {
            "client": f"qiskit-aqt-provider {metadata.version('qiskit-aqt-provider')}",
            "api": "direct" if self._direct else "v1",
        }
        if self._direct:
            payloads = [self._payload(each) for each in vendor_id.split("+")]
            what = "GET /circuit/result/ID"
            samples = {str(n): field(each or {}, "result", vendor=TITLE, what=what) for n, each in enumerate(payloads)}
            return Answer(_histograms(samples, sent, parcel.shots, what), details=details)
        response = self._response(vendor_id)
        samples = field(response, "result", vendor=TITLE, what=_RESULT)
        ran, waited = _seconds(response.get("timing_data") or ())
        return Answer(_histograms(samples, sent, parcel.shots, _RESULT), ran, waited, details=details)

    def cancel(self, backend: str, vendor_id: str) -> None:
        """By AQT's API, which its client leaves out; a machine that is asked directly has no such call."""
        if self._direct:
            if self.standing(backend, vendor_id).state == "running":
                raise ProviderError(f"{TITLE}'s direct access cannot stop a circuit.", "Wait until it has run.")
            return
        if _STATES[self._response(vendor_id, strictly=False)["status"]] not in ("queued", "running"):
            return
        self._api.delete(f"v1/jobs/{quote(vendor_id, safe='')}")

    def run(self, parcel: Parcel) -> Answer:
        """On AQT's own simulators, in this process."""
        from qiskit_aqt_provider import AQTProvider

        offline = AQTProvider().offline
        simulator = offline.noisy() if parcel.backend == "offline_simulator_noise" else offline.ideal()
        counts = []
        for n, circuit in enumerate(parcel.circuits):
            job = simulator.run(prepared(circuit).circuit, shots=parcel.shots, seed_simulator=parcel.seed + n)
            found = job.result().get_counts()
            counts.append({key.replace(" ", ""): int(count) for key, count in found.items()})
        version = metadata.version("qiskit-aqt-provider")
        return Answer(counts, details={"client": f"qiskit-aqt-provider {version}"})

    def _resource(self, backend: str) -> dict[str, Any]:
        return self._api.get(f"v1/resources/{quote(backend, safe='')}", _RESOURCE_FIELDS)

    def _place(self, backend: str) -> str:
        """The workspace to send to: the site's, or the only one that has the machine."""
        if self._workspace:
            return self._workspace
        what = "GET /v1/workspaces"
        found = [
            str(field(workspace, "id", vendor=TITLE, what=what))
            for workspace in self._api.get_list("v1/workspaces")
            if any(each.get("id") == backend for each in field(workspace, "resources", vendor=TITLE, what=what))
        ]
        if len(found) == 1:
            return found[0]
        if not found:
            raise ProviderError(f"None of your workspaces at {TITLE} has {backend!r}.", "See `qpm backends`.")
        hint = f"Name one of {', '.join(map(words, found))} as `workspace` in the settings of this provider."
        raise ProviderError(f"{backend!r} is in several workspaces at {TITLE}.", hint)

    def _response(self, vendor_id: str, *, strictly: bool = True) -> dict[str, Any]:
        known = (_JOB_FIELDS, {"response": _RESPONSE_FIELDS}) if strictly else ()
        found = self._api.get(f"v1/result/{quote(vendor_id, safe='')}?include_timing_data=true", *known)
        if found.get("message") == "unknown job_id":
            raise http_error(TITLE, "aqt", 404, json.dumps(found), sending=False)
        response: dict[str, Any] = field(found, "response", vendor=TITLE, what=_RESULT)
        one_of(field(response, "status", vendor=TITLE, what=_RESULT), _STATES, "status", vendor=TITLE, what=_RESULT)
        return response

    def _payload(self, vendor_id: str) -> dict[str, Any] | None:
        """Of a machine that is asked directly: it answers when the circuit has run; None while it does not."""
        what = "GET /circuit/result/ID"
        found = self._api.awaited(f"circuit/result/{quote(vendor_id, safe='')}")
        if found is None:
            return None
        payload: dict[str, Any] = field(found, "payload", vendor=TITLE, what=what)
        status = field(payload, "status", vendor=TITLE, what=what)
        one_of(status, ("finished", "error"), "status", vendor=TITLE, what=what)
        return payload


def _asked(backend: str) -> dict[str, str]:
    return {"vendor": TITLE, "what": f"GET /v1/resources/{backend}"}


def _histograms(samples: Any, sent: Sequence[Sent], shots: int, what: str) -> list[dict[str, int]]:
    """Of every circuit, by its place as a string."""
    rows = [field(samples, str(n), vendor=TITLE, what=f"{what} (result)") for n in range(len(sent))]
    return [histogram(each, circuit, shots, what) for each, circuit in zip(rows, sent, strict=True)]


def _seconds(changes: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """Run and queue, by when the job's state changed; 0 where AQT does not say."""
    when = {each["new_status"]: datetime.fromisoformat(each["timestamp"]) for each in changes}

    def between(one: str, other: str) -> float:
        return max(0.0, (when[other] - when[one]).total_seconds()) if {one, other} <= when.keys() else 0.0

    return between("ongoing", "finished"), between("queued", "ongoing")
