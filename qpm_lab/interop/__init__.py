"""Other libraries' ways in: code written for Qiskit or PennyLane runs governed."""
