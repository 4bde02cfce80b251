"""Turns, medians, verdicts and the page, without measuring anything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks import page, picture
from benchmarks.finding import Finding, Target
from benchmarks.page import Section
from benchmarks.timing import Spread, differences, interleave, ratios

AT_LEAST_10 = Target(10, True, "×")
AT_MOST_2 = Target(2, False, " ms")


def finding(median: float, target: Target | None) -> Finding:
    unit = target.unit if target else "×"
    return Finding("a sweep", "Aer", unit, Spread(median, median, median), "1 ms against 10 ms", target)


@pytest.mark.parametrize(("contenders", "rounds"), [(2, 4), (3, 6), (5, 10)])
def test_contenders_take_turns(contenders: int, rounds: int) -> None:
    """Every contender runs once a round, and each begins equally often."""
    calls: list[int] = []

    def work(name: int) -> Callable[[], None]:
        return lambda: calls.append(name)

    times = interleave({str(n): work(n) for n in range(contenders)}, rounds, warm_up=0)
    turns = [calls[i : i + contenders] for i in range(0, len(calls), contenders)]
    assert all(sorted(turn) == list(range(contenders)) for turn in turns)
    assert [turn[0] for turn in turns] == [n % contenders for n in range(rounds)]
    assert all(len(each) == rounds for each in times.values())
    assert contenders == 2 or turns[0] != turns[contenders]


def test_warm_up_does_not_count() -> None:
    """The times hold the rounds asked for, while the work ran more often."""
    calls: list[int] = []
    assert len(interleave({"a": lambda: calls.append(1)}, rounds=3, warm_up=2)["a"]) == 3
    assert len(calls) == 5


def test_figures_are_of_pairs() -> None:
    """Ratios and differences are taken pair by pair, then the median and the quartiles."""
    assert ratios([2.0, 30.0, 4.0], [1.0, 10.0, 1.0]) == Spread(3.0, 2.5, 3.5)
    assert differences([3.0, 5.0], [1.0, 1.5]) == [2.0, 3.5]
    assert Spread.of([7.0]) == Spread(7.0, 7.0, 7.0)


@pytest.mark.parametrize(
    ("median", "target", "verdict"),
    [
        (10.0, AT_LEAST_10, "met"),
        (62.0, AT_LEAST_10, "met"),
        (7.5, AT_LEAST_10, "missed by 2.50× (25%)"),
        (2.0, AT_MOST_2, "met"),
        (-3.0, AT_MOST_2, "met"),
        (3.0, AT_MOST_2, "missed by 1.00 ms (50%)"),
        (99.0, None, "no target"),
    ],
)
def test_verdict_says_by_how_much(median: float, target: Target | None, verdict: str) -> None:
    """A figure on its target meets it; a miss names the shortfall."""
    assert finding(median, target).verdict == verdict
    assert finding(median, target).met == (not verdict.startswith("missed"))


def test_findings_travel_as_plain_data() -> None:
    """What a comparison prints is read back as it was."""
    for each in (finding(3.0, AT_MOST_2), finding(3.0, None)):
        assert Finding.from_dict(each.to_dict()) == each


def test_remarks_stay_with_their_comparison(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written by hand is on the page under its comparison, and nowhere else."""
    remarks = tmp_path / "remarks.md"
    remarks.write_text("# Remarks\n\n## sweep\nTwo threads were no faster.\n", encoding="utf-8")
    monkeypatch.setattr(page, "REMARKS", remarks)
    sections = [
        Section("sweep", "A sweep.\n\nHow.", [finding(7.5, AT_LEAST_10)], {"numpy": "2"}),
        Section("vqe", "A loop.\n\nHow.", [finding(1.0, AT_MOST_2)], {"numpy": "1"}),
    ]
    text = page.markdown(sections, "performance.svg", "make bench", 60.0)
    assert text.count("Two threads were no faster.") == 1
    assert text.index("### A sweep") < text.index("Two threads") < text.index("### A loop")
    assert "**missed by 2.50× (25%)**" in text
    assert "`vqe`, in its own environment: numpy 1" in text


def test_remarks_name_comparisons_that_exist() -> None:
    """A remark whose comparison was renamed would silently vanish from the page."""
    folder = Path(page.__file__).parent
    assert all((folder / f"{name}.py").exists() for name in page.remarks())


def test_the_same_findings_give_the_same_picture(tmp_path: Path) -> None:
    """Drawing twice writes the same bytes, so that a new picture means new figures."""
    findings = [finding(62.0, AT_LEAST_10), finding(-1.0, AT_MOST_2), finding(5.0, None)]
    for name in ("a.svg", "b.svg"):
        picture.draw(findings, tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert "62.0×, met" in (tmp_path / "a.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(("median", "options", "code"), [(7.5, ["--check"], 1), (62.0, ["--check"], 0), (7.5, [], 0)])
def test_only_a_check_fails_on_a_miss(
    median: float, options: list[str], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever the figures, measuring succeeds; `--check` exits 1 when a target was missed."""
    section = Section("sweep", "A sweep.", [finding(median, AT_LEAST_10)], {})
    monkeypatch.setattr(command, "_run", lambda comparison, quick: section)
    monkeypatch.setattr("sys.argv", ["benchmarks", "--only", "sweep", *options])
    assert command.main() == code
    assert "a sweep" in capsys.readouterr().out
