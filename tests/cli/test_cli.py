"""The `qpm` command as a user runs it: documents, exit codes, and never a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from qpm_lab.cli import main
from qpm_lab.lab import close_default_lab

ROOT = Path(__file__).resolve().parent.parent.parent
BELL = ROOT / "notebooks" / "bell.qasm"


@pytest.fixture
def qpm(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs one command in this process; gives exit code, document and messages."""

    def run(*words: str) -> tuple[int, Any, str]:
        code = main([*words, "--json"])
        close_default_lab()
        captured = capsys.readouterr()
        return code, json.loads(captured.out), captured.err

    return run


def test_run_prints_the_document_of_the_public_surface(qpm: Any) -> None:
    """Every key that programs rely on is there, with the types stated."""
    code, document, _ = qpm("run", str(BELL), "--backend", "aer/noisy", "--shots", "4096")
    assert code == 0
    assert document["status"] == "completed"
    assert (document["backend"], document["shots"]) == ("aer/noisy", 4096)
    assert document["circuit"]["gates"] == {"h": 1, "cx": 1}
    assert document["circuit"]["fingerprint"].startswith("sha256:")
    assert document["decision"]["effect"] == "allow"
    assert document["decision"]["policy_version"].startswith("sha256:")
    assert document["quote"]["high"] == "0"
    assert document["cost"] == {"currency": "USD", "amount": "0", "basis": "quoted"}
    assert sum(document["counts"].values()) == 4096
    fidelity = document["fidelity"]
    assert fidelity["low"] < fidelity["value"] < fidelity["high"]
    assert fidelity["shots"] == 4096
    assert fidelity["level"] == 0.95
    assert document["ledger"]["digest"].startswith("sha256:")


def test_too_much_exits_three_with_all_reasons(qpm: Any) -> None:
    """A rule denies (also when a quota is exceeded too): exit 3, the decision in the document."""
    code, document, _ = qpm("run", str(BELL), "--shots", "5000000000")
    assert code == 3
    assert document["status"] == "denied"
    assert {r["kind"] for r in document["decision"]["reasons"]} >= {"rule", "quota"}


def test_over_a_quota_exits_four(qpm: Any, bundle_with: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a quota is exceeded: exit 4."""
    quotas = [{"id": "few", "measure": "shots", "scope": "user", "window": "day", "limit": 100}]
    monkeypatch.setenv("QPM_POLICIES", str(bundle_with(quotas)))
    code, document, _ = qpm("run", str(BELL), "--shots", "101")
    assert code == 4
    assert document["decision"]["reasons"][0]["details"]["left"] == "100"


@pytest.mark.parametrize(
    "words",
    [
        ("run", "nowhere.qasm"),
        ("run", str(ROOT / "README.md")),
        ("run", str(ROOT)),
        ("run", str(BELL), "--shots", "none"),
        ("run", str(BELL), "--backend", "ibm"),
        ("run", str(BELL), "--no-wait"),
        ("run", str(BELL), "--parameter", "theta=1"),
        ("run",),
        ("walk",),
        (),
        ("show", "ffffffffffff"),
        ("show", ""),
        ("jobs", "--limit", "0"),
        ("jobs", "--before", "nothing"),
        ("policy", "check", "nowhere"),
        ("policy",),
        ("ledger", "entry", "99999"),
        ("ledger", "verify", "--checkpoint", "nowhere.txt"),
        ("usage", "--by", "mood"),
    ],
)
def test_bad_input_exits_two_with_one_error_document(qpm: Any, words: tuple[str, ...]) -> None:
    """Message and hint as JSON, the same on standard error, no traceback."""
    code, document, messages = qpm(*words)
    assert code == 2
    assert document["error"]["message"]
    assert "Traceback" not in messages


def test_a_file_that_is_no_circuit_says_where(qpm: Any, tmp_path: Path) -> None:
    """A syntax error names the line."""
    bad = tmp_path / "bad.qasm"
    bad.write_text('OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[2];\nh q[7];\n')
    code, document, _ = qpm("run", str(bad))
    assert code == 2
    assert "4" in document["error"]["message"]


def test_explain_exits_as_the_job_would(qpm: Any) -> None:
    """A dry run has the decision and the job's exit code, and records nothing."""
    code, document, _ = qpm("explain", str(BELL))
    assert (code, document["status"]) == (0, "dry_run")
    code, document, _ = qpm("explain", str(BELL), "--shots", "5000000000")
    assert (code, document["decision"]["effect"]) == (3, "deny")
    assert qpm("jobs")[1]["jobs"] == []


def test_quote_has_one_key(qpm: Any) -> None:
    """`qpm quote` prints {"quote": …}."""
    code, document, _ = qpm("quote", str(BELL))
    assert code == 0
    assert document["quote"]["expected"] == "0"


def test_what_ran_can_be_listed_shown_and_summed(qpm: Any) -> None:
    """jobs, show and usage tell of the same job."""
    job_id = qpm("run", str(BELL), "--shots", "10", "--experiment", "bell")[1]["job_id"]
    assert qpm("jobs", "--experiment", "bell")[1]["jobs"][0]["job_id"] == job_id
    assert qpm("show", job_id[:8])[1]["job_id"] == job_id
    usage = qpm("usage", "--by", "experiment")[1]
    assert usage["usage"][0]["shots"] == 10
    assert usage["quota"]


def test_verify_passes_until_somebody_edits_the_ledger(qpm: Any, home: Path, tmp_path: Path) -> None:
    """Exit 8 and the first bad entry after an edit; a checkpoint finds a cut-off end."""
    import sqlite3

    qpm("run", str(BELL), "--shots", "10")
    checkpoint = tmp_path / "checkpoint.txt"
    assert qpm("ledger", "checkpoint", "--out", str(checkpoint))[0] == 0
    assert qpm("ledger", "verify", "--checkpoint", str(checkpoint))[0] == 0
    with sqlite3.connect(home / "ledger.db") as database:
        database.execute("UPDATE ledger_entries SET event = 'job.failed' WHERE seq = 3")
    code, report, _ = qpm("ledger", "verify")
    assert code == 8
    assert report["first_bad"] == 3


def test_policies_are_checked_and_tested(qpm: Any) -> None:
    """All four shipped bundles are sound and pass their own tests."""
    for name in ("personal", "team", "classroom", "regulated"):
        assert qpm("policy", "check", name)[0] == 0
        assert qpm("policy", "test", name)[0] == 0


def test_a_broken_bundle_is_told_where_it_is_broken(qpm: Any, bundle_with: Any) -> None:
    """policy check exits 2 and names file and fault."""
    folder = bundle_with([{"id": "bad", "measure": "hopes", "scope": "user", "window": "day", "limit": 1}])
    code, document, _ = qpm("policy", "check", str(folder))
    assert code == 2
    assert any("quotas.yaml" in problem for problem in document["problems"])


def test_the_doctor_finds_everything_in_place(qpm: Any) -> None:
    """Every check has a state and, unless it is fine, something to do."""
    code, document, _ = qpm("doctor")
    assert code == 0, document
    assert all(check["state"] == "ok" or check["fix"] for check in document["checks"])


def test_the_installed_command_works_without_a_terminal(home: Path) -> None:
    """`qpm` itself, as text, with an encoding that lacks our characters."""
    import os

    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = subprocess.run(
        [Path(sys.executable).with_name("qpm"), "run", BELL, "--backend", "aer/noisy", "--shots", "100"],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    assert "aer/noisy" in done.stdout
    assert "Traceback" not in done.stderr


def test_an_interrupted_run_is_recorded_as_cancelled(home: Path, tmp_path: Path) -> None:
    """Ctrl-C on a long simulation cancels it, says so and leaves nothing open."""
    import signal
    import time

    long = tmp_path / "long.qasm"
    gates = "".join(f"rx(0.{i % 9 + 1}) q[{i % 25}]; cx q[{i % 25}], q[{(i + 1) % 25}];\n" for i in range(4000))
    long.write_text(f'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[25];\n{gates}')
    command = [Path(sys.executable).with_name("qpm"), "run", long, "--json"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell that starts the tests in the background hands on an ignored SIGINT.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    from qpm_lab.ledger import Ledger

    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if (home / "ledger.db").exists() and Ledger.open(home).open_jobs():
            break
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 5, (out, err)
    assert "Traceback" not in err
    ledger = Ledger.open(home)
    assert [row.status for row in ledger.jobs()] == ["cancelled"]
    assert ledger.verify().ok


def test_looking_at_the_ledger_changes_nothing(qpm: Any, home: Path) -> None:
    """verify names an edited row and writes nothing, so that putting it back makes the ledger whole again."""
    import sqlite3

    qpm("run", str(BELL), "--shots", "10")
    with sqlite3.connect(home / "ledger.db") as database:
        database.execute("UPDATE jobs SET status = 'running'")
    code, report, _ = qpm("ledger", "verify")
    assert code == 8
    assert "status" in report["problems"][0]
    qpm("jobs")  # a start with recovery leaves a job alone that has ended by its entries
    with sqlite3.connect(home / "ledger.db") as database:
        database.execute("UPDATE jobs SET status = 'completed'")
    code, after, _ = qpm("ledger", "verify")
    assert (code, after["entries"]) == (0, report["entries"])


def test_a_ledger_that_does_not_verify_is_not_signed(qpm: Any, home: Path) -> None:
    """checkpoint exits 8 instead of vouching for an edited chain."""
    import sqlite3

    qpm("run", str(BELL), "--shots", "10")
    with sqlite3.connect(home / "ledger.db") as database:
        database.execute("UPDATE ledger_entries SET at = '2020-01-01T00:00:00.000000Z' WHERE seq = 2")
    assert qpm("ledger", "checkpoint")[0] == 8


def test_a_wrong_home_has_no_ledger_and_gets_none(qpm: Any, home: Path) -> None:
    """A typo in QPM_HOME is told, not verified."""
    code, document, _ = qpm("ledger", "verify")
    assert code == 2
    assert "no ledger" in document["error"]["message"]
    assert not home.exists()


def test_what_is_no_checkpoint_is_bad_input_and_not_a_broken_ledger(qpm: Any) -> None:
    """Exit 2, not 8."""
    qpm("run", str(BELL), "--shots", "10")
    assert qpm("ledger", "verify", "--checkpoint", str(ROOT / "README.md"))[0] == 2


def test_an_unknown_user_is_told_so(qpm: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """usage and doctor say that the bundle does not know the user, not that there are no quotas."""
    monkeypatch.setenv("QPM_POLICIES", "team")
    monkeypatch.setenv("LOGNAME", "nobody-here")
    code, document, _ = qpm("usage")
    assert (code, "nobody-here" in document["error"]["message"]) == (2, True)
    code, document, _ = qpm("doctor")
    assert code == 5
    assert [c["check"] for c in document["checks"] if c["state"] == "failed"] == ["user"]


@pytest.mark.parametrize(("text", "shots"), [("4_096", 4096), ("4,096", 4096), ("1e3", 1000), ("1.5e3", 1500)])
def test_shots_are_read_as_people_write_them(qpm: Any, text: str, shots: int) -> None:
    """Grouped in threes or with an exponent."""
    assert qpm("explain", str(BELL), "--shots", text)[1]["shots"] == shots


@pytest.mark.parametrize("text", ["1,5", "1.5", "10,00", "1__0", "nan", "inf", "1e99", "0x10", "", "²"])
def test_what_is_not_a_whole_number_of_shots_is_refused(qpm: Any, text: str) -> None:
    """A decimal comma is not a group of three."""
    assert qpm("explain", str(BELL), "--shots", text)[0] == 2


@pytest.fixture
def turn(tmp_path: Path) -> Path:
    """A circuit file with two parameters."""
    from qiskit import QuantumCircuit, qpy
    from qiskit.circuit import Parameter

    circuit = QuantumCircuit(1, name="turn")
    circuit.rx(Parameter("theta"), 0)
    circuit.rz(Parameter("phi"), 0)
    with (tmp_path / "turn.qpy").open("wb") as file:
        qpy.dump(circuit, file)
    return tmp_path / "turn.qpy"


def test_a_sweep_runs_as_one_job(qpm: Any, turn: Path) -> None:
    """Two sweeps make a grid; the list shows one job with the shots of all points."""
    sweep = ("--sweep", "theta=linspace(0, pi, 5)", "--sweep", "phi=[0, 1]", "--shots", "20")
    code, document, _ = qpm("run", str(turn), *sweep)
    assert (code, document["status"], document["circuit"]["points"]) == (0, "completed", 10)
    assert len(qpm("jobs")[1]["jobs"]) == 1
    assert qpm("usage")[1]["usage"][0]["shots"] == 200


def test_a_sweep_beside_a_fixed_value_is_quoted_and_explained(qpm: Any, turn: Path) -> None:
    """A refusal exits as always and says how many points would fit."""
    words = (str(turn), "--parameter", "phi=pi/2", "--sweep", "theta=range(1000)")
    assert qpm("quote", *words)[1]["quote"]["high"] == "0"
    code, document, _ = qpm("explain", *words, "--shots", "1615000")
    assert code == 3
    (reason,) = document["decision"]["reasons"]
    assert reason["details"]["points_that_fit"] == 619


@pytest.mark.parametrize(
    "words",
    [
        ("--sweep", "theta=[1, 2]"),
        ("--sweep", "theta=angles", "--parameter", "phi=0"),
        ("--sweep", "theta", "--parameter", "phi=0"),
        ("--sweep", "theta=linspace(0, 1, 10**7)", "--parameter", "phi=0"),
        ("--sweep", "thta=[1]", "--parameter", "theta=0", "--parameter", "phi=0"),
        ("--fidelity", "perfect"),
    ],
)
def test_a_sweep_that_cannot_be_read_exits_two(qpm: Any, turn: Path, words: tuple[str, ...]) -> None:
    """An open parameter, a variable that no command line has, no values, too many, a wrong name."""
    code, document, _ = qpm("run", str(turn), *words)
    assert code == 2
    assert document["error"]["hint"]


def test_jobs_are_listed_by_session(qpm: Any, home: Path) -> None:
    """What was run in a session made in Python is found by the session's id."""
    from qpm_lab import Lab

    lab = Lab()
    with lab.session(max_jobs=2) as session:
        inside = session.submit(BELL, shots=10)
        inside.result()
    lab.submit(BELL, shots=10).result()
    lab.close()
    listed = qpm("jobs", "--session", session.id)[1]["jobs"]
    assert [row["job_id"] for row in listed] == [inside.id]
