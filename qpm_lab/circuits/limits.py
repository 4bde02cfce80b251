"""How much of a stranger's circuit is read before it is refused."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper bounds on what `prepare` accepts; every one is checked before the cost it prevents."""

    text_bytes: int = 16 * 2**20
    """Size of one OpenQASM text."""
    qpy_bytes: int = 64 * 2**20
    """Size of one QPY file."""
    qubits: int = 10_000
    clbits: int = 100_000
    operations: int = 1_000_000
    """Operations of one circuit with its own gates and loops written out; library gates count once."""
    circuits: int = 10_000
    """Circuits of one list or file."""
    points: int = 1_000_000
    """Points of one sweep."""
    nesting: int = 64
    """Levels of brackets, blocks and gate definitions inside one another."""
    parse_seconds: float = 30.0
    """Wall time of the process that reads what is not obviously small."""
    parse_memory_bytes: int = 4 * 2**30
    """Address space of that process."""


DEFAULT = Limits()
