"""Every shape of invoice, as vendors write it and as spreadsheets save it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from qpm_lab.errors import InputError
from qpm_lab.ledger import Ledger
from qpm_lab.reconcile import reading, reconcile
from qpm_lab.reconcile.lines import Unreadable, read_amount, read_day

from .making import job, written

TODAY = datetime.now(UTC).date().isoformat()
ARN = "arn:aws:braket:eu-north-1:123456789012:quantum-task/"
CUR = (
    "identity/LineItemId,bill/BillingPeriodStartDate,bill/BillingPeriodEndDate,lineItem/UsageStartDate,"
    "lineItem/ProductCode,lineItem/UsageType,lineItem/ResourceId,lineItem/UnblendedCost,lineItem/CurrencyCode,"
    "resourceTags/user:cost_center"
)
CUR_2 = (
    "line_item_usage_start_date,line_item_product_code,line_item_resource_id,line_item_unblended_cost,"
    "line_item_currency_code"
)


def cur(task: str, cost: str, product: str = "AmazonBraket") -> str:
    first = TODAY[:8] + "01"
    return f"x,{first}T00:00:00Z,2099-01-01T00:00:00Z,{TODAY}T10:00:00Z,{product},EUN1-Task,{task},{cost},USD,physics"


def test_a_cost_and_usage_report_of_aws_adds_task_and_shot_fees(ledger: Ledger, tmp_path: Path) -> None:
    """Lines of one task are one job; other services of the account are named and do not matter."""
    one = job(ledger, f"{ARN}a1-b2", cost="1.75", cost_center="physics")
    two = job(ledger, f"{ARN}c3-d4", "c3-e5", cost="0.60")
    path = written(
        tmp_path / "cur.csv",
        CUR,
        cur(f"{ARN}a1-b2", "0.3000000000"),
        cur(f"{ARN}a1-b2", "1.45E0"),
        cur(f"{ARN}C3-D4", "0.30"),
        cur("c3-e5", '"0.30"'),
        cur("i-0abc", "12.50", "AmazonEC2"),
        cur("", "0.11"),
    )
    document = reconcile(ledger, [path]).to_dict()
    assert {item["job_id"]: item["billed"] for item in document["matched"]} == {
        one: {"USD": "1.75"},
        two: {"USD": "0.6"},
    }
    assert [(item["description"], item["billed"]) for item in document["other"]] == [("AmazonEC2", {"USD": "12.5"})]
    assert [(item["vendor_ids"], item["billed"]) for item in document["unexpected"]] == [([], {"USD": "0.11"})]
    assert document["files"][0]["format"] == "aws"
    assert document["ok"] is False
    assert document["cost_centers"] == [
        {"cost_center": "(none)", "currency": "USD", "billed": "0.6", "recorded": "0.6", "difference": "0"},
        {"cost_center": "physics", "currency": "USD", "billed": "1.86", "recorded": "1.75", "difference": "0.11"},
    ]


def test_the_second_version_of_that_report_is_known_too(ledger: Ledger, tmp_path: Path) -> None:
    """Its columns are in snake case."""
    one = job(ledger, f"{ARN}a1-b2", cost="0.30")
    row = f"{TODAY} 10:00:00 UTC,AmazonBraket,{ARN}a1-b2,0.3,USD"
    report = reconcile(ledger, [written(tmp_path / "cur.csv", CUR_2, row)])
    assert ([item.job_id for item in report.of("matched")], report.ok) == ([one], True)
    assert report.period == (date.fromisoformat(TODAY), date.fromisoformat(TODAY))


def test_a_report_of_a_period_without_a_line_of_a_job_misses_it(ledger: Ledger, tmp_path: Path) -> None:
    """The period is the one the report states, its end excluded; jobs of other vendors are none of its business."""
    absent = job(ledger, "never-billed", cost="0.42")
    job(ledger, "ibm-job", cost="3", backend="ibm/ibm_torino")
    job(ledger, "free", cost="0")
    report = reconcile(ledger, [written(tmp_path / "cur.csv", CUR, cur("other", "1", "AmazonS3"))])
    assert [item.job_id for item in report.of("missing")] == [absent]
    assert report.to_dict()["missing"][0]["difference"] == {"USD": "-0.42"}
    assert report.period is not None
    assert report.period[1] == date(2098, 12, 31)


def test_a_cost_export_of_azure_finds_the_job_beside_the_workspace(ledger: Ledger, tmp_path: Path) -> None:
    """In the additional information, or among the tags."""
    one = job(ledger, "0f8fad5b-d9cb-469f-a165-70867728950e", cost="97.50", backend="azure/ionq.qpu.forte-1")
    two = job(
        ledger, "7c9e6679-7425-40de-944b-e07fc1f90ae7", cost="12.5", backend="azure/quantinuum.qpu.h2-1", currency="EUR"
    )
    workspace = "/subscriptions/s/resourceGroups/r/providers/Microsoft.Quantum/Workspaces/w"
    month, day = TODAY[5:7], TODAY[8:]
    path = written(
        tmp_path / "azure.csv",
        "Date,ResourceId,ConsumedService,CostInBillingCurrency,BillingCurrencyCode,AdditionalInfo,Tags,CostCenter",
        f'{month}/{day}/{TODAY[:4]},{workspace},Microsoft.Quantum,97.5,USD,"{{""JobId"":""0F8FAD5B-D9CB-469F-A165-70867728950E""}}",,chem',
        f'{TODAY},{workspace},Microsoft.Quantum,12.5,EUR,,"""job"": ""7c9e6679-7425-40de-944b-e07fc1f90ae7""",',
        f"{TODAY},/subscriptions/s/providers/Microsoft.Compute/vm,Microsoft.Compute,5,USD,,,",
        encoding="utf-8-sig",
    )
    report = reconcile(ledger, [path])
    assert {item.job_id for item in report.of("matched")} == {one, two}
    assert (len(report.of("other")), report.ok) == (1, True)


def test_a_usage_export_of_ibm_is_matched_by_its_cost(ledger: Ledger, tmp_path: Path) -> None:
    """Account data may stand before the header."""
    one = job(ledger, "d0abc123", cost="4.80", backend="ibm/ibm_torino")
    path = written(
        tmp_path / "ibm.csv",
        "Account,Example GmbH",
        "",
        "Job ID;Instance;Backend;Usage (seconds);Cost;Currency;Created",
        f"d0abc123;open;ibm_torino;3;4,80;USD;{TODAY}T09:00:00.000Z",
    )
    report = reconcile(ledger, [path])
    assert ([item.job_id for item in report.of("matched")], report.ok) == ([one], True)
    assert report.items[0].lines[0].number == 4


def test_an_export_of_seconds_needs_the_price_of_one(ledger: Ledger, tmp_path: Path) -> None:
    """None is assumed."""
    job(ledger, "d0abc123", cost="4.80", backend="ibm/ibm_torino")
    path = written(tmp_path / "ibm.csv", "Workload ID,Instance,Usage (s)", "d0abc123,crn:x,3")
    with pytest.raises(InputError, match="how long jobs took and not what they cost") as raised:
        reconcile(ledger, [path])
    assert "--per-second" in raised.value.hint
    assert reconcile(ledger, [path], per_second=(Decimal("1.60"), "USD")).ok


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_plain_list_is_read_as_spreadsheets_save_it(
    ledger: Ledger, tmp_path: Path, delimiter: str, encoding: str
) -> None:
    """With a byte order mark, other delimiters, quoted numbers, and columns in any order."""
    one = job(ledger, "v-1", cost="1234.5")
    rows = ["Currency,Vendor ID,Amount,Description", 'usd,v-1,"1234.50","Grüße"']
    path = written(tmp_path / "list.csv", *(row.replace(",", delimiter) for row in rows), encoding=encoding)
    assert [item.job_id for item in reconcile(ledger, [path]).of("matched")] == [one]


@pytest.mark.parametrize(
    ("text", "comma", "expected"),
    [
        ("0.30", False, "0.30"),
        ("0,30", True, "0.30"),
        ("0,30", False, "0.30"),
        ("1,234", False, "1234"),
        ("1,234", True, "1.234"),
        ("1,234,567", True, "1234567"),
        ("1,234.5", True, "1234.5"),
        ("1.234,5", False, "1234.5"),
        ("1.234.567", False, "1234567"),
        ("$1'234.50", False, "1234.50"),
        ("1 234,50 €", True, "1234.50"),
        ("(0.30)", False, "-0.30"),
        ("-0.30", False, "-0.30"),
        ("3.0E-4", False, "0.00030"),
        (".5", False, "0.5"),
    ],
)
def test_amounts_are_read_exactly(text: str, comma: bool, expected: str) -> None:
    """As the delimiter tells what a single comma means."""
    assert read_amount(text, decimal_comma=comma) == Decimal(expected)


@pytest.mark.parametrize(
    "text", ["", "nan", "Infinity", "1e99", "0x10", "1_000", "--1", "abc", "٣", "1.2.3,4,5", "9" * 30]
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    """Python's own reading of numbers would take some of these."""
    with pytest.raises(Unreadable):
        read_amount(text, decimal_comma=False)


@pytest.mark.parametrize(
    "text",
    ["2026-11-22", "2026-11-22T10:00:00Z", "2026-11-22 10:00:00 UTC", "11/22/2026", "20261122", "22.11.2026",
     "2026-11-22T00:00:00Z/2026-11-23T00:00:00Z", "11/22/2026 12:00:00 AM"],
)  # fmt: skip
def test_days_are_read_in_every_way_that_exports_write_them(text: str) -> None:
    """An interval begins on its first."""
    assert read_day(text) == date(2026, 11, 22)


def test_every_bad_row_is_reported_with_its_line(ledger: Ledger, tmp_path: Path) -> None:
    """And the good ones around it are used."""
    one, two = job(ledger, "v-1"), job(ledger, "v-2")
    path = written(
        tmp_path / "list.csv",
        "vendor_id,amount,currency,date,description",
        f"v-1,0.30,USD,{TODAY},first",
        f"v-1,much,USD,{TODAY},",
        "",
        "v-1,0.30",
        f"v-1,0.30,dollars,{TODAY},",
        "v-1,0.30,USD,yesterday,",
        f'v-1,0.30,USD,{TODAY},"over',
        'two lines"',
        f"v-1,0.30,USD,{TODAY},{'x' * 70_000}",
        f"v-2,0.30,USD,{TODAY},",
        f'v-1,0.30,USD,{TODAY},"never closed',
        f"v-1,0.30,USD,{TODAY},swallowed",
    )
    report = reconcile(ledger, [path])
    assert [row.number for row in report.bad_rows] == [3, 5, 6, 7, 10, 12]
    assert {item.job_id: len(item.lines) for item in report.items} == {one: 2, two: 1}
    assert [line.number for item in report.items if item.job_id == one for line in item.lines] == [2, 8]
    assert report.ok is False
    assert "line 13" in report.bad_rows[-1].reason


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (("a,b,c", "1,2,3"), "no known shape"),
        ((), "no known shape"),
        (("vendor_id,amount", "v,1"), "no known shape"),
    ],
)
def test_a_file_of_another_shape_is_refused(ledger: Ledger, tmp_path: Path, rows: tuple[str, ...], said: str) -> None:
    """With what a plain list needs."""
    with pytest.raises(InputError, match=said) as raised:
        reconcile(ledger, [written(tmp_path / "x.csv", *rows)])
    assert "vendor_id,amount,currency" in raised.value.hint


def test_a_format_that_is_named_has_to_fit(ledger: Ledger, tmp_path: Path) -> None:
    """And has to be one."""
    path = written(tmp_path / "x.csv", "vendor_id,amount,currency", "v,1,USD")
    with pytest.raises(InputError, match="is no aws export"):
        reconcile(ledger, [path], "aws")
    with pytest.raises(InputError, match="There is no format"):
        reconcile(ledger, [path], "sap")
    assert len(reconcile(ledger, [path], "generic").of("unexpected")) == 1


def test_files_are_bounded(ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In size, rows and what they are."""
    path = written(tmp_path / "x.csv", "vendor_id,amount,currency", *["v,1,USD"] * 20)
    monkeypatch.setattr(reading, "MAX_ROWS", 10)
    with pytest.raises(InputError, match="more than 10 rows"):
        reconcile(ledger, [path])
    monkeypatch.setattr(reading, "MAX_BYTES", 100)
    with pytest.raises(InputError, match="larger than"):
        reconcile(ledger, [path])
    (tmp_path / "packed.csv").write_bytes(b"\x1f\x8b\x08\x00\xff")
    with pytest.raises(InputError, match="not text"):
        reconcile(ledger, [tmp_path / "packed.csv"])
    with pytest.raises(InputError, match="cannot be read"):
        reconcile(ledger, [tmp_path / "absent.csv"])
    with pytest.raises(InputError, match="no invoice"):
        reconcile(ledger, [])


def test_the_same_invoice_is_not_counted_twice(ledger: Ledger, tmp_path: Path) -> None:
    """Whatever its copies are called."""
    rows = ("vendor_id,amount,currency", "v,1,USD")
    with pytest.raises(InputError, match="same content"):
        reconcile(ledger, [written(tmp_path / "a.csv", *rows), written(tmp_path / "b.csv", *rows)])


def test_a_period_of_days_leaves_other_days_alone(ledger: Ledger, tmp_path: Path) -> None:
    """A job that ended outside of it is not missing."""
    job(ledger, "v-1")
    today = str(ledger.jobs()[0].ended_at)[:10]  # the tests may run past midnight
    earlier = (date.fromisoformat(today) - timedelta(days=40)).isoformat()
    rows = ["vendor_id,amount,currency,date,provider", f"gone,1,USD,{earlier},braket"]
    report = reconcile(ledger, [written(tmp_path / "x.csv", *rows)])
    assert report.counts()["missing"] == 0
    rows.append(f"gone,1,USD,{today},braket")
    assert reconcile(ledger, [written(tmp_path / "y.csv", *rows)]).counts()["missing"] == 1
