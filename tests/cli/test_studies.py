"""`qpm plan|compare|canary` and `qpm run --again`: documents and exit codes."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from qpm_lab.cli import main
from qpm_lab.lab import close_default_lab

BELL = str(Path(__file__).resolve().parent.parent.parent / "notebooks" / "bell.qasm")


@pytest.fixture
def qpm(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs one command in this process; gives exit code, document and messages."""

    def run(*words: str) -> tuple[int, Any, str]:
        code = main([*words, "--json"])
        close_default_lab()
        captured = capsys.readouterr()
        return code, json.loads(captured.out), captured.err

    return run


def test_a_plan_is_printed_with_the_command_to_run(qpm: Any) -> None:
    """As `qpm run` takes it."""
    code, document, _ = qpm("plan", BELL, "--half-width", "0.05", "--backends", "aer/noisy")
    assert code == 0
    (row,) = document["rows"]
    assert row["command"] == f"qpm run {BELL} --backend aer/noisy --shots {row['shots']}"


def test_a_width_may_be_written_in_per_cent(qpm: Any) -> None:
    """5% is 0.05."""
    code, document, _ = qpm("plan", BELL, "--half-width", "5%", "--level", "95 %", "--backends", "aer/noisy")
    assert (code, document["half_width"], document["level"]) == (0, 0.05, 0.95)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("plan", BELL, "--half-width", "x y"), "'x y' is not a number; write for example 0.02 or 2%."),
        (("plan", BELL, "--half-width", "0"), "not 0; write for example 0.02 or 2%."),
        (("plan", BELL, "--half-width", "2", "--level", "0.9"), "not 2; write for example 0.02 or 2%."),
        (("compare", "--delta", "0"), "not 0; write for example 0.1 or 10%."),
        (("compare", "--alpha", "1.5"), "at most 0.5, not 1.5; write for example 0.05 or 5%."),
        (("canary", "aer/noisy", "--tolerance=-1"), "not -1; write for example 0.01 or 1%."),
    ],
)
def test_a_number_that_cannot_be_used_is_refused_with_an_example(qpm: Any, words: tuple[str, ...], said: str) -> None:
    """In one sentence."""
    code, document, _ = qpm(*words)
    assert code == 2
    assert document["error"]["message"].endswith(said)


def test_a_width_out_of_reach_is_no_error(qpm: Any, tmp_path: Path) -> None:
    """The plan says so, with exit code 0."""
    path = tmp_path / "ghz.qasm"
    gates = "".join(f" cx q[{n}], q[{n + 1}];" for n in range(129))
    path.write_text(f"OPENQASM 3; include 'stdgates.inc'; qubit[130] q; h q[0];{gates}")
    code, document, _ = qpm("plan", str(path), "--half-width", "2%", "--backends", "stim/noisy")
    (row,) = document["rows"]
    assert (code, row["reachable"], row["shots"], row["command"]) == (0, False, None, None)


def test_a_file_with_a_space_in_its_name_is_quoted(qpm: Any, tmp_path: Path) -> None:
    """So that the commands can be typed as they stand."""
    path = tmp_path / "ghz 3.qasm"
    path.write_bytes(Path(BELL).read_bytes())
    (row,) = qpm("plan", str(path), "--half-width", "0.1", "--backends", "aer/noisy")[1]["rows"]
    assert shlex.split(row["command"])[2] == str(path)
    command = qpm("canary", "aer/noisy", "--shots", "200", "--circuit", str(path), "--history")[1]["command"]
    assert shlex.split(command)[:5] == ["qpm", "canary", "aer/noisy", "--circuit", str(path)]


def test_runs_that_are_equivalent_exit_zero_and_others_six(qpm: Any) -> None:
    """A gate in a script."""
    ids = [qpm("run", BELL, "-b", "aer/noisy", "-n", "2000", "-e", "bell")[1]["job_id"] for _ in range(2)]
    code, document, _ = qpm("compare", *ids)
    assert (code, document["verdict"]) == (0, "equivalent")
    assert qpm("compare", "--experiment", "bell", "--last", "2")[0] == 0
    code, document, _ = qpm("compare", *ids, "--delta", "0.001")
    assert (code, document["verdict"]) == (6, "inconclusive")
    assert document["rerun"]["shots"] == document["shots_needed"]
    assert qpm("compare", ids[0])[0] == 2


def test_a_canary_exits_zero_while_there_is_no_alarm(qpm: Any) -> None:
    """And its history can be read without running."""
    code, document, _ = qpm("canary", "aer/noisy", "--shots", "200", "--seed", "1")
    assert (code, document["canaries"], document["alarm"]) == (0, 1, False)
    assert qpm("canary", "aer/noisy", "--shots", "200", "--history")[1]["canaries"] == 1
    assert qpm("canary", "aer/noisy", "--shots", "200", "--circuit", BELL)[0] == 0


def test_a_refused_canary_exits_as_any_refused_job(qpm: Any) -> None:
    """With the record of the refusal."""
    code, document, _ = qpm("canary", "aer/noisy", "--shots", "5e9")
    assert (code, document["status"]) == (3, "denied")


def test_a_job_is_run_again(qpm: Any) -> None:
    """Only what is named differs."""
    first = qpm("run", BELL, "-b", "aer/noisy", "-n", "300", "-e", "bell")[1]
    code, document, _ = qpm("run", "--again", first["job_id"][:8], "--shots", "500")
    assert code == 0
    assert (document["backend"], document["shots"], document["labels"]["experiment"]) == ("aer/noisy", 500, "bell")
    assert document["job_id"] != first["job_id"]
    for words in [("run", "--dry-run"), ("explain",)]:
        code, document, _ = qpm(*words, "--again", first["job_id"])
        assert (code, document["status"], document["shots"]) == (0, "dry_run", 300)
        assert document["backend"] == "aer/noisy"


@pytest.mark.parametrize("command", ["run", "explain"])
@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "There is no circuit"),
        ((BELL, "--again", "0123456789ab"), "bell.qasm is another"),
        (("--again", "0123456789ab"), "no job"),
    ],
)
def test_what_repeats_nothing_exits_two(qpm: Any, command: str, words: tuple[str, ...], said: str) -> None:
    """Neither a file nor a job, both, or a job that is not there."""
    code, document, _ = qpm(command, *words)
    assert code == 2
    assert said in document["error"]["message"]
    assert document["error"]["hint"]


def test_the_text_forms_are_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """The same without --json."""
    assert main(["plan", BELL, "--half-width", "0.05", "--backends", "aer/noisy"]) == 0
    assert main(["canary", "aer/noisy", "--history"]) == 0
    close_default_lab()
    said = capsys.readouterr().out
    assert "Shots for ± 0.05" in said
    assert "No canary yet" in said
