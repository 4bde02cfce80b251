"""Routes in a notebook: a cell whose backend is chosen, and the table that says why."""

from __future__ import annotations

from IPython.core.interactiveshell import InteractiveShell

from .shells import Ran

BELL = "from qiskit import QuantumCircuit\nqc = QuantumCircuit(2)\nqc.h(0)\nqc.cx(0, 1)\n"


def test_a_cell_runs_where_its_route_says(shell: InteractiveShell) -> None:
    """The card's record has the route."""
    Ran(shell, BELL)
    ran = Ran(shell, "%qjob qc --backend auto --shots 50")
    assert ran.error is None, ran.text
    assert ran.cards[-1]["backend"] == "aer/simulator"
    assert ran.cards[-1]["route"]["name"] == "simulate"


def test_a_route_is_explained_as_one_table(shell: InteractiveShell) -> None:
    """With the route named, or auto where none is."""
    Ran(shell, BELL)
    ran = Ran(shell, "%qexplain qc --route --shots 50")
    assert ran.error is None, ran.text
    assert "Route simulate" in ran.plain
    assert "A job would go to aer/simulator." in ran.plain
    named = Ran(shell, "%qexplain qc --backend route:hardware --route")
    assert "Route hardware: the cheapest machine first" in named.plain
    assert "not a route" in str(Ran(shell, "%qexplain qc --backend aer/noisy --route").error)
    assert "route:hardware" in str(Ran(shell, "%qexplain qc --backend route:none --route").error)
