"""The device behind `aer/noisy`: seeded calibrations, routing onto its grid, noise of the qubits used.

It stands for a good superconducting machine of 2026 and for no particular one.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import cache
from typing import TYPE_CHECKING, Any

from qpm_lab.circuits.remembered import Remembered
from qpm_lab.providers.aer import NOISY, Ready
from qpm_lab.providers.aer_method import Method, count_operations, state_vector
from qpm_lab.providers.generic_device import BASIS, Errors, draw
from qpm_lab.providers.outcomes import Terminal, terminal
from qpm_lab.providers.remembered import nameless
from qpm_lab.providers.routing import TRANSPILE_SEED, compact, on_device, swapping_router
from qpm_lab.providers.targets import digest

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

DEVICE_SEED = 2026
GRID = (4, 5)
ERRORS = Errors(one_qubit=(0.0001, 0.0005), two_qubit=(0.004, 0.012), readout=(0.008, 0.025))
DENSITY_MATRIX_QUBITS = 12
"""Up to here a density matrix gives all shots from one state; beyond it each shot is a trajectory."""
_SUPEROPERATOR_SECONDS = 6e-9
_NOISY_OPERATION_FACTOR = 3


def ready(circuit: QuantumCircuit, key: Hashable | None, shots: int) -> Ready:
    """Routes a circuit onto the device and gives it the noise of the qubits it ended on.

    What was done for the same circuit on a device with the same calibrations is not done again.
    """
    calibrations = digest(device().target)
    small, qubits = _ROUTED.get(
        key and (calibrations, key), lambda: route(nameless(circuit) if key else circuit), len(circuit.data)
    )
    method = _method(small, shots)
    return Ready(
        small,
        method,
        f"{method.name} {qubits}",
        _NOISE.get((calibrations, qubits), lambda: noise_model(qubits)),
        {
            "device": "GenericBackendV2 with redrawn errors",
            "device_seed": DEVICE_SEED,
            "transpile_seed": TRANSPILE_SEED,
            "physical_qubits": list(qubits),
            "depth": small.depth(),
            "two_qubit_gates": small.count_ops().get("cx", 0),
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
    return compact(routed(circuit))


def routed(circuit: QuantumCircuit) -> QuantumCircuit:
    """The circuit in the device's gates and couplings, on the device's own qubits."""
    return on_device(circuit, NOISY.id, device().target, _ROUTERS, lambda: swapping_router(device().coupling_map))


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


@cache
def device() -> Any:
    """The generic backend with this device's calibrations."""
    return draw(GRID, ERRORS, DEVICE_SEED, decides=True)


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
