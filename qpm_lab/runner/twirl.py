"""Twirled circuits: random variants whose errors are symmetric on average, and that hide nothing from anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qpm_lab import circuits, providers
from qpm_lab.errors import InputError
from qpm_lab.runner.course import Item

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

    from qpm_lab.circuits import Prepared

VARIANTS = 32
"""Of each circuit: the fewest for which readout errors count as symmetric."""


def check(twirl: str | None, prepared: tuple[Prepared, ...], shots: int) -> int:
    """As how many variants each circuit is run.

    Raises:
        InputError: it is a sweep, or there are fewer shots than variants.
    """
    if twirl is None:
        return 1
    if any(each.bindings is not None for each in prepared):
        raise InputError("A sweep cannot be twirled.", "Leave out --twirl, or run a point by itself.")
    if shots < VARIANTS:
        raise InputError(
            f"--twirl runs {VARIANTS} variants of the circuit, and {shots:,} shots are fewer.",
            f"Ask for at least {VARIANTS} shots.",
        )
    return VARIANTS


def note(twirl: str | None, shots: int) -> str | None:
    """What a user should know of the division of shots among the variants; None when there is nothing to say."""
    if twirl in (None, "gates") or shots % VARIANTS == 0:
        return None
    return (
        f"{shots:,} shots are not divided evenly among {VARIANTS} variants: readout errors are symmetric up to one "
        f"part in {shots // VARIANTS:,}; a multiple of {VARIANTS} makes them exactly so."
    )


def variants(
    circuit: QuantumCircuit, place: int, backend_id: str, kind: str, shots: int, seed: int, number: int = VARIANTS
) -> list[Item]:
    """The variants of one circuit, its shots divided among them.

    Args:
        circuit: Measured.
        place: Of the circuit in the job.
        backend_id: In whose gates and on whose qubits they are made.
        kind: `readout`, `gates` or `all`.
        shots: Of the circuit.
        seed: From which the variants follow.
        number: Only the first so many are made.

    Raises:
        CircuitError: it does not measure at its end, or has a two-qubit gate that cannot be twirled.
    """
    gates = frozenset(providers.target(backend_id).operation_names)
    twirled = [providers.routed(backend_id, circuit)] * number
    if kind in ("gates", "all"):
        twirled = list(circuits.pauli_twirled(twirled[0], number, seed, gates=gates))
    pads = [""] * number
    if kind in ("readout", "all"):
        pads = list(circuits.circuit_pads(twirled[0], VARIANTS, seed))[:number]
        twirled = [circuits.padded(each, pad, gates=gates) for each, pad in zip(twirled, pads, strict=True)]
    share, rest = divmod(shots, VARIANTS)
    return [
        Item(each, share + (n < rest), place, pad=pad) for n, (each, pad) in enumerate(zip(twirled, pads, strict=True))
    ]
