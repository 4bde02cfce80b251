"""IQM, by its own client: the machines of Resonance (or of a site's own IQM Server), and its fake devices.

The client sends a job with exactly one POST and never repeats it. IQM's API knows neither names, tags nor idempotency
keys of jobs, and lists none: a job whose answer was lost cannot be found again. The token goes out as the name of the
circuits, so that a person can recognise the job's content at the vendor.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from qpm_lab.errors import ProviderError
from qpm_lab.experiment import BackendInfo
from qpm_lab.providers.answers import checked_counts, words
from qpm_lab.providers.vendor import Access, Answer, Availability, Durability, Parcel, Standing, Vendor

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

ADDRESS = "https://resonance.iqm.tech"
API = "v1"
TITLE = "IQM"
REQUEST_SECONDS = "60"
"""Of one request; the client's own default is longer than a call may take here."""
_STATES: Mapping[str, Literal["queued", "running", "done", "failed", "cancelled"]] = {
    "waiting": "queued",
    "processing": "running",
    "completed": "done",
    "failed": "failed",
    "cancelled": "cancelled",
}


def _machine(name: str, qubits: int, described: str) -> BackendInfo:
    return BackendInfo(
        id=f"iqm/{name}",
        description=described,
        qubits=qubits,
        kind="qpu",
        local=False,
        noisy=True,
        gates=("r", "cz"),
        region="EU (IQM Resonance)",
        legal_seat="FI",
    )


def _fake(name: str, qubits: int, described: str) -> BackendInfo:
    return BackendInfo(
        id=f"iqm/fake_{name}",
        description=f"Noisy simulation of {described}, by IQM's client on this machine",
        qubits=qubits,
        kind="simulator",
        local=True,
        noisy=True,
        gates=("r", "cz"),
    )


VENDOR = Vendor(
    name="iqm",
    title=TITLE,
    client="qpm_lab.providers.iqm:IqmClient",
    module="iqm.qiskit_iqm",
    packages=("iqm-client[qiskit]>=36,<37", "qiskit>=2.1,<2.2", "qiskit-aer>=0.17.2,<0.18"),
    secrets=("token",),
    backends=(
        _machine("garnet", 20, "IQM Garnet: 20 qubits on a square lattice"),
        _machine("emerald", 54, "IQM Emerald: 54 qubits on a square lattice"),
        _machine("sirius", 16, "IQM Sirius: 16 qubits around one resonator"),
        _fake("adonis", 5, "IQM Adonis"),
        _fake("deneb", 6, "IQM Deneb, six qubits around a resonator"),
        _fake("garnet", 20, "IQM Garnet"),
        _fake("apollo", 20, "IQM Apollo"),
        _fake("aphrodite", 54, "IQM Aphrodite"),
    ),
    durability=Durability("none", how="no list of jobs, names or keys; the token names the circuits inside the job"),
    most_circuits=50,
)


class IqmClient:
    """IQM's own client behind the interface of `qpm_lab.providers.vendor.Client`.

    Args:
        access: `secrets["token"]`; `url` of another IQM Server; settings `use_timeslot` for reserved time and
            `unknown_fields`: `allow` reads answers with fields that nobody here has read about, refused otherwise.
    """

    def __init__(self, access: Access) -> None:
        os.environ["IQM_CLIENT_REQUESTS_TIMEOUT"] = REQUEST_SECONDS
        self._url = access.url or ADDRESS
        self._token = access.secrets.get("token") or None
        self._use_timeslot = access.options.get("use_timeslot") is True
        self._unknown_fields = access.options.get("unknown_fields") == "allow"
        self._clients: dict[str, Any] = {}

    def calibration(self, backend: str) -> bytes | None:
        """Gates, couplings, errors, durations and coherence times as IQM states them; see `iqm_devices`."""
        from qpm_lab.providers import iqm_devices

        if iqm_devices.is_fake(backend):
            return iqm_devices.fake_calibration(backend)
        with _speaking("GET calibration-sets"):
            return iqm_devices.content(iqm_devices.described(self._client(backend)).target)

    def availability(self, backend: str) -> Availability:
        """IQM's words on the machine's health, whose form its API leaves open, and when it was calibrated."""
        from qpm_lab.providers import iqm_devices

        if iqm_devices.is_fake(backend):
            return Availability(True)
        client = self._client(backend)
        with _speaking("GET quantum-computers/NAME/health"):
            message = words(json.dumps(client.get_health()))
        with _speaking("GET calibration-sets"):
            return Availability(calibrated_at=iqm_devices.calibrated_at(client), message=message)

    def price(self, parcel: Parcel) -> tuple[str, str] | None:
        """IQM serves no estimate."""
        return None

    def send(self, parcel: Parcel) -> str:
        """One POST; all that is asked before it leaves no doubt that nothing was sent."""
        try:
            client = self._client(parcel.backend)
            definition = _definition(client, parcel)
        except ProviderError as error:
            # Nothing was sent yet: what would be a doubt afterwards may simply be tried again.
            error.retryable, error.uncertain = error.retryable or error.uncertain, False
            raise
        with _speaking(f"POST jobs/{parcel.backend}/circuit", sending=True):
            return str(client.submit_circuit_job(definition, use_timeslot=self._use_timeslot).job_id)

    def find(self, backend: str, token: str) -> Sequence[str]:
        """Nothing: IQM's API lists no jobs."""
        return ()

    def standing(self, backend: str, vendor_id: str) -> Standing:
        """State, queue position and, of a failed job, IQM's own words."""
        job = self._job(backend, vendor_id)
        message = words("; ".join(each.message for each in job.errors))
        return Standing(_STATES[job.status.value], job.queue_position, message)

    def answer(self, parcel: Parcel, vendor_id: str) -> Answer:
        """Histograms over all of each circuit's bits; times are IQM's own time line."""
        client = self._client(parcel.backend)
        with _speaking("GET jobs/ID/artifacts/measurement_counts"):
            came = client.get_job_measurement_counts(_id(vendor_id))
        if len(came) != len(parcel.circuits):
            raise ProviderError(
                f"{TITLE}'s answer has {len(came)} histograms for {len(parcel.circuits)} circuits.", "Report it to IQM."
            )
        counts = [
            _histogram(each.measurement_keys, each.counts, circuit, parcel.shots)
            for each, circuit in zip(came, parcel.circuits, strict=True)
        ]
        times = {each.status: each.timestamp for each in self._job(parcel.backend, vendor_id).timeline}
        return Answer(
            counts,
            run_seconds=_between(times, "execution_started", "execution_ended"),
            queue_seconds=_between(times, "created", "execution_started"),
            details=_versions(),
        )

    def cancel(self, backend: str, vendor_id: str) -> None:
        """Cancels or interrupts it; one that has ended is left as it is."""
        with _speaking("POST jobs/ID/cancel"):
            self._client(backend).cancel_job(_id(vendor_id))

    def run(self, parcel: Parcel) -> Answer:
        """On one of the client's fake devices, in this process."""
        from qpm_lab.providers import iqm_devices

        counts = iqm_devices.fake_counts(parcel)
        width = [circuit.num_clbits for circuit in parcel.circuits]
        checked = [
            checked_counts(each, bits, parcel.shots, vendor=TITLE, what="its fake device")
            for each, bits in zip(counts, width, strict=True)
        ]
        return Answer(checked, details=_versions())

    def _client(self, backend: str) -> Any:
        """The client of one machine, which asks for it by name when it is made."""
        if backend not in self._clients:
            from qpm_lab.providers.iqm_api import connected

            with _speaking("GET quantum-computers"):
                self._clients[backend] = connected(self._url, backend, self._token, unknown_fields=self._unknown_fields)
        return self._clients[backend]

    def _job(self, backend: str, vendor_id: str) -> Any:
        client, number = self._client(backend), _id(vendor_id)
        with _speaking("GET jobs/ID"):
            return client.get_job(number).job_data


@contextmanager
def _speaking(what: str, *, sending: bool = False) -> Iterator[None]:
    """Turns whatever the client raises into a ProviderError that says what it means for the job."""
    try:
        yield
    except ProviderError:
        raise
    except Exception as error:
        from qpm_lab.providers.iqm_errors import failure

        raise failure(error, what, sending=sending) from error


def _definition(client: Any, parcel: Parcel) -> Any:
    """The job as it will be sent, on the calibration that it was checked with."""
    from iqm.iqm_client.transpile import transpile_insert_moves
    from iqm.qiskit_iqm.iqm_provider import IQMBackend

    with _speaking("GET calibration-sets/NAME/default/dynamic-quantum-architecture"):
        machine = IQMBackend(client)
    try:
        written = [machine.serialize_circuit(each.copy(name=parcel.token)) for each in parcel.circuits]
        # On a star, two-qubit gates go through the resonator; elsewhere this changes nothing.
        moved = [transpile_insert_moves(each, machine.architecture) for each in written]
    except (ValueError, KeyError, RuntimeError) as error:
        raise _unfit(parcel.backend, error) from error
    with _speaking("GET calibration-sets/NAME/ID/dynamic-quantum-architecture"):
        chosen = machine.architecture.calibration_set_id
        return client.create_circuit_job_definition(moved, calibration_set_id=chosen, shots=parcel.shots)


def _unfit(backend: str, error: Exception) -> ProviderError:
    return ProviderError(
        f"iqm/{backend} cannot run the circuit as it is calibrated now: {words(error)}",
        "It may have been calibrated anew since the circuit was placed on it; submit the job again.",
        cause=error,
    )


def _histogram(
    keys: Sequence[str], counts: Mapping[str, int], circuit: QuantumCircuit, shots: int
) -> Mapping[str, int]:
    """Outcomes over all bits of `c`; IQM writes one character per measurement, the first leftmost."""
    from iqm.qiskit_iqm.qiskit_to_iqm import MeasurementKey

    what = "GET jobs/ID/artifacts/measurement_counts"
    expected = {
        str(MeasurementKey.from_clbit(each.clbits[0], circuit)): circuit.find_bit(each.clbits[0]).index
        for each in circuit.data
        if each.name == "measure"
    }
    if sorted(keys) != sorted(expected):
        odd = words(", ".join(sorted(set(keys) ^ set(expected))) or "a repeated one")
        raise ProviderError(
            f"{TITLE}'s answer to {what} has other measurement_keys than were sent: {odd}.", "Report it."
        )
    checked = checked_counts(counts, len(keys), shots, vendor=TITLE, what=what)
    found: dict[str, int] = {}
    for outcome, number in checked.items():
        bits = ["0"] * circuit.num_clbits
        for key, bit in zip(keys, outcome, strict=True):
            bits[-1 - expected[key]] = bit
        whole = "".join(bits)
        found[whole] = found.get(whole, 0) + number
    return found


def _between(times: Mapping[str, Any], begin: str, end: str) -> float:
    """Seconds between two entries of a job's time line; 0 when IQM does not give both."""
    if begin not in times or end not in times:
        return 0.0
    return max(0.0, float((times[end] - times[begin]).total_seconds()))


def _id(vendor_id: str) -> UUID:
    try:
        return UUID(vendor_id)
    except ValueError as error:
        message = f"{words(vendor_id)!r} is no id of an {TITLE} job."
        raise ProviderError(message, "IQM's ids are UUIDs.", cause=error) from error


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {"client": f"iqm-client {version('iqm-client')}", "api": API}
