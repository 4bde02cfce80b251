"""Every bit is where Qiskit puts it, from every language to every backend, in the counts and in the ideal."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping
from functools import cache
from itertools import permutations
from typing import Any

import numpy as np
import pennylane as qml
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, qasm3, qpy
from qiskit.circuit import Parameter

from qpm_lab.circuits import Bindings, Prepared, prepare
from qpm_lab.providers import all_backends, backend, ideal_probabilities, provider_of, vendors
from qpm_lab.providers.interface import Task

# Vendors' own devices have their contract tests: they run in processes apart, which take seconds to start.
BACKENDS = [info.id for info in all_backends() if info.local and info.provider not in vendors()]
SHOTS = 4000
TURNS = (0.7, math.pi, 2.2, 0.4)
QUARTERS = (0.0, math.pi, math.pi / 2, 0.0)
"""The same for a backend that takes Clifford circuits only."""
READ = (3, 0, 2, 1)
"""Classical bit i reads qubit READ[i]; bits 0 and 1 are register `a`, 2 and 3 register `b`."""


def turns(name: str) -> tuple[float, ...]:
    return QUARTERS if name == "stim/noisy" else TURNS


def expected(angles: tuple[float, ...]) -> dict[str, float]:
    """By hand: qubit i is 1 with probability sin²(θᵢ/2), and as qubit 1 is 1 for certain, qubit 3 is turned over."""
    ones = [math.sin(angle / 2) ** 2 for angle in angles]
    ones[3] = 1 - ones[3]
    found: dict[str, float] = {}
    for number in range(16):
        bits = [number >> clbit & 1 for clbit in range(4)]
        p = math.prod(ones[READ[i]] if bit else 1 - ones[READ[i]] for i, bit in enumerate(bits))
        if p > 1e-12:
            found[f"{bits[3]}{bits[2]} {bits[1]}{bits[0]}"] = p
    return found


def in_qiskit(angles: tuple[Any, ...]) -> QuantumCircuit:
    circuit = QuantumCircuit(QuantumRegister(4, "q"), ClassicalRegister(2, "a"), ClassicalRegister(2, "b"))
    for qubit, angle in enumerate(angles):
        circuit.ry(angle, qubit)
    circuit.cx(1, 3)
    circuit.measure(READ, range(4))
    return circuit


def in_qasm2(angles: tuple[float, ...]) -> str:
    lines = [f"ry({angle!r}) q[{qubit}];" for qubit, angle in enumerate(angles)]
    reads = [f"measure q[{qubit}] -> {'ab'[i // 2]}[{i % 2}];" for i, qubit in enumerate(READ)]
    head = ["OPENQASM 2.0;", 'include "qelib1.inc";', "qreg q[4];", "creg a[2];", "creg b[2];"]
    return "\n".join([*head, *lines, "cx q[1], q[3];", *reads])


def in_qasm3(angles: tuple[float, ...]) -> str:
    return qasm3.dumps(in_qiskit(angles))


def in_qpy(angles: tuple[float, ...]) -> bytes:
    buffer = io.BytesIO()
    qpy.dump(in_qiskit(angles), buffer)
    return buffer.getvalue()


def _operations(angles: tuple[float, ...]) -> list[Any]:
    """Wire i plays the qubit that classical bit i reads."""
    wire = {qubit: clbit for clbit, qubit in enumerate(READ)}
    return [*(qml.RY(angles[READ[w]], wires=w) for w in range(4)), qml.CNOT([wire[1], wire[3]])]


def in_a_tape(angles: tuple[float, ...]) -> Any:
    return qml.tape.QuantumScript(_operations(angles), [qml.counts(wires=range(4))])


def in_a_qnode(angles: tuple[float, ...]) -> Any:
    @qml.qnode(qml.device("default.qubit", wires=4))
    def circuit() -> Any:
        _operations(angles)
        return qml.counts(wires=range(4))

    return circuit


LANGUAGES: Mapping[str, Callable[[tuple[float, ...]], Any]] = {
    "qiskit": in_qiskit,
    "qasm2": in_qasm2,
    "qasm3": in_qasm3,
    "qpy": in_qpy,
    "tape": in_a_tape,
    "qnode": in_a_qnode,
}


@cache
def read(language: str, angles: tuple[float, ...]) -> Prepared:
    """The circuit as it comes through the door; QPY is read in a process of its own."""
    (ready,) = prepare(LANGUAGES[language](angles))
    return ready


def distance(counts: Mapping[str, int], ideal: Mapping[str, float]) -> float:
    """Half the sum of the differences between shares and probabilities; keys without spaces."""
    shares = {key.replace(" ", ""): count / sum(counts.values()) for key, count in counts.items()}
    plain = {key.replace(" ", ""): p for key, p in ideal.items()}
    return sum(abs(shares.get(key, 0) - plain.get(key, 0)) for key in {*shares, *plain}) / 2


def closest(counts: Mapping[str, int], ideal: Mapping[str, float]) -> bool:
    """True when no other order of the four bits fits the counts better."""
    here = distance(counts, ideal)
    plain = {key.replace(" ", ""): p for key, p in ideal.items()}
    others = [{"".join(key[i] for i in order): p for key, p in plain.items()} for order in permutations(range(4))]
    return all(here <= distance(counts, other) for other in others if other != plain)


def allowed(name: str) -> float:
    """Sampling alone stays below 0.04 at 4,000 shots and 16 outcomes; noise adds its errors."""
    return 0.12 if backend(name).noisy else 0.04


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", BACKENDS)
def test_every_language_gives_the_same_bits_on_every_backend(name: str, language: str) -> None:
    """The counts are those worked out by hand, and fit no other order of the bits as well."""
    ready = read(language, turns(name))
    task = Task(backend(name), (ready.circuit,), SHOTS, 3, forms=(ready.form,))
    provider_of(name).check(task)
    (counts,) = provider_of(name).submit(task).result().counts
    assert distance(counts, expected(turns(name))) < allowed(name)
    assert closest(counts, expected(turns(name)))
    if language not in ("tape", "qnode"):
        assert all(len(key) == 5 and key[2] == " " for key in counts)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_ideal_of_every_language_has_the_same_bits(language: str) -> None:
    """To nine digits what was worked out by hand."""
    ideal = ideal_probabilities(read(language, TURNS).circuit).probabilities
    assert isinstance(ideal, dict)
    found = {key.replace(" ", ""): p for key, p in ideal.items()}
    assert found == pytest.approx({k.replace(" ", ""): p for k, p in expected(TURNS).items()}, abs=1e-9)


@pytest.mark.parametrize("name", BACKENDS)
def test_a_list_keeps_the_bits_of_each_circuit(name: str) -> None:
    """Circuits with other maps of bits beside each other do not take each other's."""
    first, second = in_qiskit(turns(name)), QuantumCircuit(3, 3)
    second.x(2)
    second.measure([0, 1, 2], [2, 0, 1])
    task = Task(backend(name), (first, second, first), SHOTS, 4)
    counts = provider_of(name).submit(task).result().counts
    for each in (counts[0], counts[2]):
        assert distance(each, expected(turns(name))) < allowed(name)
    assert max(counts[1], key=lambda key: counts[1][key]) == "010"


@pytest.mark.parametrize("name", BACKENDS)
def test_a_sweep_keeps_the_bits_of_each_point(name: str) -> None:
    """Two parameters whose values change places change the bits that go with them."""
    a, b = Parameter("a"), Parameter("b")
    circuit = in_qiskit((a, math.pi, b, 0.0))
    rows = np.array([[0.0, math.pi], [math.pi, 0.0], [math.pi, math.pi]])
    bindings = Bindings(("a", "b"), rows, (3,))
    task = Task(backend(name), (circuit,), SHOTS, 5, bindings=(bindings,))
    table = provider_of(name).submit(task).result().counts
    for counts, (first, second) in zip(table, rows.tolist(), strict=True):
        assert distance(counts, expected((first, math.pi, second, 0.0))) < allowed(name)


def _embedded(clbits: int) -> QuantumCircuit:
    """Thirteen qubits in even superposition apart from the last, read backwards into the highest bits."""
    circuit = QuantumCircuit(14, clbits)
    circuit.h(range(13))
    circuit.ry(0.7, 12)
    circuit.x(13)
    circuit.measure(range(14), [clbits - 1 - qubit for qubit in range(14)])
    return circuit


@pytest.mark.parametrize("clbits", [14, 16, 27])
def test_an_ideal_with_many_outcomes_has_its_bits_in_the_same_places(clbits: int) -> None:
    """An array's index is the key read as a number; with too many bits for an array the keys are there."""
    ideal = ideal_probabilities(_embedded(clbits)).probabilities
    counts = provider_of("aer/simulator").submit(Task(backend("aer/simulator"), (_embedded(clbits),), 500, 1)).result()
    assert isinstance(ideal, dict) == (clbits == 27)
    for key in counts.counts[0]:
        found = ideal[key] if isinstance(ideal, dict) else ideal[int(key, 2)]
        high = math.sin(math.pi / 4 + 0.35) ** 2
        assert found == pytest.approx((high if key[12] == "1" else 1 - high) / 2**12)
    assert sum(ideal.values() if isinstance(ideal, dict) else ideal) == pytest.approx(1)
