"""Threads come and go; the one that loads Qiskit stays."""

from __future__ import annotations

import subprocess
import sys

import pytest
from qiskit import QuantumCircuit

from qpm_lab import circuits

PROGRAM = """
import sys
import threading
from qpm_lab import circuits

STORED = bytes.fromhex(sys.argv[1])
QASM = 'OPENQASM 3; include "stdgates.inc"; qubit[3] q; bit[3] c; h q[0]; cx q[0], q[1]; c = measure q;'

def use():
    for _ in range(20):
        if sys.argv[2] == "stored":
            circuits.read_qpy(STORED)
        else:
            (one,) = circuits.prepare(QASM)
            circuits.read_qpy(circuits.write_qpy(one.circuit))

def in_threads(number):
    threads = [threading.Thread(target=use) for _ in range(number)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

in_threads(1)
for _ in range(10):
    in_threads(4)
print("alive")
"""


@pytest.mark.parametrize("source", ["text", "stored"])
def test_a_process_whose_first_circuit_was_read_by_a_thread_that_ended_goes_on(source: str) -> None:
    """Qiskit crashes the process when the thread that loaded it has ended; a server's page threads do."""
    circuit = QuantumCircuit(3, 3)
    circuit.cx(0, 1)
    circuit.measure(range(3), range(3))
    command = [sys.executable, "-c", PROGRAM, circuits.write_qpy(circuit).hex(), source]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr[-2000:]
