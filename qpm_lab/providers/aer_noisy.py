"""The device behind `aer/noisy`: seeded calibrations, routing onto its grid, noise of the qubits used.

It stands for a good superconducting machine of 2026 and for no particular one. The calibrations are
Qiskit's `GenericBackendV2` with errors drawn anew, because its own are several times too good.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import cache
from typing import TYPE_CHECKING, Any

from qpm_lab.circuits.remembered import Remembered
from qpm_lab.providers.aer import NOISY, Ready
from qpm_lab.providers.aer_method import Method, count_operations, state_vector
from qpm_lab.providers.gates import STRUCTURE, rewritten, translation
from qpm_lab.providers.outcomes import Terminal, terminal
from qpm_lab.providers.remembered import nameless
from qpm_lab.providers.targets import add_control_flow, digest

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

DEVICE_SEED = 2026
TRANSPILE_SEED = 11
GRID = (4, 5)
DENSITY_MATRIX_QUBITS = 12
"""Up to here a density matrix gives all shots from one state; beyond it each shot is a trajectory."""
BASIS = frozenset({"cx", "rz", "sx", "x"})
_SUPEROPERATOR_SECONDS = 6e-9
_NOISY_OPERATION_FACTOR = 3
_READOUT = (0.008, 0.025)
"""Range of the probability that a bit is read wrongly."""
_TWO_QUBIT = (0.004, 0.012)
"""Range of the average error of a `cx`."""
_ONE_QUBIT = (0.0001, 0.0005)


def ready(circuit: QuantumCircuit, key: Hashable | None, shots: int) -> Ready:
    """Routes a circuit onto the device and gives it the noise of the qubits it ended on.

    What was done for the same circuit on a device with the same calibrations is not done again.
    """
    calibrations = digest(device().target)
    on_device, qubits = _ROUTED.get(
        key and (calibrations, key), lambda: route(nameless(circuit) if key else circuit), len(circuit.data)
    )
    method = _method(on_device, shots)
    return Ready(
        on_device,
        method,
        f"{method.name} {qubits}",
        _NOISE.get((calibrations, qubits), lambda: noise_model(qubits)),
        {
            "device": "GenericBackendV2 with redrawn errors",
            "device_seed": DEVICE_SEED,
            "transpile_seed": TRANSPILE_SEED,
            "physical_qubits": list(qubits),
            "depth": on_device.depth(),
            "two_qubit_gates": on_device.count_ops().get("cx", 0),
        },
    )


_ROUTED: Remembered[tuple[Any, tuple[int, ...]]] = Remembered()
_NOISE: Remembered[Any] = Remembered(most=64)
_ROUTERS: Remembered[Any] = Remembered(most=4)


def route(circuit: QuantumCircuit) -> tuple[QuantumCircuit, tuple[int, ...]]:
    """The circuit in the device's gates and couplings, on as many qubits as it uses.

    Returns:
        The circuit, and the device qubit behind each of its qubits. Classical bits are as they were.
    """
    # Definitions are opened first, so that a circuit without one is refused by name.
    simple = rewritten(circuit, BASIS | STRUCTURE, NOISY.id)
    if simple is circuit and _is_laid_out(circuit):
        return _compact(circuit)
    router = _ROUTERS.get(digest(device().target), _router)
    return _compact(router.run(simple))


def _is_laid_out(circuit: QuantumCircuit) -> bool:
    """True when somebody has already placed it on this device's qubits; that choice is theirs."""
    target = device().target
    if circuit.num_qubits != target.num_qubits or circuit.has_control_flow_op():
        return False
    index = {bit: i for i, bit in enumerate(circuit.qubits)}
    pairs = target["cx"]
    return all(
        tuple([index[bit] for bit in each.qubits]) in pairs for each in circuit.data if each.operation.name == "cx"
    )


def _compact(circuit: QuantumCircuit) -> tuple[QuantumCircuit, tuple[int, ...]]:
    from qiskit import QuantumCircuit as Circuit
    from qiskit.circuit import Qubit

    used = {bit for each in circuit.data if each.operation.name != "barrier" for bit in each.qubits}
    kept = [bit for bit in circuit.qubits if bit in used] or circuit.qubits[:1]
    compact = Circuit([Qubit() for _ in kept], circuit.clbits, *circuit.cregs)
    for variable in circuit.iter_declared_vars():
        compact.add_uninitialized_var(variable)
    place = dict(zip(kept, compact.qubits, strict=True))
    for each in circuit.data:
        if each.operation.name != "barrier":
            compact.append(each.operation, [place[bit] for bit in each.qubits], each.clbits, copy=False)
    return compact, tuple(circuit.find_bit(bit).index for bit in kept)


def _method(circuit: QuantumCircuit, shots: int) -> Method:
    qubits = circuit.num_qubits
    operations = count_operations(circuit) * _NOISY_OPERATION_FACTOR
    trajectory = state_vector(qubits, operations, sampled=False)
    if qubits > DENSITY_MATRIX_QUBITS or not isinstance(terminal(circuit), Terminal):
        return trajectory
    need = 16.0 * 4**qubits
    setup = operations * (4e-6 + _SUPEROPERATOR_SECONDS * 4**qubits)
    density = Method("density_matrix", qubits, True, need, 16.0, setup, 5e-7)
    return density if density.seconds(shots) < trajectory.seconds(shots) else trajectory


def _router() -> Any:
    from qiskit.transpiler import PassManager
    from qiskit.transpiler.passes import (
        BarrierBeforeFinalMeasurements,
        Optimize1qGatesDecomposition,
        SabreLayout,
    )

    names = BASIS | STRUCTURE
    coupling = device().coupling_map
    layout = SabreLayout(coupling, seed=TRANSPILE_SEED, max_iterations=2, swap_trials=5, layout_trials=5)
    tidy = Optimize1qGatesDecomposition(basis=["rz", "sx", "x"])
    # Without the barrier a swap may follow a measurement, and each shot would have to be computed anew.
    return PassManager([BarrierBeforeFinalMeasurements(), layout, *translation(names), tidy])


@cache
def device() -> Any:
    """The generic backend with this device's calibrations."""
    import numpy as np
    from qiskit.providers.fake_provider import GenericBackendV2
    from qiskit.transpiler import CouplingMap, InstructionProperties

    rows, columns = GRID
    grid = CouplingMap.from_grid(rows, columns)
    backend = GenericBackendV2(rows * columns, coupling_map=grid, noise_info=True, seed=DEVICE_SEED)
    draw = np.random.default_rng(DEVICE_SEED)
    target = backend.target
    for name, span in (("sx", _ONE_QUBIT), ("x", _ONE_QUBIT), ("cx", _TWO_QUBIT), ("measure", _READOUT)):
        for qubits in sorted(target[name]):
            old = target[name][qubits]
            new = InstructionProperties(duration=old.duration, error=float(draw.uniform(*span)))
            target.update_instruction_properties(name, qubits, new)
    add_control_flow(target)
    return backend


def noise_model(qubits: tuple[int, ...]) -> Any:
    """Relaxation, depolarising and readout errors of these device qubits, numbered from 0."""
    from qiskit_aer.noise import NoiseModel
    from qiskit_aer.noise.device import basic_device_gate_errors, basic_device_readout_errors

    target = _restricted(qubits)
    model = NoiseModel(basis_gates=sorted(BASIS))
    for name, where, error in basic_device_gate_errors(target=target):
        model.add_quantum_error(error, name, where, warnings=False)
    for where, readout in basic_device_readout_errors(target=target):
        model.add_readout_error(readout, where, warnings=False)
    return model


def _restricted(qubits: tuple[int, ...]) -> Any:
    """The device's target for some of its qubits; a model of all of them takes seconds to build."""
    from qiskit.transpiler import Target

    whole = device().target
    place = {qubit: i for i, qubit in enumerate(qubits)}
    part = Target(num_qubits=len(qubits), dt=whole.dt, qubit_properties=[whole.qubit_properties[q] for q in qubits])
    for name in sorted((*BASIS, "measure")):
        kept = {
            tuple(place[q] for q in where): properties
            for where, properties in whole[name].items()
            if all(q in place for q in where)
        }
        if kept:
            part.add_instruction(whole.operation_from_name(name), kept)
    return part
