"""IBM's machines, and the snapshots of them that its client brings along.

A snapshot runs in our own process apart on Aer, with the noise of the qubits that a circuit uses: a model of all 156
takes seconds to build and gives the same counts.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from qpm_lab.errors import CapacityError, ProviderError
from qpm_lab.experiment import BackendInfo
from qpm_lab.providers.vendor import Parcel

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.transpiler import Target

_GATES = ("cz", "ecr", "cx", "id", "rz", "sx", "x")
KNOWN = frozenset((*_GATES, "measure", "reset", "delay", "if_else", "for_loop", "switch_case"))
"""Instructions that are used. Fractional gates (`rzz`, `rx`) are not: they take only some angles; `measure_2` is no
instruction of Qiskit."""
MOST_QUBITS = 26
"""Of a noisy simulation; its state takes one gibibyte."""


def _qpu(name: str, qubits: int, gate: str, family: str, region: str) -> BackendInfo:
    return BackendInfo(
        id=f"ibm/{name}",
        description=f"{family}, {qubits} qubits",
        qubits=qubits,
        kind="qpu",
        local=False,
        noisy=True,
        gates=_gates(gate),
        region=region,
        legal_seat="US",
    )


def _fake(name: str, qubits: int, gate: str, taken: str) -> BackendInfo:
    return BackendInfo(
        id=f"ibm/{name}",
        description=f"Snapshot of ibm_{name.removeprefix('fake_')} of {taken}, simulated here",
        qubits=qubits,
        kind="simulator",
        local=True,
        noisy=True,
        gates=_gates(gate),
    )


def _gates(two_qubit: str) -> tuple[str, ...]:
    return (two_qubit, "id", "rz", "sx", "x")


BACKENDS = (
    _qpu("ibm_aachen", 156, "cz", "Heron r3", "eu-de"),
    _qpu("ibm_boston", 156, "cz", "Heron r3", "us-east"),
    _qpu("ibm_fez", 156, "cz", "Heron r2", "us-east"),
    _qpu("ibm_kingston", 156, "cz", "Heron r2", "us-east"),
    _qpu("ibm_marrakesh", 156, "cz", "Heron r2", "us-east"),
    _qpu("ibm_pittsburgh", 156, "cz", "Heron r3", "us-east"),
    _qpu("ibm_torino", 133, "cz", "Heron r1", "us-east"),
    _fake("fake_aachen", 156, "cz", "2026-04-17"),
    _fake("fake_boston", 156, "cz", "2026-04-17"),
    _fake("fake_brisbane", 127, "ecr", "2025-02-26"),
    _fake("fake_fez", 156, "cz", "2025-02-26"),
    _fake("fake_guadalupe", 16, "cx", "2021-04-20"),
    _fake("fake_kingston", 156, "cz", "2026-04-15"),
    _fake("fake_manila", 5, "cx", "2024-05-27"),
    _fake("fake_marrakesh", 156, "cz", "2025-02-26"),
    _fake("fake_miami", 120, "cz", "2026-04-17"),
    _fake("fake_nairobi", 7, "cx", "2024-05-27"),
    _fake("fake_pittsburgh", 156, "cz", "2026-04-17"),
    _fake("fake_sherbrooke", 127, "ecr", "2025-02-26"),
    _fake("fake_torino", 133, "cz", "2025-02-26"),
)


@cache
def snapshot(name: str) -> Target:
    """The target of a snapshot by its name, for example `fake_torino`.

    Raises:
        ProviderError: The client has no such snapshot.
    """
    from qiskit_ibm_runtime import fake_provider

    title = f"Fake{name.removeprefix('fake_').title()}"
    made = getattr(fake_provider, f"{title}V2", None) or getattr(fake_provider, title, None)
    if made is None:
        raise ProviderError(f"IBM's client has no snapshot {name[:80]!r}.", "qpm backends lists those it has.")
    return usable(made().target)


def usable(target: Target) -> Target:
    """The part of a machine's target that circuits are translated to."""
    from qiskit.transpiler import Target as Made

    part = Made(num_qubits=target.num_qubits, dt=target.dt, qubit_properties=target.qubit_properties)
    for name in sorted(KNOWN & set(target.operation_names)):
        places = target[name]
        part.add_instruction(target.operation_from_name(name), None if None in places else dict(places), name=name)
    return part


def content(target: Target) -> bytes:
    """A target as the calibration that our side reads."""
    from qpm_lab.providers.calibrations import of_target

    return of_target(usable(target)).content


def simulated(parcel: Parcel) -> list[dict[str, int]]:
    """Counts of each circuit on the snapshot that the parcel names.

    Raises:
        CapacityError: A circuit uses more qubits than can be simulated with noise.
        ProviderError: The simulator refused it.
    """
    target = snapshot(parcel.backend)
    return [_counts(circuit, parcel, target, parcel.seed + n) for n, circuit in enumerate(parcel.circuits)]


def _counts(circuit: QuantumCircuit, parcel: Parcel, target: Target, seed: int) -> dict[str, int]:
    from qiskit_aer import AerSimulator

    small, qubits = _compact(circuit)
    if small.num_qubits > MOST_QUBITS:
        raise CapacityError(
            f"ibm/{parcel.backend} simulates circuits that use at most {MOST_QUBITS} qubits with noise, "
            f"not {small.num_qubits}.",
            f"It would need {16 * 2**small.num_qubits / 2**30:,.0f} GiB. Use fewer qubits, or stim for Clifford ones.",
        )
    simulator = AerSimulator(noise_model=_noise(parcel.backend, qubits), max_parallel_experiments=1)
    result = simulator.run(small, shots=parcel.shots, seed_simulator=seed % 2**31).result()
    if not result.success:
        raise ProviderError(f"The simulation of ibm/{parcel.backend} failed: {result.status[:300]}", "Simplify it.")
    return {key.replace(" ", ""): int(n) for key, n in result.get_counts().items()}


def _compact(circuit: QuantumCircuit) -> tuple[QuantumCircuit, tuple[int, ...]]:
    """The circuit on the qubits that it uses, and their numbers on the machine."""
    from qiskit import QuantumCircuit as Made
    from qiskit.circuit import Qubit

    acting = [each for each in circuit.data if each.name != "barrier"]
    used = {bit for each in acting for bit in each.qubits}
    kept = [bit for bit in circuit.qubits if bit in used] or circuit.qubits[:1]
    small = Made([Qubit() for _ in kept], circuit.clbits, *circuit.cregs)
    place = dict(zip(kept, small.qubits, strict=True))
    for each in acting:
        small.append(each.operation, [place[bit] for bit in each.qubits], each.clbits, copy=False)
    return small, tuple(circuit.find_bit(bit).index for bit in kept)


@cache
def _noise(name: str, qubits: tuple[int, ...]) -> Any:
    """Gate errors, relaxation and readout errors of some qubits of a snapshot, numbered from 0."""
    from qiskit.circuit import Delay
    from qiskit_aer.noise import NoiseModel, RelaxationNoisePass
    from qiskit_aer.noise.device import basic_device_gate_errors, basic_device_readout_errors

    target = _part(snapshot(name), qubits)
    model = NoiseModel(basis_gates=sorted(set(target.operation_names) - {"measure"}))
    for gate, where, error in basic_device_gate_errors(target=target):
        model.add_quantum_error(error, gate, where, warnings=False)
    for where, readout in basic_device_readout_errors(target=target):
        model.add_readout_error(readout, where, warnings=False)
    times = [(each.t1, each.t2) for each in target.qubit_properties]
    if all(t1 and t2 for t1, t2 in times):
        idling = RelaxationNoisePass([t1 for t1, _ in times], [t2 for _, t2 in times], dt=target.dt, op_types=Delay)
        model._custom_noise_passes.append(idling)
    return model


def _part(whole: Target, qubits: tuple[int, ...]) -> Target:
    from qiskit.transpiler import Target as Made

    place = {qubit: i for i, qubit in enumerate(qubits)}
    part = Made(num_qubits=len(qubits), dt=whole.dt, qubit_properties=[whole.qubit_properties[q] for q in qubits])
    for name in whole.operation_names:
        places = whole[name]
        if None in places:
            part.add_instruction(whole.operation_from_name(name), name=name)
            continue
        kept = {
            tuple(place[q] for q in where): properties
            for where, properties in places.items()
            if all(q in place for q in where)
        }
        if kept:
            part.add_instruction(whole.operation_from_name(name), kept, name=name)
    return part
