"""Brings circuits onto a device's qubits: routed as a whole, left alone when they are there, cut to those they use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qpm_lab.errors import CircuitError
from qpm_lab.providers.gates import STRUCTURE, rewritten, translation
from qpm_lab.providers.generic_device import BASIS
from qpm_lab.providers.targets import digest

if TYPE_CHECKING:
    from collections.abc import Callable

    from qiskit import QuantumCircuit
    from qiskit.transpiler import Target

    from qpm_lab.circuits.remembered import Remembered

TRANSPILE_SEED = 11
_SEARCH_STEPS = 100_000
"""Of the search for a place where no swap is needed; a number of steps, since a time would not be reproducible."""


def on_device(
    circuit: QuantumCircuit, runner: str, target: Target, routers: Remembered[Any], make: Callable[[], Any]
) -> QuantumCircuit:
    """The circuit in the device's gates and couplings, on all of its qubits; one that is there already is kept.

    Args:
        circuit: Any circuit that fits.
        runner: The backend's id, for the error.
        target: The device.
        routers: Where its pass manager is kept.
        make: Makes the pass manager.

    Raises:
        CircuitError: An instruction has no definition in the device's gates.
    """
    # Definitions are opened first, so that a circuit without one is refused by name.
    simple = rewritten(circuit, BASIS | STRUCTURE, runner)
    if simple is circuit and is_laid_out(circuit, target):
        return circuit
    routed: QuantumCircuit = routers.get((runner, digest(target)), make).run(simple)
    return routed


def on_target(circuit: QuantumCircuit, runner: str, target: Target) -> QuantumCircuit:
    """The circuit in a machine's gates, on its qubits where not every pair of them is coupled.

    Args:
        circuit: Any circuit that fits.
        runner: The backend's id, for the error.
        target: The machine.

    Raises:
        CircuitError: An instruction has no definition in the machine's gates.
    """
    from qiskit.exceptions import QiskitError
    from qiskit.transpiler import PassManager

    if _is_ready(circuit, target):
        return circuit
    coupling = target.build_coupling_map()
    try:
        routed: QuantumCircuit = PassManager(_machine_passes(target, coupling)).run(circuit)
    except QiskitError as error:
        raise CircuitError(
            f"{runner} cannot run this circuit: {error.message}",
            "Replace the instruction by standard gates, for example with circuit.decompose().",
            cause=error,
        ) from error
    return routed


def _is_ready(circuit: QuantumCircuit, target: Target) -> bool:
    """True when every operation is the machine's own, where it stands."""
    if circuit.num_qubits != target.num_qubits or circuit.has_control_flow_op():
        return False
    index = {bit: i for i, bit in enumerate(circuit.qubits)}
    return all(
        each.name == "barrier" or target.instruction_supported(each.name, tuple([index[bit] for bit in each.qubits]))
        for each in circuit.data
    )


def _machine_passes(target: Target, coupling: Any) -> list[Any]:
    from qiskit.circuit.equivalence_library import StandardEquivalenceLibrary as library
    from qiskit.transpiler.passes import (
        BarrierBeforeFinalMeasurements,
        BasisTranslator,
        GateDirection,
        Optimize1qGatesDecomposition,
        SabreLayout,
        Unroll3qOrMore,
        UnrollCustomDefinitions,
    )

    names = sorted(target.operation_names)
    simple = [UnrollCustomDefinitions(library, target=target), Unroll3qOrMore(target=target)]
    translated = [BasisTranslator(library, names, target=target), Optimize1qGatesDecomposition(target=target)]
    if coupling is None:
        return [*simple, *translated]
    placed = SabreLayout(target, seed=TRANSPILE_SEED, max_iterations=2, swap_trials=5, layout_trials=5)
    directed = [GateDirection(coupling, target), *translated]
    return [*simple, BarrierBeforeFinalMeasurements(), placed, *translated, *directed]


def is_laid_out(circuit: QuantumCircuit, target: Target) -> bool:
    """True when somebody has already placed it on this device's qubits; that choice is theirs."""
    if circuit.num_qubits != target.num_qubits or circuit.has_control_flow_op():
        return False
    index = {bit: i for i, bit in enumerate(circuit.qubits)}
    pairs = target["cx"]
    return all(tuple([index[bit] for bit in each.qubits]) in pairs for each in circuit.data if each.name == "cx")


def compact(circuit: QuantumCircuit) -> tuple[QuantumCircuit, tuple[int, ...]]:
    """The circuit on the qubits that it uses, without its barriers.

    Returns:
        The circuit, and the device qubit behind each of its qubits. Classical bits are as they were.
    """
    from qiskit import QuantumCircuit as Circuit
    from qiskit.circuit import Qubit

    used = {bit for each in circuit.data if each.name != "barrier" for bit in each.qubits}
    kept = [bit for bit in circuit.qubits if bit in used] or circuit.qubits[:1]
    small = Circuit([Qubit() for _ in kept], circuit.clbits, *circuit.cregs)
    for variable in circuit.iter_declared_vars():
        small.add_uninitialized_var(variable)
    place = dict(zip(kept, small.qubits, strict=True))
    for each in circuit.data:
        if each.name != "barrier":
            small.append(each.operation, [place[bit] for bit in each.qubits], each.clbits, copy=False)
    return small, tuple(circuit.find_bit(bit).index for bit in kept)


def swapping_router(coupling: Any) -> Any:
    """Passes that place a circuit on a device and move its qubits together by swaps."""
    from qiskit.transpiler import PassManager
    from qiskit.transpiler.passes import BarrierBeforeFinalMeasurements

    # Without the barrier a swap may follow a measurement, and each shot would have to be computed anew.
    return PassManager([BarrierBeforeFinalMeasurements(), _sabre(coupling), *_finish()])


def placing_router(coupling: Any) -> Any:
    """The same, which first looks for a place where no swap is needed: a chain on a grid has one."""
    from qiskit.passmanager import ConditionalController
    from qiskit.transpiler import PassManager
    from qiskit.transpiler.passes import (
        ApplyLayout,
        BarrierBeforeFinalMeasurements,
        EnlargeWithAncilla,
        FullAncillaAllocation,
        VF2Layout,
    )

    place = VF2Layout(coupling_map=coupling, seed=-1, call_limit=_SEARCH_STEPS, max_trials=1)
    spread = [FullAncillaAllocation(coupling), EnlargeWithAncilla(), ApplyLayout()]
    steps = [
        BarrierBeforeFinalMeasurements(),
        place,
        ConditionalController(spread, condition=lambda found: found["layout"] is not None),
        ConditionalController([_sabre(coupling)], condition=lambda found: found["layout"] is None),
    ]
    return PassManager([*steps, *_finish()])


def _sabre(coupling: Any) -> Any:
    from qiskit.transpiler.passes import SabreLayout

    return SabreLayout(coupling, seed=TRANSPILE_SEED, max_iterations=2, swap_trials=5, layout_trials=5)


def _finish() -> list[Any]:
    from qiskit.transpiler.passes import Optimize1qGatesDecomposition

    return [*translation(BASIS | STRUCTURE), Optimize1qGatesDecomposition(basis=["rz", "sx", "x"])]
