"""Which jobs and lines agree, and that nothing is lost on the way."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qpm_lab.cli import main
from qpm_lab.lab import close_default_lab
from qpm_lab.ledger import Ledger
from qpm_lab.reconcile import Report, reconcile
from qpm_lab.reconcile.formats import FORMATS, Invoice
from qpm_lab.reconcile.lines import Line
from qpm_lab.reconcile.matching import _report
from qpm_lab.reconcile.reading import Table
from qpm_lab.reconcile.recorded import Recorded

from .making import job, written

HEAD = "vendor_id,amount,currency,cost_center"
TODAY = datetime.now(UTC).date()


def found(ledger: Ledger, tmp_path: Path, *rows: str) -> Report:
    return reconcile(ledger, [written(tmp_path / "list.csv", HEAD, *rows)])


@pytest.mark.parametrize(
    ("recorded", "amounts", "agrees"),
    [
        ("0.30", ["0.30"], True),
        ("0.304", ["0.30"], True),
        ("0.305", ["0.30"], True),
        ("0.3051", ["0.30"], False),
        ("0.31", ["0.30"], False),
        ("0.30", ["0.31"], False),
        ("0.309", ["0.30", "0.00"], True),
        ("0.309", ["0.300000", "0.00"], False),
        ("1000", ["1000.00"], True),
        ("1.30", ["1"], False),
        ("0.30", ["0.50", "-0.20"], True),
        ("0.000000001", ["0.0000000005"], True),
    ],
)
def test_half_a_cent_or_the_invoices_own_rounding_is_no_difference(
    ledger: Ledger, tmp_path: Path, recorded: str, amounts: list[str], agrees: bool
) -> None:
    """Each line may have been rounded to the decimals that the file has."""
    job(ledger, "v-1", cost=recorded)
    report = found(ledger, tmp_path, *(f"v-1,{amount},USD," for amount in amounts))
    assert [item.category for item in report.items] == ["matched" if agrees else "different"]


def test_all_four_verdicts_with_sums_by_cost_centre(ledger: Ledger, tmp_path: Path) -> None:
    """And the difference of each."""
    ids = {
        "matched": job(ledger, "v-1", "v-1b", cost="0.60", cost_center="physics"),
        "different": job(ledger, "v-2", cost="0.30", cost_center="physics"),
        "missing": job(ledger, "v-3", cost="0.90", cost_center="chemistry"),
    }
    rows = ("v-1,0.30,USD,", "v-1b,0.30,USD,", "v-2,0.45,USD,", "v-9,7.00,USD,biology", "v-9,1.00,USD,biology")
    report = found(ledger, tmp_path, *rows)
    document = report.to_dict()
    assert {name: [item["job_id"] for item in document[name]] for name in ids} == {n: [i] for n, i in ids.items()}
    assert document["different"][0]["difference"] == {"USD": "0.15"}
    assert [(item["vendor_ids"], item["billed"]) for item in document["unexpected"]] == [(["v-9"], {"USD": "8"})]
    assert [(row["cost_center"], row["billed"], row["recorded"]) for row in document["cost_centers"]] == [
        ("biology", "8", "0"),
        ("chemistry", "0", "0.9"),
        ("physics", "1.05", "0.9"),
    ]
    assert document["counts"] == {
        "matched": 1, "different": 1, "missing": 1, "unexpected": 1, "other": 0, "bad_rows": 0,
    }  # fmt: skip


def test_currencies_are_never_added_or_subtracted(ledger: Ledger, tmp_path: Path) -> None:
    """A bill in another currency differs, by an amount that nobody knows."""
    job(ledger, "v-1", cost="0.30", currency="USD")
    document = found(ledger, tmp_path, "v-1,0.30,EUR,").to_dict()
    (item,) = document["different"]
    assert (item["billed"], item["recorded"], item["difference"]) == ({"EUR": "0.3"}, {"USD": "0.3"}, None)
    assert [(row["currency"], row["billed"], row["recorded"]) for row in document["cost_centers"]] == [
        ("EUR", "0.3", "0"),
        ("USD", "0", "0.3"),
    ]


def test_a_job_that_has_not_ended_or_failed_is_told_with_its_state(ledger: Ledger, tmp_path: Path) -> None:
    """A bill for it is a difference; without one it is not missing."""
    job(ledger, "v-1", cost=None)
    job(ledger, "v-2", cost="0", ending="job.failed")
    job(ledger, "v-3", cost=None)
    report = found(ledger, tmp_path, "v-1,0.30,USD,", "v-2,0.30,USD,")
    assert {(item.category, item.status, item.basis) for item in report.items} == {
        ("different", "queued", None),
        ("different", "failed", "quoted"),
    }


def test_a_job_is_found_by_its_token_too(ledger: Ledger, tmp_path: Path) -> None:
    """Which is what it is called at the vendor."""
    one = job(ledger, "v-1")
    assert found(ledger, tmp_path, f"token-{one}-0,0.30,USD,").ok


def test_earlier_attempts_are_part_of_a_job(ledger: Ledger, tmp_path: Path) -> None:
    """Their ids are its ids, and the outcome's cost has theirs in it."""
    one = job(ledger, "first", cost=None)
    ledger.retry(one, 1, {"cost": {"currency": "USD", "nano": 10**8, "basis": "billed"}, "token": "t2"}, [])
    ledger.accepted(one, 1, {"part": 0, "token": "t2", "vendor_id": "second"}, "second")
    payload = {"cost": {"currency": "USD", "nano": 4 * 10**8, "basis": "billed"}}
    ledger.finish(one, 1, "job.completed", payload, settled={}, summary={"cost_nano": 4 * 10**8, "currency": "USD"})
    (item,) = found(ledger, tmp_path, "first,0.10,USD,", "second,0.30,USD,").items
    assert (item.category, item.job_id, set(item.vendor_ids)) == ("matched", one, {"first", "second"})


def test_jobs_of_this_machine_are_no_invoices_business(ledger: Ledger, tmp_path: Path) -> None:
    """They were at no vendor."""
    job(ledger, cost="0", backend="aer/simulator")
    assert found(ledger, tmp_path, "v-1,0.30,USD,").counts()["missing"] == 0


def test_the_ledger_keeps_that_it_was_done(ledger: Ledger, tmp_path: Path) -> None:
    """Digests and sums; no path and nothing a vendor wrote."""
    job(ledger, "v-1")
    report = found(ledger, tmp_path, "v-1,0.30,USD,")
    entry = ledger.entry(ledger.head()[0])
    assert entry.event == "cost.reconciled"
    assert entry.payload["files"][0]["digest"] == report.files[0]["digest"]
    assert entry.payload["cost_centers"][0]["billed"] == "0.3"
    assert str(tmp_path) not in json.dumps(dict(entry.payload))
    assert ledger.verify().ok


amounts = st.integers(-(10**9), 10**12).map(lambda n: Decimal(n) / 10**6)
ids = st.sampled_from(["a", "b", "A/b", "c", "", "d/e"])


@st.composite
def a_line(draw: st.DrawFn) -> Line:
    named = tuple(draw(st.lists(ids, max_size=3)))
    foreign = draw(st.sampled_from(["", "", "AmazonS3"]))
    currency = draw(st.sampled_from(["USD", "EUR"]))
    return Line("f", draw(st.integers(2, 99)), "braket", named, draw(amounts), currency, TODAY, foreign=foreign)


@st.composite
def a_job(draw: st.DrawFn) -> Recorded:
    cost = draw(st.dictionaries(st.sampled_from(["USD", "EUR"]), amounts.map(abs), max_size=2))
    vendor_ids = tuple(draw(st.lists(ids.filter(bool), max_size=2)))
    name = draw(st.uuids()).hex
    return Recorded(
        name, "n", "braket", draw(st.sampled_from([None, "x"])), "completed", TODAY, vendor_ids, (), cost, "billed"
    )


@given(st.lists(a_line(), max_size=12), st.lists(a_job(), max_size=5))
def test_the_categories_add_up_to_all_lines_and_all_jobs(lines: list[Line], jobs: list[Recorded]) -> None:
    """Each line is in one item, each job in one at most, and all sums are those of the lines."""
    invoice = Invoice(Table(Path("f"), "", "sha256:0", ","), FORMATS["aws"], lines, [])
    report = _report([invoice], jobs)
    used = [line for item in report.items for line in item.lines]
    assert sorted(map(id, used)) == sorted(map(id, lines))
    told = [item.job_id for item in report.items if item.job_id]
    assert len(told) == len(set(told))
    for currency in ("USD", "EUR"):
        billed = sum(item.billed.get(currency, Decimal(0)) for item in report.items)
        assert billed == sum(line.amount for line in lines if line.currency == currency)
        ours = sum(line.amount for line in lines if line.currency == currency and line.foreign == "")
        by_center = sum(Decimal(r["billed"]) for r in report.cost_centers() if r["currency"] == currency)
        claimed = sum(
            x.amount for i in report.items if i.job_id for x in i.lines if x.currency == currency and x.foreign
        )
        assert by_center == ours + claimed
    due = [each for each in jobs if any(amount > 0 for amount in each.cost.values())]
    if lines:
        assert {each.job_id for each in due} <= set(told)


@pytest.fixture
def qpm(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs one command in this process; gives exit code, output and messages."""
    close_default_lab()  # that of another test, with another home

    def run(*words: str) -> tuple[int, str, str]:
        code = main(list(words))
        close_default_lab()
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def test_the_command_says_what_does_not_agree_with_exit_code_6(ledger: Ledger, tmp_path: Path, qpm: Any) -> None:
    """As a table, and as one document."""
    job(ledger, "v-1", cost_center="physics")
    missing = job(ledger, "v-2", cost="1234.50", cost_center="physics")
    path = str(written(tmp_path / "x.csv", HEAD, "v-1,0.30,USD,", "v-9,7,USD,", "v-9,x,USD,"))
    code, text, _ = qpm("reconcile", path)
    assert code == 6
    assert text.startswith("1 job matched, 0 different, 1 missing, 1 unexpected, 1 unreadable")
    assert "not on the invoice" in text
    assert "$1,234.50" in text
    assert "line 4: the amount 'x' is not a number" in text
    code, text, _ = qpm("reconcile", path, "--format", "generic", "--json")
    assert (code, json.loads(text)["missing"][0]["job_id"]) == (6, missing)


def test_the_command_ends_with_0_when_all_agrees(ledger: Ledger, tmp_path: Path, qpm: Any) -> None:
    """And with 2 when there is nothing to compare."""
    job(ledger, "v-1")
    path = str(written(tmp_path / "x.csv", HEAD, "v-1,0.30,USD,"))
    assert qpm("reconcile", path)[0] == 0
    assert qpm("reconcile", str(tmp_path / "absent.csv"), "--json")[0] == 2
    seconds = str(written(tmp_path / "s.csv", "job_id,usage_seconds", "v-1,3"))
    assert qpm("reconcile", seconds, "--per-second", "0.10 USD")[0] == 0
    assert qpm("reconcile", seconds, "--per-second", "cheap")[0] == 2
