"""`--sweep` in a cell: one job over all points, refusals that say how many fit, and completion."""

from __future__ import annotations

from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from .shells import Ran

TURN = """from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
turn = QuantumCircuit(1)
turn.rx(Parameter('theta'), 0)
turn.rz(Parameter('phi'), 0)
vector = QuantumCircuit(1)
vector.rx(ParameterVector('angle', 2)[0], 0)
angles = [0.0, 3.141592653589793, 6.283185307179586]
"""


@pytest.fixture(autouse=True)
def circuits(shell: InteractiveShell) -> None:
    Ran(shell, TURN)


def last(shell: InteractiveShell) -> Any:
    return shell.user_ns["_"].result()


def test_a_sweep_in_a_cell_is_one_job_with_one_table(shell: InteractiveShell) -> None:
    """Each value gives a row of its own, in the order given; the fixed parameter stands beside it."""
    ran = Ran(shell, f"%%qjob --sweep 'theta=[0, pi, 2*pi]' --parameter phi=pi/2 --shots 50 -o job\n{TURN}turn")
    assert ran.error is None, ran.text
    assert len(ran.cards) == 1
    frame = shell.user_ns["job"].result().to_frame()
    assert frame[["theta", "outcome", "count"]].to_numpy().tolist()[0] == [0.0, "0", 50]
    assert sorted(frame.loc[frame["count"] > 0, "outcome"]) == ["0", "0", "1"]


def test_two_sweeps_make_a_grid(shell: InteractiveShell) -> None:
    """Three by two points are six."""
    ran = Ran(shell, "%qjob turn --sweep theta=angles --sweep 'phi=linspace(0, 1, 2)' --shots 10")
    assert ran.error is None, ran.text
    assert ran.cards[0]["circuit"]["points"] == 6


def test_a_variable_of_the_notebook_gives_the_values(shell: InteractiveShell) -> None:
    """By its bare name; another name is told with a right example."""
    assert Ran(shell, "%qexplain turn --sweep theta=angles --parameter phi=0").cards[0]["circuit"]["points"] == 3
    ran = Ran(shell, "%qexplain turn --sweep theta=angels --parameter phi=0")
    assert "angels" in ran.error.message
    assert "--sweep 'theta=linspace(" in ran.error.hint


def test_an_element_of_a_vector_is_swept_by_its_name(shell: InteractiveShell) -> None:
    """As Qiskit prints it."""
    ran = Ran(shell, "%qexplain vector --sweep 'angle[0]=range(5)'")
    assert ran.error is None, ran.text
    assert ran.cards[0]["circuit"]["points"] == 5


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("--sweep 'thta=[1, 2]' --parameter phi=0", "no parameter thta"),
        ("--sweep theta", "name=values"),
        ("--sweep 'theta=0.3' --parameter phi=0", "--parameter"),
        ("--sweep theta=linspace(0, 1, 5)", "quotes"),
        ("--sweep 'theta=[1]' --sweep 'theta=[2]'", "twice"),
        ("--sweep \"theta=__import__('os').getcwd()\"", "cannot be read"),
        ("--fidelity perfect", "perfect"),
    ],
)
def test_a_sweep_that_cannot_be_read_says_so_and_runs_nothing(shell: InteractiveShell, line: str, says: str) -> None:
    """A message and a hint, no traceback and no entry."""
    from qpm_lab.lab import default_lab

    before = default_lab().ledger.head()
    ran = Ran(shell, f"%qjob turn {line}")
    assert says in str(ran.error)
    assert "Traceback" not in ran.text
    assert default_lab().ledger.head() == before


@pytest.mark.parametrize(
    ("quota", "shots"),
    [
        ({"measure": "shots", "scope": "user", "window": "day", "limit": 10_000}, 30),
        ({"measure": "shots", "scope": "user", "window": "job", "limit": 10_000}, 30),
        ({"measure": "shots", "scope": "notebook_run", "window": "life", "limit": 9_999}, 30),
    ],
)
def test_a_refused_sweep_says_how_many_points_fit_and_they_do(
    shell: InteractiveShell, bundle_with: Any, monkeypatch: pytest.MonkeyPatch, quota: dict[str, Any], shots: int
) -> None:
    """One more than said is refused by the ledger too; exactly as many as said run."""
    monkeypatch.setenv("QPM_POLICIES", str(bundle_with([{"id": "few", **quota}])))
    line = "%qjob turn --parameter phi=0 --shots {} --sweep theta=range({})"
    refused = Ran(shell, line.format(shots, 1000))
    (reason,) = refused.cards[0]["decision"]["reasons"]
    fit = reason["details"]["points_that_fit"]
    assert f"{fit} of the 1,000 points would fit" in reason["fix"]
    assert type(Ran(shell, line.format(shots, fit + 1)).error).__name__ == "QuotaError"
    assert Ran(shell, line.format(shots, fit)).error is None


def test_fidelity_can_be_left_out(shell: InteractiveShell) -> None:
    """--fidelity none gives no value; without it there is one."""
    Ran(shell, "bell = QuantumCircuit(2)\nbell.h(0)\nbell.cx(0, 1)")
    without = Ran(shell, "%qjob bell --backend aer/noisy --shots 400 --fidelity none")
    assert without.error is None, without.text
    assert without.cards[0]["fidelity"]["value"] is None
    assert Ran(shell, "%qjob bell --backend aer/noisy --shots 400").cards[0]["fidelity"]["value"] is not None


@pytest.mark.parametrize(
    ("line", "offered", "not_offered"),
    [
        ("%qjob turn --sweep ", "theta=", "angle[0]="),
        ("%qjob turn --sweep 'th", "theta=", "phi="),
        ("%qquote turn --parameter p", "phi=", "theta="),
        ("%%qjob --sweep ", "angle[0]=", "--sweep"),
        ("%qexplain turn --sweep 'theta=lin", "linspace(", "range("),
        ("%qjob turn --sweep=theta=", "geomspace(", "theta="),
        ("%qjob turn --fidelity ", "none", "aer/noisy"),
        ("%qsession --max-", "--max-jobs", "--close"),
        ("%qsession --backend aer/n", "aer/noisy", "aer/simulator"),
    ],
)
def test_parameters_and_values_complete(shell: InteractiveShell, line: str, offered: str, not_offered: str) -> None:
    """Tab offers what may stand there: the circuit's parameters, then the ways to space numbers."""
    _, matches = shell.complete(text=None, line=line, cursor_pos=len(line))
    assert offered in matches
    assert not_offered not in matches


def test_the_help_page_shows_a_sweep(shell: InteractiveShell) -> None:
    """An example to copy, and every option."""
    page = shell.find_line_magic("qjob").__doc__
    for words in ("--sweep 'theta=linspace(0, 2*pi, 100)'", "--fidelity", "--parameter"):
        assert words in page
