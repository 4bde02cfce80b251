"""The magics through a real IPython shell: what is typed, what is shown, what is left behind."""

from __future__ import annotations

import pytest
from IPython.core.interactiveshell import InteractiveShell

from .shells import Ran

GHZ = "from qiskit import QuantumCircuit\nqc = QuantumCircuit(2)\nqc.h(0)\nqc.cx(0, 1)\n"


def test_the_value_of_the_last_expression_is_submitted_and_shown(shell: InteractiveShell) -> None:
    """One card, the Job as the cell's value, and the body's names in the user's namespace."""
    ran = Ran(shell, f"%%qjob --shots 100 --seed 1\n{GHZ}qc")
    assert ran.error is None
    assert [card["status"] for card in ran.cards] == ["completed"]
    assert ran.cards[0]["name"] == "qc"
    assert shell.user_ns["qc"].num_qubits == 2
    assert sum(shell.user_ns["_"].result().counts.values()) == 100


def test_the_output_name_gets_the_job(shell: InteractiveShell) -> None:
    """-o assigns the Job, and the cell has no further value."""
    ran = Ran(shell, f"%%qjob -o bell --shots 10\n{GHZ}qc")
    assert ran.error is None
    assert ran.outcome.result is None
    assert shell.user_ns["bell"].status == "completed"


def test_a_refusal_shows_its_card_ends_in_error_and_assigns_nothing(shell: InteractiveShell) -> None:
    """Every reason is on the card; the traceback is the message and the hint alone."""
    ran = Ran(shell, f"%%qjob -o never --shots 5_000_000_000\n{GHZ}qc")
    assert type(ran.error).__name__ == "DeniedError"
    assert ran.cards[0]["status"] == "denied"
    assert len(ran.cards[0]["decision"]["reasons"]) >= 2
    assert "never" not in shell.user_ns
    assert "Traceback" not in ran.text
    assert "File " not in ran.text


def test_a_cell_that_ends_in_none_names_the_circuit_and_the_fix(shell: InteractiveShell) -> None:
    """People end with qc.measure_all(), which returns None."""
    ran = Ran(shell, f"%%qjob -o never\n{GHZ}qc.measure_all()")
    assert "`qc`" in ran.error.message
    assert "`qc`" in ran.error.hint
    assert "never" not in shell.user_ns


def test_a_cell_that_ends_in_an_assignment_names_the_circuit(shell: InteractiveShell) -> None:
    """The last statement is no expression, so the circuit it binds is named."""
    ran = Ran(shell, f"%%qjob\n{GHZ}other = qc")
    assert "`other`" in ran.error.message


@pytest.mark.parametrize("body", ["", "   \n", "x = 1", "print('hi')", "import math\nmath.pi", "lambda: 0", "[]"])
def test_a_cell_without_a_circuit_is_told_what_to_do(shell: InteractiveShell, body: str) -> None:
    """No traceback, a hint, and no ledger entry."""
    from qpm_lab.lab import default_lab

    before = default_lab().ledger.head()
    ran = Ran(shell, f"%%qjob\n{body}\n")
    assert ran.error is not None
    assert getattr(ran.error, "hint", "")
    assert "Traceback" not in ran.text
    assert default_lab().ledger.head() == before


def test_an_error_in_the_users_code_is_shown_as_in_any_cell(shell: InteractiveShell) -> None:
    """The user's own exception and line, without our frames."""
    ran = Ran(shell, "%%qjob\nvalue = 1 / 0\nvalue")
    assert isinstance(ran.error, ZeroDivisionError)
    assert "value = 1 / 0" in ran.text
    assert "run_body" not in ran.text


@pytest.mark.parametrize("last", ["qc.h(0)", "qc.cx(0, 1)", "qc.barrier()"])
def test_a_cell_that_ends_in_a_gate_names_the_circuit(shell: InteractiveShell, last: str) -> None:
    """The methods that add a gate return no circuit either."""
    ran = Ran(shell, f"%%qjob\n{GHZ}{last}")
    assert "`qc`" in ran.error.message


@pytest.mark.parametrize("source", ["%%qjob\ndef f(:", "%qjob a b", "%qjob (1"])
def test_a_syntax_error_shows_none_of_our_frames(shell: InteractiveShell, source: str) -> None:
    """What the user typed is wrong, not the magic."""
    ran = Ran(shell, source)
    assert ran.error is not None
    assert "qpm_magics" not in ran.text


def test_await_is_refused_before_anything_runs(shell: InteractiveShell) -> None:
    """A cell is run as a whole or not at all."""
    Ran(shell, "%%qjob\nside_effect = 1\nawait something()")
    assert "side_effect" not in shell.user_ns


def test_completion_looks_only_at_what_stands_before_the_cursor(shell: InteractiveShell) -> None:
    """Tab in the middle of a line completes the option under the cursor."""
    line = "%%qjob --ba --shots 10"
    _, matches = shell.complete(text=None, line=line, cursor_pos=11)
    assert "--backend" in matches
    _, matches = shell.complete(text=None, line="%%qjob --backend=aer/n", cursor_pos=22)
    assert "aer/noisy" in matches


def test_short_options_may_be_attached(shell: InteractiveShell) -> None:
    """-n10 is -n 10, as everywhere."""
    Ran(shell, GHZ)
    assert Ran(shell, "%qjob qc -n10").cards[0]["shots"] == 10


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("--shots many", "whole number"),
        ("--shot 5", "--shot"),
        ("--backend", "--backend"),
        ("--backend aer/nowhere", "aer/nowhere"),
        ("-o 1x", "Python name"),
        ("--classification secret", "secret"),
        ("--name 'open", "quot"),
        ("--parameter theta", "name=value"),
        ("--args import", "--args"),
    ],
)
def test_a_bad_option_says_so_and_changes_nothing(shell: InteractiveShell, line: str, says: str) -> None:
    """Option errors are messages with a hint."""
    ran = Ran(shell, f"%%qjob {line}\n{GHZ}qc")
    assert says in str(ran.error)
    assert "Traceback" not in ran.text


def test_a_dry_run_explains_and_leaves_no_entry(shell: InteractiveShell) -> None:
    """--dry-run and %qexplain show the decision and record nothing."""
    from qpm_lab.lab import default_lab

    Ran(shell, GHZ)
    before = default_lab().ledger.head()
    assert Ran(shell, "%qjob qc --dry-run").cards[0]["status"] == "dry_run"
    assert Ran(shell, "%qexplain qc --shots 9000000000").cards[0]["decision"]["effect"] == "deny"
    assert Ran(shell, "%qquote qc --shots 100").error is None
    assert default_lab().ledger.head() == before


def test_an_expression_may_hold_brackets_and_dashes(shell: InteractiveShell) -> None:
    """The options begin at the first option outside brackets."""
    Ran(shell, GHZ + "def pick(a, b): return qc")
    ran = Ran(shell, "%qjob pick(2, -1) --shots 10")
    assert ran.error is None
    assert ran.cards[0]["shots"] == 10


def test_a_job_shown_again_is_drawn_again(shell: InteractiveShell) -> None:
    """The card that was drawn while it ran does not swallow a later look."""
    Ran(shell, f"%%qjob --shots 10\n{GHZ}qc")
    assert len(Ran(shell, "_").cards) == 1


def test_qnode_arguments_are_taken_from_a_name_or_from_values(shell: InteractiveShell) -> None:
    """--args angles, or --args 0.1."""
    Ran(
        shell,
        "import pennylane as qml\n"
        "@qml.qnode(qml.device('default.qubit', wires=1))\n"
        "def turn(angle):\n    qml.RX(angle, wires=0)\n    return qml.counts()\n"
        "pi = 3.141592653589793",
    )
    for given in ("3.141592653589793", "pi"):
        ran = Ran(shell, f"%qjob turn --args {given} --shots 50")
        assert ran.error is None, ran.text
        assert ran.cards[0]["counts"] == {"1": 50}


def test_lists_and_tables_teach_when_they_are_empty(shell: InteractiveShell) -> None:
    """An empty history says how to begin."""
    ran = Ran(shell, "%qjobs")
    assert "%%qjob" in ran.outputs[0].data["text/plain"]
    for magic in ("%qusage", "%qbackends"):
        assert Ran(shell, magic).error is None


def test_jobs_are_listed_shown_and_cannot_be_cancelled_twice(shell: InteractiveShell) -> None:
    """%qjobs, %qjobs ID, %qjobs --cancel ID."""
    Ran(shell, f"%%qjob --shots 10 -o bell\n{GHZ}qc")
    job = shell.user_ns["bell"]
    assert job.id[:8] in Ran(shell, "%qjobs").outputs[0].data["text/plain"]
    assert Ran(shell, f"%qjobs {job.id[:8]}").cards[0]["job_id"] == job.id
    assert "ended" in str(Ran(shell, f"%qjobs --cancel {job.id}").error)


def test_no_wait_returns_the_job_at_once_and_it_completes(shell: InteractiveShell) -> None:
    """The Job is assigned immediately; its result arrives later."""
    ran = Ran(shell, f"%%qjob --no-wait -o later --shots 10\n{GHZ}qc")
    assert ran.error is None
    assert sum(shell.user_ns["later"].result(30).counts.values()) == 10


def test_options_and_backends_complete(shell: InteractiveShell) -> None:
    """Tab after `--` gives the options, after `--backend` the backends."""
    from qpm_magics.completion import candidates

    assert "--cost-center" in candidates("%%qjob --c")
    assert "aer/noisy" in candidates("%%qjob --backend ")
    assert candidates("%matplotlib ") == []
    _, matches = shell.complete(text=None, line="%%qjob --backend aer/n", cursor_pos=22)
    assert "aer/noisy" in matches
    _, matches = shell.complete(text=None, line="%%qjob --classification p", cursor_pos=25)
    assert "public" in matches


def test_the_help_page_lists_every_option(shell: InteractiveShell) -> None:
    """%%qjob? is a page with examples and all options."""
    page = shell.find_line_magic("qjob").__doc__
    for option in ("--backend", "--shots", "--no-wait", "--dry-run", "--max-cost", "--args", "-o"):
        assert option in page


def test_loading_the_magics_loads_no_sdk() -> None:
    """import qpm_lab and %load_ext import neither qiskit, pennylane, matplotlib nor pandas."""
    import subprocess
    import sys

    code = (
        "import sys, qpm_lab\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "InteractiveShell.instance().run_line_magic('load_ext', 'qpm_magics')\n"
        "print([m for m in ('qiskit', 'pennylane', 'matplotlib', 'pandas', 'scipy') if m in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")


def test_a_circuits_own_name_is_the_jobs_name(shell: InteractiveShell) -> None:
    """--name, then -o, then the circuit's own name, then the variable's."""
    Ran(shell, GHZ + "named = QuantumCircuit(1, name='thirteen')")
    assert Ran(shell, "%qjob named --shots 1").cards[0]["name"] == "thirteen"
    assert Ran(shell, "%qjob qc --shots 1").cards[0]["name"] == "qc"
    assert Ran(shell, "%qjob named --shots 1 -o other").cards[0]["name"] == "other"
    assert Ran(shell, "%qexplain qc --shots 1").cards[0]["circuit"]["name"] == ""


def test_circuits_complete_where_one_is_expected(shell: InteractiveShell) -> None:
    """Tab after %qquote offers the circuits of the notebook."""
    Ran(shell, GHZ)
    _, matches = shell.complete(text=None, line="%qquote q", cursor_pos=9)
    assert "qc" in matches
    _, matches = shell.complete(text=None, line="%qjobs --status ", cursor_pos=16)
    assert "denied" in matches


def test_an_unknown_name_is_told_without_a_traceback(shell: InteractiveShell) -> None:
    """%qquote nosuch."""
    ran = Ran(shell, "%qquote nosuch")
    assert "nosuch" in str(ran.error)
    assert "Traceback" not in ran.text
