"""`%%qjob --validate` in a real IPython shell: a result that misses its conditions stops Run All."""

from __future__ import annotations

from IPython.core.interactiveshell import InteractiveShell

from .shells import Ran

BELL = "from qiskit import QuantumCircuit\nqc = QuantumCircuit(2)\nqc.h(0)\nqc.cx(0, 1)\nqc"


def test_a_result_that_meets_its_conditions_ends_the_cell_well(shell: InteractiveShell) -> None:
    """One card, and the Job as the cell's value."""
    ran = Ran(shell, f"%%qjob --shots 2000 --seed 1 --validate 'p(00) >= 45%' --validate p(01)<=0.01\n{BELL}")
    assert ran.error is None
    (card,) = ran.cards
    assert card["validation"]["passed"] is True
    assert shell.user_ns["_"].succeeded


def test_a_result_that_misses_its_conditions_shows_its_card_and_ends_in_error(shell: InteractiveShell) -> None:
    """The card is complete, the error is message and hint alone, and -o still gives the job."""
    ran = Ran(shell, f"%%qjob -o bell --shots 2000 --seed 1 --validate 'p(00)>=0.9'\n{BELL}")
    assert type(ran.error).__name__ == "ValidationError"
    (card,) = ran.cards
    assert (card["status"], card["validation"]["passed"]) == ("completed", False)
    assert "p(00)>=0.9" in ran.error.message
    assert ran.error.hint
    assert "Traceback" not in ran.text
    assert sum(shell.user_ns["bell"].result().counts.values()) == 2000


def test_a_condition_that_cannot_be_read_ends_the_cell_before_anything_runs(shell: InteractiveShell) -> None:
    """No card, and the advice."""
    ran = Ran(shell, f"%%qjob --validate fidelity==1\n{BELL}")
    assert ran.cards == []
    assert ">=, >, <=, <" in ran.error.hint
