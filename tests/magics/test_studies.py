"""`%qplan`, `%qcompare`, `%qcanary` and `%qjob --again`, typed into a real shell."""

from __future__ import annotations

import pytest
from IPython.core.interactiveshell import InteractiveShell

from .shells import Ran

BELL = "from qiskit import QuantumCircuit\nqc = QuantumCircuit(2)\nqc.h(0)\nqc.cx(0, 1)\n"
RUN = "%qjob qc --backend aer/noisy --shots 2000"


def test_a_plan_names_the_line_to_write_which_then_runs(shell: InteractiveShell) -> None:
    """The line of the plan is a line of the notebook."""
    Ran(shell, BELL)
    ran = Ran(shell, "%qplan qc --half-width 0.05 --backends aer/noisy,aer/simulator")
    assert ran.error is None, ran.text
    assert "Shots for ± 0.05 (95 %)" in ran.plain
    line = next(each.strip() for each in ran.plain.splitlines() if each.strip().startswith("%qjob"))
    assert line.startswith("%qjob qc --backend aer/noisy --shots ")
    assert Ran(shell, line).cards[-1]["fidelity"]["value"] is not None


def test_a_plan_without_its_width_says_what_is_missing(shell: InteractiveShell) -> None:
    """And so does one without a circuit."""
    Ran(shell, BELL)
    assert "--half-width" in str(Ran(shell, "%qplan qc").error)
    assert "needs a circuit" in str(Ran(shell, "%qplan --half-width 0.02").error)


def test_jobs_are_compared_by_variable_and_by_id(shell: InteractiveShell) -> None:
    """A list of Jobs will do as well."""
    Ran(shell, f"{BELL}")
    Ran(shell, f"{RUN} -o first")
    Ran(shell, f"{RUN} -o second")
    Ran(shell, "pair = [first, second]")
    for words in ("first second", f"first {shell.user_ns['second'].id[:10]}", "pair"):
        ran = Ran(shell, f"%qcompare {words}")
        assert ran.error is None, ran.text
        assert ran.plain.startswith("Equivalent")


def test_a_variable_that_holds_no_job_is_named(shell: InteractiveShell) -> None:
    """Instead of being taken for an id."""
    Ran(shell, BELL)
    assert "qc is a QuantumCircuit, not a Job" in str(Ran(shell, "%qcompare qc qc").error)
    assert "either jobs or an experiment" in str(Ran(shell, "%qcompare").error)


def test_a_canary_runs_and_its_history_only_shows(shell: InteractiveShell) -> None:
    """With a circuit of the user's too."""
    ran = Ran(shell, "%qcanary aer/noisy --shots 200 --seed 1")
    assert ran.error is None, ran.text
    assert "1 of 5 canaries of the baseline" in ran.plain
    assert "1 of 5" in Ran(shell, "%qcanary aer/noisy --shots 200 --history").plain
    Ran(shell, BELL)
    own = Ran(shell, "%qcanary aer/noisy --circuit qc --shots 200")
    assert own.error is None, own.text
    assert "1 of 5" in own.plain


def test_the_next_canary_is_of_the_same_series(shell: InteractiveShell) -> None:
    """The line that the card names goes on where the card stands."""
    Ran(shell, BELL)
    ran = Ran(shell, "%qcanary aer/noisy --circuit qc --shots 200 --tolerance 0.05")
    line = ran.plain.partition("Next: run the next one:\n")[2].splitlines()[0].strip()
    assert line == "%qcanary aer/noisy --circuit qc --shots 200 --tolerance 0.05"
    assert "2 of 5" in Ran(shell, line).plain


def test_a_plan_within_a_session_names_a_line_that_measures(shell: InteractiveShell) -> None:
    """Where jobs measure no fidelity unless they say so."""
    Ran(shell, BELL)
    Ran(shell, "%qsession --max-jobs 3")
    ran = Ran(shell, "%qplan qc --half-width 0.05 --backends aer/noisy")
    line = next(each.strip() for each in ran.plain.splitlines() if each.strip().startswith("%qjob"))
    assert Ran(shell, line).cards[-1]["fidelity"]["value"] is not None
    Ran(shell, "%qsession --close")


def test_a_refused_canary_leaves_its_card_and_ends_the_cell(shell: InteractiveShell) -> None:
    """As every refused job does."""
    ran = Ran(shell, "%qcanary aer/noisy --shots 5e9")
    assert type(ran.error).__name__ == "DeniedError"
    assert ran.cards[0]["status"] == "denied"
    assert "not part of the history" in str(ran.error)


def test_a_job_is_repeated_with_what_is_named(shell: InteractiveShell) -> None:
    """The kernel's own defaults do not replace what was recorded."""
    Ran(shell, f"{BELL}{'%config QpmMagics.shots = 77'}")
    Ran(shell, "%qjob qc --backend aer/noisy --shots 300 --experiment bell -o job")
    job = shell.user_ns["job"].id
    again = Ran(shell, f"%qjob --again {job[:8]} --seed 5 -o other").cards[-1]
    assert (again["backend"], again["shots"], again["seed"]) == ("aer/noisy", 300, 5)
    assert again["labels"]["experiment"] == "bell"
    assert shell.user_ns["other"].id != job
    assert Ran(shell, f"%qjob --again {job} --shots 12000").cards[-1]["shots"] == 12000


def test_repeating_can_be_looked_at_first(shell: InteractiveShell) -> None:
    """A dry run records nothing."""
    Ran(shell, f"{BELL}")
    Ran(shell, "%qjob qc --shots 100 -o job")
    card = Ran(shell, f"%qjob --again {shell.user_ns['job'].id} --shots 500 --dry-run").cards[-1]
    assert (card["status"], card["shots"]) == ("dry_run", 500)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("%qjob qc --again 0123456789ab", "another circuit"),
        ("%qjob --again 0123456789ab --parameter t=1", "values it was run with"),
        ("%%qjob --again 0123456789ab\nqc", "needs no cell"),
        ("%qjob --again 0123456789ab", "no job"),
    ],
)
def test_what_repeats_nothing_is_refused(shell: InteractiveShell, line: str, words: str) -> None:
    """With the way out."""
    Ran(shell, BELL)
    error = Ran(shell, line).error
    assert words in str(error)


@pytest.mark.parametrize("name", ["qplan", "qcompare", "qcanary"])
def test_every_magic_has_a_page_with_examples_and_options(shell: InteractiveShell, name: str) -> None:
    """What `%qplan?` shows."""
    page = shell.find_line_magic(name).__doc__
    assert f"%{name} " in page
    assert "options:" in page


def test_options_backends_and_jobs_are_completed(shell: InteractiveShell) -> None:
    """Where each may stand."""
    Ran(shell, f"{BELL}%qjob qc --shots 10 -o first")
    Ran(shell, "%qjob qc --shots 10 -o first")
    for typed, wanted in [
        ("%qcanary aer/n", "aer/noisy"),
        ("%qcanary aer/noisy --his", "--history"),
        ("%qcompare fi", "first"),
        ("%qcompare --exp", "--experiment"),
        ("%qplan qc --half", "--half-width"),
        ("%qplan qc --half-width 0.1 --backends aer/s", "aer/simulator"),
        ("%qjob --aga", "--again"),
    ]:
        assert wanted in shell.complete(typed, typed, len(typed))[1], typed


def test_a_job_is_repeated_by_its_variable(shell: InteractiveShell) -> None:
    """Only what is given differs; a variable that holds no job is named."""
    Ran(shell, f"{BELL}")
    Ran(shell, f"{RUN} -o few")
    ran = Ran(shell, "%qjob --again few --shots 300")
    assert ran.error is None, ran.text
    assert ran.cards[-1]["shots"] == 300
    assert ran.cards[-1]["backend"] == "aer/noisy"
    assert "not a Job" in str(Ran(shell, "%qjob --again qc").error)
