"""A stranger's OpenQASM or QPY is read within bounds, and no file is read because a text asks for it."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit, qpy
from qiskit.circuit import Gate, Parameter

from qpm_lab.circuits import DEFAULT, Limits, fingerprint, prepare, read_qpy, write_qpy
from qpm_lab.circuits.qasm import parse_text
from qpm_lab.errors import CircuitError

HEAD_2 = 'OPENQASM 2.0; include "qelib1.inc"; '
HEAD_3 = 'OPENQASM 3.0; include "stdgates.inc"; '


def refusal(source: Any, limits: Limits = DEFAULT) -> str:
    with pytest.raises(CircuitError) as caught:
        prepare(source, limits=limits)
    assert caught.value.hint
    return caught.value.message


@pytest.mark.parametrize("name", ["/etc/passwd", "secret.inc", "../secret.inc", "./qelib1.inc", "qelib1.inc/../x", ""])
@pytest.mark.parametrize("version", ["2.0", "3.0"])
def test_includes_are_the_standard_library_or_refused(
    name: str, version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No path on disk is looked at, not even one in the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret.inc").write_text("gate leaked a { }")
    assert "include" in refusal(f'OPENQASM {version}; include "{name}"; qreg q[1];')


def test_an_include_beside_a_file_is_refused_too(tmp_path: Path) -> None:
    """A file's own folder is no include path."""
    (tmp_path / "mine.inc").write_text("gate mine a { U(0,0,0) a; }")
    path = tmp_path / "a.qasm"
    path.write_text('OPENQASM 2.0; include "mine.inc"; qreg q[1]; mine q[0];')
    assert "mine.inc" in refusal(path)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('OPENQASM 2.0; // include "x"\nqreg q[1];', id="line-comment"),
        pytest.param('OPENQASM 3.0; /* include "x"; */ qubit[1] q;', id="block-comment"),
        pytest.param("\ufeff  // hi\n OPENQASM 2.0;\nqreg q[1];", id="mark-comment-and-space-first"),
        pytest.param("/* a\nb */ OPENQASM 3; qubit[1] q;", id="block-comment-first"),
        pytest.param("OPENQASM 3.1; qubit[1] q;", id="newer-minor"),
        pytest.param('include "qelib1.inc"; qreg q[1]; h q[0];', id="no-version-2"),
        pytest.param('include "stdgates.inc"; qubit q; h q;', id="no-version-3"),
    ],
)
def test_comments_and_marks_do_not_confuse_it(text: str) -> None:
    """Includes in comments do not count; the version is found behind comments, or told from the words."""
    assert prepare(text)[0].facts.qubits == 1


@pytest.mark.parametrize("version", ["1.0", "4", "2.5", "x", '"2.0"'])
def test_unknown_versions_are_refused(version: str) -> None:
    """Only OpenQASM 2 and 3 are read."""
    assert "not known" in refusal(f"OPENQASM {version}; qreg q[1];")


def bomb(levels: int) -> str:
    """Gates that each call the one before twice."""
    gates = "gate g0 a { x a; } " + "".join(f"gate g{n} a {{ g{n - 1} a; g{n - 1} a; }} " for n in range(1, levels))
    return gates + f"qreg q[1]; g{levels - 1} q[0];"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("OPENQASM 2.0; qreg q[1000000000];", "1000000000 qubits", id="qreg"),
        pytest.param("OPENQASM 2.0; qreg a[9000]; qreg b[9000];", "qubits", id="two-qregs"),
        pytest.param(f"OPENQASM 2.0; qreg q[{'9' * 10_000}];", "qubits", id="endless-number"),
        pytest.param("OPENQASM 2.0; qreg q[1]; creg c[1000000000];", "classical bits", id="creg"),
        pytest.param("OPENQASM 3.0; qubit[1_000_000_000] q;", "qubits", id="qubit"),
        pytest.param("OPENQASM 3.0; qubit q; bit[1000000000] c;", "classical bits", id="bit"),
        pytest.param(HEAD_3 + "h $1000000000;", "qubits", id="physical"),
        pytest.param(HEAD_2 + bomb(40), "operations", id="definition-bomb"),
        pytest.param(HEAD_2 + "qreg q[9999]; " + "h q; " * 200, "operations", id="broadcast-bomb"),
        pytest.param(
            "OPENQASM 2.0; qreg q[1]; U(" + "(" * 99 + "1" + ")" * 99 + ",0,0) q[0];", "nested", id="brackets"
        ),
        pytest.param("OPENQASM 3.0; " + "if (true) {" * 99, "nested", id="blocks"),
    ],
)
def test_bounds_hold_before_parsing(text: str, said: str) -> None:
    """Sizes are read off the tokens, so nothing is allocated or written out."""
    assert said in refusal(text)


def test_a_definition_bomb_built_in_python_is_counted_not_written_out() -> None:
    """Two to the fortieth operations in forty gates are refused at once."""
    circuit = QuantumCircuit(1)
    circuit.x(0)
    for level in range(40):
        gate = Gate(f"g{level}", 1, [])
        gate.definition, circuit = circuit, QuantumCircuit(1)
        circuit.append(gate, [0])
        circuit.append(gate, [0])
    assert "operations" in refusal(circuit)


def test_a_definition_bomb_that_the_scan_cannot_see_is_stopped() -> None:
    """Modifiers hide the calls from the count before parsing; then the time limit holds."""
    text = HEAD_3 + bomb(30).replace("{ g", "{ inv @ g").replace("; g", "; inv @ g").replace("qreg q[1]", "qubit q")
    message = refusal(text, Limits(parse_seconds=3))
    assert "longer than 3 seconds" in message or "operations" in message


def test_a_loop_counts_as_often_as_it_repeats() -> None:
    """A for over a huge range is refused by its number of operations."""
    text = HEAD_3 + "qubit q; bit c; for int i in [0:1000000000000] { x q; } c = measure q;"
    assert "operations" in refusal(text)


def test_a_text_that_takes_too_long_is_stopped() -> None:
    """The time limit ends the process that reads it."""
    text = HEAD_3 + "qubit q; " + "if (true) { x q; } " * 100_000
    assert "longer than 2 seconds" in refusal(text, Limits(parse_seconds=2))


def test_a_text_that_takes_too_much_memory_is_stopped() -> None:
    """The memory limit holds in the reading process only."""
    text = HEAD_3 + "qubit q; " + "rx(1) q; " * 30_000
    message = refusal(text, Limits(parse_memory_bytes=100 * 2**20))
    assert "memory" in message or "too large" in message


def test_long_and_unusual_texts_come_back_whole_from_the_reading_process() -> None:
    """What is parsed apart equals what is parsed here."""
    text = HEAD_2 + "qreg q[3]; creg c[3]; " + "h q[0]; cx q[0],q[1]; rz(pi/8) q[2]; " * 3_000 + "measure q -> c;"
    (one,) = prepare(text)
    assert one.facts.fingerprint == fingerprint(parse_text(text, DEFAULT))


def test_conditions_on_wide_registers_come_back_from_the_reading_process() -> None:
    """A comparison with a number of more than 63 bits, as OpenQASM 2 allows, is kept."""
    head = HEAD_2 + "qreg q[2]; creg c[70]; "
    short = head + f"x q[0]; measure q[0] -> c[69]; if(c=={2**69}) x q[1]; measure q[1] -> c[0];"
    long = short + " //" + "x" * 70_000
    assert prepare(long)[0].circuit.data[2].operation.condition[1] == 2**69
    assert prepare(long)[0].facts.fingerprint == prepare(short)[0].facts.fingerprint


def test_sizes_of_text_and_qpy_are_bounded() -> None:
    """Too long is said with the limit."""
    assert "100" in refusal("OPENQASM 2.0; qreg q[1];" + " " * 200, Limits(text_bytes=100))
    circuit = QuantumCircuit(1)
    assert "100" in refusal(write_qpy(circuit) + bytes(500), Limits(qpy_bytes=100))


def test_unsupported_openqasm_3_is_named() -> None:
    """The parser's own words, with line and column, are passed on."""
    assert "not supported" in refusal(HEAD_3 + "qubit q; cal { }")
    assert "not supported" in refusal(HEAD_3 + "qubit q; int i = 1;")


def test_openqasm_3_inputs_are_parameters() -> None:
    """`input float` is bound like any parameter."""
    text = HEAD_3 + "input float theta; qubit q; rx(theta) q;"
    assert "theta" in refusal(text)
    assert prepare(text, parameters={"theta": 0.5})[0].circuit.data[0].params == [0.5]


def stored(version: int) -> bytes:
    circuit = QuantumCircuit(1)
    circuit.rx(Parameter("a") + 1, 0)
    target = io.BytesIO()
    qpy.dump(circuit, target, version=version)
    return target.getvalue()


def test_qpy_is_written_as_version_13() -> None:
    """The version that every Qiskit we support reads."""
    assert write_qpy(QuantumCircuit(1))[:7] == b"QISKIT\x0d"


@pytest.mark.parametrize("version", [1, 9, 12])
def test_old_qpy_is_refused_by_its_version(version: int) -> None:
    """Versions whose angles go through unsafe parsers are not opened at all."""
    data = b"QISKIT" + bytes([version]) + stored(13)[7:]
    assert f"version {version}" in refusal(data)
    with pytest.raises(CircuitError, match="unsafe"):
        read_qpy(data)


def test_newer_qpy_is_refused_with_the_version_to_write() -> None:
    """A file from the future says how to save it."""
    with pytest.raises(CircuitError, match="version=13"):
        prepare(b"QISKIT\xff" + stored(13)[7:])


GOOD_QPY = write_qpy(QuantumCircuit(2, 2, name="good"))


@given(st.integers(7, len(GOOD_QPY) - 1))
@settings(max_examples=60, deadline=None)
def test_qpy_that_is_cut_off_is_a_circuit_error(length: int) -> None:
    """Wherever it ends."""
    with pytest.raises(CircuitError):
        read_qpy(GOOD_QPY[:length])


@pytest.mark.parametrize("place", range(8, 48, 5))
def test_qpy_with_a_huge_size_in_it_is_read_apart_or_refused(place: int) -> None:
    """A byte of a count set to its most: what it allocates, it allocates in a process with limits."""
    data = GOOD_QPY[:place] + b"\xff" + GOOD_QPY[place + 1 :]
    with contextlib.suppress(CircuitError):
        assert prepare(data, limits=Limits(parse_seconds=5))


def test_damaged_qpy_is_refused_at_the_door() -> None:
    """Through the reading process, too."""
    assert "damaged" in refusal(stored(13)[:40])


SEEDS = [
    HEAD_2
    + "qreg q[2]; creg c[2]; gate g(x) a,b { cx a,b; rz(x/2) b; } g(pi) q[0],q[1]; if(c==1) x q; measure q -> c;",
    HEAD_3 + "qubit[2] q; bit[2] c; gate g(x) a { rx(x) a; } g(0.5) q[0]; c[0] = measure q[0]; reset q; barrier q;",
]


@given(st.data())
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_mutated_openqasm_is_never_more_than_a_circuit_error(data: st.DataObject) -> None:
    """Pieces of valid texts deleted, doubled and overwritten: read or refused."""
    text = data.draw(st.sampled_from(SEEDS))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        stop = data.draw(st.integers(start, min(len(text), start + 12)))
        text = (
            text[:start] + data.draw(st.sampled_from(["", text[start:stop] * 2, ";", "}", "0", "q", "é"])) + text[stop:]
        )
    with contextlib.suppress(CircuitError):
        assert isinstance(parse_text(text, DEFAULT), QuantumCircuit)


def test_a_chain_of_definitions_is_bounded() -> None:
    """Gates defined through one another hundreds deep are refused, not a RecursionError."""
    gates = "gate g0 a { x a; } " + "".join(f"gate g{n} a {{ g{n - 1} a; }} " for n in range(1, 400))
    assert "deep" in refusal(HEAD_2 + gates + "qreg q[1]; g399 q[0];")


def test_python_circuits_nested_too_deeply_are_refused() -> None:
    """The bound holds for circuits that were built, not read."""
    circuit = QuantumCircuit(1)
    circuit.x(0)
    for level in range(100):
        gate = Gate(f"g{level}", 1, [])
        gate.definition, circuit = circuit, QuantumCircuit(1)
        circuit.append(gate, [0])
    assert "deep" in refusal(circuit)
