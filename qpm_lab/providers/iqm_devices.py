"""What is known of IQM's machines, and the fake ones that run in this process.

A machine's calibration is the target that IQM's client builds: errors from its quality metrics where the server has
them, unknown otherwise. Those of a fake device are computed from the noise that it simulates. Around a resonator two
qubits are joined by moving one of them there and back; the client's target states that as one `cz`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from qpm_lab.errors import ProviderError
from qpm_lab.providers.vendor import Parcel

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.transpiler import Target

FAKES = {
    "fake_adonis": "IQMFakeAdonis",
    "fake_aphrodite": "IQMFakeAphrodite",
    "fake_apollo": "IQMFakeApollo",
    "fake_deneb": "IQMFakeDeneb",
    "fake_garnet": "IQMFakeGarnet",
}
_OFFERED = ("r", "cz", "measure", "reset", "delay")
_NANO = 1e-9


def is_fake(backend: str) -> bool:
    return backend in FAKES


def described(client: Any) -> Any:
    """The machine with its quality metrics, or without them where the server has none."""
    from exa.common.errors.iqm_error import ForbiddenError, NotFoundError
    from iqm.qiskit_iqm.iqm_provider import IQMBackend

    try:
        return IQMBackend(client, use_metrics=True)
    except (NotFoundError, ForbiddenError):
        return IQMBackend(client)


def calibrated_at(client: Any) -> str | None:
    """When the default calibration was measured, RFC 3339 UTC; None where the server has no quality metrics."""
    from datetime import UTC

    from exa.common.errors.iqm_error import ForbiddenError, NotFoundError

    try:
        made = client.get_quality_metric_set().created_timestamp
    except (NotFoundError, ForbiddenError):
        return None
    known = made if made.tzinfo else made.replace(tzinfo=UTC)
    return str(known.astimezone(UTC).isoformat(timespec="seconds")).replace("+00:00", "Z")


def content(target: Target) -> bytes:
    """A target as a calibration, with what circuits may use and no impossible error."""
    from qiskit.transpiler import Target as Offer

    from qpm_lab.providers.calibrations import of_target

    offer = Offer(num_qubits=target.num_qubits, qubit_properties=target.qubit_properties)
    for name in _OFFERED:
        if name in target.operation_names:
            places = {where: _possible(known) for where, known in target[name].items()}
            offer.add_instruction(target.operation_from_name(name), places, name=name)
    return of_target(offer).content


def _possible(known: Any) -> Any:
    from qiskit.transpiler import InstructionProperties

    if known is None or known.error is None or 0 <= known.error <= 1:
        return known
    return InstructionProperties(duration=known.duration)


@cache
def fake(backend: str) -> Any:
    """A fake device of the client.

    Raises:
        ProviderError: there is none of that name.
    """
    if backend not in FAKES:
        raise ProviderError(f"iqm/{backend} does not run on this machine.", f"These do: iqm/{', iqm/'.join(FAKES)}.")
    module = import_module(f"iqm.qiskit_iqm.fake_backends.{backend}")
    return getattr(module, FAKES[backend])()


@cache
def fake_calibration(backend: str) -> bytes:
    """The fake device's gates, with the average errors of the noise that it simulates."""
    from iqm.qiskit_iqm.iqm_target import IQMTarget

    device = fake(backend)
    places = {name: device.qubit_name_to_index(name) for name in device.physical_qubits}
    metrics: Any = FakeMetrics(device.error_profile)
    target = IQMTarget(
        architecture=device.architecture,
        component_to_idx=places,
        include_resonators=False,
        include_fictional_czs=True,
        metrics=metrics,
    )
    return content(target)


class FakeMetrics:
    """An error profile, asked as IQM's target asks quality metrics; times in seconds."""

    def __init__(self, profile: Any) -> None:
        self._profile = profile
        self._durations = profile.single_qubit_gate_durations | profile.two_qubit_gate_durations
        self._depolarizing = _by_locus(profile)

    def get_coherence_times(self, components: Iterable[str]) -> tuple[dict[str, float], dict[str, float]]:
        names, profile = list(components), self._profile
        return {n: profile.t1s[n] * _NANO for n in names}, {n: profile.t2s[n] * _NANO for n in names}

    def get_qubit_frequency(self, qubit: str) -> float | None:
        return None

    def get_gate_duration(self, gate: str, implementation: str, locus: tuple[str, ...]) -> float | None:
        nanoseconds = self._durations.get(gate)
        return None if nanoseconds is None else nanoseconds * _NANO

    def get_gate_fidelity(self, gate: str, implementation: str, locus: tuple[str, ...]) -> float | None:
        """Average gate fidelity of relaxation followed by depolarization; of `measure`, that of readout."""
        if gate == "measure":
            wrong = self._profile.readout_errors[locus[0]]
            return 1.0 - float(wrong["0"] + wrong["1"]) / 2
        strength = self._depolarizing.get((gate, locus))
        return None if strength is None else self._fidelity(gate, locus, strength)

    def _fidelity(self, gate: str, locus: tuple[str, ...], strength: float) -> float:
        from qiskit.quantum_info import SuperOp, average_gate_fidelity
        from qiskit_aer.noise.errors import depolarizing_error

        relaxations = [self._profile.thermal_relaxation(each, self._durations[gate]) for each in locus]
        channel = relaxations[0]
        for further in relaxations[1:]:
            channel = channel.tensor(further)
        return float(average_gate_fidelity(SuperOp(channel.compose(depolarizing_error(strength, len(locus))))))


def _by_locus(profile: Any) -> Mapping[tuple[str, tuple[str, ...]], float]:
    single = profile.single_qubit_gate_depolarizing_error_parameters
    double = profile.two_qubit_gate_depolarizing_error_parameters
    found = {(gate, (qubit,)): value for gate, places in single.items() for qubit, value in places.items()}
    return found | {(gate, tuple(locus)): value for gate, places in double.items() for locus, value in places.items()}


def fake_counts(parcel: Parcel) -> list[Mapping[str, int]]:
    """Histograms of a parcel's circuits, sampled with the parcel's seed under the fake device's noise."""
    from qiskit_aer import AerSimulator

    device = fake(parcel.backend)
    circuits = [_as_simulated(circuit, device) for circuit in parcel.circuits]
    simulator = AerSimulator(noise_model=device.noise_model)
    result = simulator.run(circuits, shots=parcel.shots, seed_simulator=parcel.seed % 2**32).result()
    if not result.success:
        raise ProviderError(f"iqm/{parcel.backend} cannot simulate the circuit: {result.status}", "Use fewer qubits.")
    return [result.get_counts(n) for n in range(len(circuits))]


def _as_simulated(circuit: QuantumCircuit, device: Any) -> QuantumCircuit:
    """The circuit through the device's resonator, where it has one, in gates that the simulator knows."""
    if not device.has_resonators():
        return circuit
    from iqm.qiskit_iqm.iqm_naive_move_pass import IQMNaiveResonatorMoving
    from iqm.qiskit_iqm.iqm_transpilation import IQMReplaceGateWithUnitaryPass
    from iqm.qiskit_iqm.move_gate import MOVE_GATE_UNITARY
    from qiskit.transpiler import PassManager

    passes = [IQMNaiveResonatorMoving(device.target), IQMReplaceGateWithUnitaryPass("move", MOVE_GATE_UNITARY)]
    simulated: QuantumCircuit = PassManager(passes).run(circuit)
    return simulated
