"""The four shipped bundles keep their promises."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from qpm_lab.policy import check, find_bundle, find_folder, shipped_names
from qpm_lab.policy import test as run_tests

from .making import FREE, QUOTAS, ask, price, vendor, write

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_the_four_bundles_are_found_by_name() -> None:
    """A name is enough, and no name is `personal`."""
    assert shipped_names() == ["classroom", "personal", "regulated", "team"]
    assert find_bundle(None).name == "personal"
    assert find_bundle(find_folder("team")).version == find_bundle("team").version


@pytest.mark.parametrize("name", shipped_names())
def test_a_shipped_bundle_is_sound_and_passes_its_own_tests(name: str) -> None:
    """Every rule and quota of it is exercised by its own rows (G9)."""
    assert check(find_folder(name)) == []
    assert [(row.name, row.got) for row in run_tests(find_folder(name)).rows if not row.ok] == []


@pytest.mark.parametrize("name", shipped_names())
def test_engine_and_bundles_point_to_each_other(name: str) -> None:
    """The first line of each says where the other is."""
    for file in find_folder(name).iterdir():
        if file.suffix != ".json":
            assert "Engine: qpm_lab/policy/" in file.read_text().split("\n")[0], file
    engine = Path(find_folder(name)).parents[1] / "qpm_lab" / "policy" / "__init__.py"
    assert "policies/" in engine.read_text().split("\n")[0]


def test_local_simulators_are_free_for_whoever_is_logged_in() -> None:
    """At least 10^8 shots a day, 10^4 jobs an hour, and 10^9 shots in one job, not one more."""
    bundle = find_bundle("personal")
    assert bundle.decide(ask("anyone at all", shots=10**9), FREE).effect == "allow"
    assert bundle.decide(ask("anyone at all", shots=10**9 + 1), FREE).effect == "deny"
    limits = {(h.measure, h.window): h.limit for h in bundle.holds(ask("x"), FREE, NOW)}
    assert limits["jobs", "hour"] >= 10**4
    assert limits["shots", "day"] >= 10**9


def test_a_vendor_is_capped_low() -> None:
    """Ten dollars a job; the same circuit on a simulator costs nothing."""
    bundle = find_bundle("personal")
    forte = vendor("ionq/qpu.forte-1")
    assert bundle.decide(ask(backend=forte), price("10")).effect == "allow"
    assert bundle.decide(ask(backend=forte), price("10.01")).effect == "deny"


@pytest.mark.parametrize("name", ["team", "classroom", "regulated"])
def test_strangers_get_nothing_from_a_shared_bundle(name: str) -> None:
    """Only `personal` admits whoever is logged in."""
    decision = find_bundle(name).decide(ask("mallory"), FREE)
    assert (decision.effect, decision.reasons[0].rule) == ("deny", "default.unknown-user")


def test_a_rule_that_no_row_exercises_fails_the_test_run(tmp_path: Path) -> None:
    """A rule nobody has seen act is not a tested rule; the same for permits and quotas."""
    row = "{name: one, request: {shots: 2000}, expect: deny, reasons: [limit.shots]}"
    rows = f"defaults: {{user: ada, backend: aer/simulator}}\ntests:\n  - {row}\n"
    report = run_tests(write(tmp_path / "b", tests_yaml=rows))
    assert not report.ok
    assert [row.name for row in report.rows if not row.ok] == [
        "permit.member is exercised",
        "shots-per-day is exercised",
    ]


@pytest.mark.parametrize(
    ("row", "got"),
    [
        ("{name: r, expect: deny}", "allow"),
        ("{name: r, request: {shots: 2000}, expect: deny, reasons: [other]}", "deny limit.shots"),
        ("{name: r, request: {shots: 2000}, expect: deny}", "deny limit.shots"),
        ("{name: r, used: {nothing: 3}, expect: allow}", "the row cannot be run: there is no quota 'nothing'"),
        ("{name: r, request: {cost: lots}, expect: allow}", "the row cannot be run: 'lots' is not a number"),
    ],
)
def test_a_row_that_is_not_met_says_what_came_instead(tmp_path: Path, row: str, got: str) -> None:
    """Effect and ids have to be exactly those expected."""
    text = f"defaults: {{user: ada, backend: aer/simulator}}\ntests:\n  - {row}\n"
    first = run_tests(write(tmp_path / "b", tests_yaml=text)).rows[0]
    assert (first.ok, first.got) == (False, got)


def test_a_row_gives_the_reasons_of_rules_and_quotas_together(tmp_path: Path) -> None:
    """A row is decided as a submission is: a refusing rule does not hide an empty quota."""
    row = "{name: r, request: {shots: 2000}, used: {shots-per-day: 4000}, expect: deny, reasons: [limit.shots]}"
    text = f"defaults: {{user: ada, backend: aer/simulator}}\ntests:\n  - {row}\n"
    first = run_tests(write(tmp_path / "b", tests_yaml=text)).rows[0]
    assert (first.ok, first.got) == (False, "deny limit.shots shots-per-day")


@pytest.mark.parametrize("written", ["seed: false", "seed: true", "shots: true", "qubits: false"])
def test_a_yes_or_no_is_not_taken_for_a_number(tmp_path: Path, written: str) -> None:
    """`seed: false` would be the seed 0; the row is refused and told how to say that there is none."""
    text = f"defaults: {{user: ada}}\ntests:\n  - {{name: r, expect: allow, request: {{{written}}}}}\n"
    (problem,) = run_tests(write(tmp_path / "b", tests_yaml=text)).problems
    assert problem.startswith(f"tests.yaml:3: tests.0.request.{written.split(':')[0]}")
    assert "is not a whole number; leave it out, or write null for none" in problem


def test_who_leads_a_team_can_submit_what_a_member_cannot() -> None:
    """Nothing grants approvals yet, so the way out that a refusal names has to work."""
    loaded, backend = find_bundle("team"), vendor("ibm/ibm_torino")
    refused = loaded.decide(ask("bob", backend=backend, cost_center="c"), price("60"))
    assert refused.effect == "needs-approval"
    assert all("can submit it" in reason.fix for reason in refused.reasons)
    assert loaded.decide(ask("ada", backend=backend, cost_center="c"), price("60")).effect == "allow"


def test_four_eyes_hold_for_officers_too() -> None:
    """In regulated work nobody agrees to their own job, and the refusal says that nothing can yet."""
    labels = {"cost_center": "c", "experiment": "e", "project": "p"}
    decision = find_bundle("regulated").decide(ask("olga", backend=vendor("iqm/garnet"), **labels), price("5"))
    assert decision.effect == "needs-approval"
    assert all("not part of this version" in reason.fix for reason in decision.reasons)


def test_a_misspelt_row_is_a_problem_with_its_line(tmp_path: Path) -> None:
    """A row that cannot be read is never silently skipped."""
    text = "defaults: {user: ada}\ntests:\n  - {name: r, expect: allow, request: {shotz: 3}}\n"
    (problem,) = run_tests(write(tmp_path / "b", tests_yaml=text)).problems
    assert problem.startswith("tests.yaml:3: tests.0.request.shotz")


@pytest.mark.parametrize(
    ("files", "same"),
    [
        ({"quotas_yaml": QUOTAS.replace("\n", "\r\n")}, True),
        ({"quotas_yaml": "# a note\n" + QUOTAS.replace("description: A", "description:    A")}, True),
        ({"quotas_yaml": QUOTAS.replace("5000", "5001")}, False),
        ({"quotas_yaml": QUOTAS.replace("shots-per-day", "daily")}, False),
    ],
)
def test_the_version_is_that_of_the_content(tmp_path: Path, files: dict[str, str], same: bool) -> None:
    """Line ends, comments and layout do not count; amounts and names do."""
    plain = find_bundle(write(tmp_path / "b")).version
    assert (find_bundle(write(tmp_path / "b", **files)).version == plain) is same


def test_the_version_of_rules_is_that_of_their_words(tmp_path: Path) -> None:
    """Comments and layout of rules do not count; ids and texts do."""
    folder = write(tmp_path / "b")
    version, rules = find_bundle(folder).version, (folder / "rules.cedar").read_text()
    (folder / "rules.cedar").write_text("// a note\r\n" + rules.replace("{ ", "{\t\n  ").replace("\n", " \r\n"))
    assert find_bundle(folder).version == version
    for old, new in (("limit.shots", "limit.more"), ("1000", "1001"), ("Ask for", "Ask  for")):
        (folder / "rules.cedar").write_text(rules.replace(old, new))
        assert find_bundle(folder).version != version
