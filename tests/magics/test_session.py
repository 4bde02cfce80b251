"""`%qsession`: opens an envelope, shows it, and closes it."""

from __future__ import annotations

import pytest
from IPython.core.interactiveshell import InteractiveShell

from .shells import Ran

BELL = "from qiskit import QuantumCircuit\nqc = QuantumCircuit(2)\nqc.h(0)\nqc.cx(0, 1)\n"


def test_without_a_session_the_kernels_own_envelope_is_shown(shell: InteractiveShell) -> None:
    """And how to open one."""
    ran = Ran(shell, "%qsession")
    assert ran.error is None, ran.text
    assert "No session is open." in ran.plain
    assert "1,000,000" in ran.plain
    assert "%qsession --max-jobs" in ran.plain


def test_a_loop_stops_before_the_step_that_would_exceed_its_session(shell: InteractiveShell) -> None:
    """Two jobs fit; the third is refused with how far it got, and runs after the session."""
    Ran(shell, BELL)
    opened = Ran(shell, "%qsession --max-jobs 2 --max-shots 1e6 --name vqe")
    assert opened.error is None, opened.text
    assert "vqe" in opened.plain
    assert all(Ran(shell, "%qjob qc --shots 10").error is None for _ in range(2))
    refused = Ran(shell, "%qjob qc --shots 10")
    assert type(refused.error).__name__ == "QuotaError"
    assert "The session 'vqe' has 2 jobs; 2 are used" in str(refused.error)
    assert "%qsession --max-jobs" in str(refused.error)
    assert "vqe" in Ran(shell, "%qsession").plain
    closed = Ran(shell, "%qsession --close")
    assert closed.error is None, closed.text
    assert "Closed" in closed.plain
    assert Ran(shell, "%qjob qc --shots 10").error is None


def test_a_sweep_that_exceeds_a_session_says_how_many_points_fit(shell: InteractiveShell) -> None:
    """The envelope's shots are left as they were, and as many points as said run."""
    Ran(shell, f"{BELL}from qiskit.circuit import Parameter\nqc.rx(Parameter('t'), 0)")
    Ran(shell, "%qsession --max-shots 1000")
    refused = Ran(shell, "%qjob qc --sweep t=range(100) --shots 30")
    assert "33 of the 100 points would fit" in str(refused.error)
    assert Ran(shell, "%qjob qc --sweep t=range(33) --shots 30").error is None


def test_the_jobs_of_a_session_can_be_listed(shell: InteractiveShell) -> None:
    """%qjobs --session ID."""
    from qpm_lab.lab import default_lab

    Ran(shell, BELL)
    Ran(shell, "%qjob qc --shots 10 --name before")
    Ran(shell, "%qsession --max-jobs 5")
    Ran(shell, "%qjob qc --shots 10 --name inside")
    ran = Ran(shell, f"%qjobs --session {default_lab().current_session.id}")
    assert "inside" in ran.plain
    assert "before" not in ran.plain


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("--close", "No session is open"),
        ("--name alone", "at least one limit"),
        ("--max-jobs many", "whole number"),
        ("--max-jobs 0", "between"),
        ("--max-cost lots", "amount"),
        ("--max-jobs 5 --backend aer/nowhere", "aer/nowhere"),
        ("--max-jobs 5 --close", "no other option"),
        ("200", "unrecognized"),
    ],
)
def test_a_session_that_cannot_be_opened_or_closed_says_so(shell: InteractiveShell, line: str, says: str) -> None:
    """A message and a hint, no traceback, and no session."""
    from qpm_lab.lab import default_lab

    ran = Ran(shell, f"%qsession {line}")
    assert says in str(ran.error)
    assert "Traceback" not in ran.text
    assert default_lab().current_session is None


def test_a_second_session_is_refused_while_one_is_open(shell: InteractiveShell) -> None:
    """The first goes on."""
    Ran(shell, "%qsession --max-jobs 3 --name first")
    ran = Ran(shell, "%qsession --max-jobs 3 --name second")
    assert type(ran.error).__name__ == "InputError"
    assert "first" in Ran(shell, "%qsession").plain


def test_closing_the_kernel_closes_its_session(shell: InteractiveShell) -> None:
    """Nothing stays reserved."""
    from qpm_lab.lab import close_default_lab, default_lab

    Ran(shell, "%qsession --max-jobs 3")
    close_default_lab()
    assert default_lab().ledger.open_sessions() == []


def test_the_help_page_lists_every_option(shell: InteractiveShell) -> None:
    """%qsession? is a page with examples."""
    page = shell.find_line_magic("qsession").__doc__
    for option in ("--max-cost", "--max-jobs", "--max-shots", "--backend", "--experiment", "--name", "--close"):
        assert option in page
