"""Devices that stand for no particular machine: a grid of qubits with calibrations drawn from a seed.

They are Qiskit's `GenericBackendV2` with errors drawn anew, because its own are several times too good.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from qpm_lab.providers.targets import add_control_flow

BASIS = frozenset({"cx", "rz", "sx", "x"})
"""Gates of every such device; `rz` is a change of frame and has no error."""
_LISTED = 100
"""Circuits whose place on a device is recorded one by one."""


@dataclass(frozen=True, slots=True)
class Errors:
    """Ranges from which a device's errors are drawn, evenly."""

    one_qubit: tuple[float, float]
    """Average error of `sx` and `x`."""
    two_qubit: tuple[float, float]
    """Average error of a `cx`."""
    readout: tuple[float, float]
    """Probability that a bit is read wrongly."""


def draw(grid: tuple[int, int], errors: Errors, seed: int, *, decides: bool) -> Any:
    """A device with its calibrations in `target`; the same arguments always give the same.

    Args:
        grid: Rows and columns of its qubits.
        errors: Their ranges.
        seed: Of the drawing.
        decides: Whether it runs loops and decisions on measured bits.
    """
    import numpy as np
    from qiskit.providers.fake_provider import GenericBackendV2
    from qiskit.transpiler import CouplingMap, InstructionProperties

    rows, columns = grid
    coupling = CouplingMap.from_grid(rows, columns)
    backend = GenericBackendV2(rows * columns, coupling_map=coupling, noise_info=True, seed=seed)
    numbers = np.random.default_rng(seed)
    target = backend.target
    spans = (("sx", errors.one_qubit), ("x", errors.one_qubit), ("cx", errors.two_qubit), ("measure", errors.readout))
    for name, span in spans:
        for qubits in sorted(target[name]):
            old = target[name][qubits]
            new = InstructionProperties(duration=old.duration, error=float(numbers.uniform(*span)))
            target.update_instruction_properties(name, qubits, new)
    if decides:
        add_control_flow(target)
    return backend


def listed(details: Iterable[Mapping[str, Any]], number: int) -> dict[str, Any]:
    """What a record says of circuits on a device: of the first ones all, and how many more there are.

    Args:
        details: Of each circuit; read as far as they are listed.
        number: Of circuits.
    """
    found: dict[str, Any] = {"circuits": [dict(each) for each in islice(details, _LISTED)]}
    return found if number <= _LISTED else {**found, "circuits_not_listed": number - _LISTED}
