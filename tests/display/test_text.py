"""The terminal gets the same words, aligned, within its width and its characters."""

from __future__ import annotations

import pytest

from qpm_lab.display import decision_text, quota_text, to_rich, to_text

from . import documents, lists

GALLERY = documents.gallery()


def test_bars_are_aligned_and_carry_their_intervals() -> None:
    """Solid up to the interval, shaded over it, then share and interval in figures."""
    lines = to_text(documents.completed(), width=88, encoding="utf-8").splitlines()
    rows = [line for line in lines if line.startswith("  0") or line.startswith("  1")]
    assert rows[0].startswith("  00000 █")
    assert "▒" in rows[0]
    assert rows[0].endswith("47.9 %  45.2 – 50.7 %")
    assert len({row.index(" %") for row in rows[:5]}) == 1


@pytest.mark.parametrize("name", GALLERY)
@pytest.mark.parametrize("width", [30, 60, 100])
def test_no_drawn_line_is_wider_than_the_terminal(name: str, width: int) -> None:
    """Bars and prose keep to the width from 60 columns on; ids and names are never cut."""
    text = to_text(GALLERY[name], width=width, encoding="utf-8")
    drawn = [line for line in text.splitlines() if "█" in line or "░" in line]
    assert all(len(line) <= max(width, 60) for line in drawn)


@pytest.mark.parametrize("name", GALLERY)
def test_ascii_terminals_get_ascii(name: str) -> None:
    """Where the encoding has no blocks the bars are # and =, and nothing raises."""
    text = to_text(GALLERY[name], width=80, encoding="ascii")
    assert text.isascii()
    if name == "completed":
        assert "#####" in text
        assert "45.2 - 50.7 %" in text


def test_a_name_cannot_speak_to_the_terminal() -> None:
    """Escape sequences in a name are taken out."""
    assert "\x1b" not in to_text(GALLERY["hostile"], encoding="utf-8")


def test_long_bit_strings_are_printed_whole() -> None:
    """127 qubits take lines of their own; two outcomes never look the same."""
    text = "".join(to_text(documents.wide(), width=80, encoding="utf-8").split())
    assert documents.wide()["outcomes"]["shown"][3]["key"] in text


def test_a_fidelity_has_the_same_heading_with_and_without_interval() -> None:
    """What was to be estimated is a heading, not the middle of a sentence."""
    refused = {**documents.estimate(None, None, None, "No."), "estimand": "outcome fidelity"}
    headings = [to_text(documents.completed(fidelity=f), width=88) for f in (refused, documents.estimate(0.9, 0.8, 1))]
    assert all("Outcome fidelity" in text for text in headings)
    assert "outcome fidelity" not in headings[0]


def test_colour_adds_nothing_to_the_words() -> None:
    """The coloured form is the plain one with styles."""
    rich = to_rich(documents.denied(), width=88)
    plain = to_text(documents.denied(), width=88, encoding="utf-8")
    assert [line.rstrip() for line in rich.plain.splitlines()] == plain.splitlines()
    assert rich.spans


def test_a_decision_in_the_terminal_has_all_reasons() -> None:
    """Each message, fix, rule and owner."""
    text = decision_text(documents.denied()["decision"], width=100)
    assert text.startswith("Denied.")
    assert text.count("Rule ") == 2
    assert decision_text({"effect": "allow", "reasons": []}) == "Allowed."


def test_quotas_in_the_terminal_come_tightest_first() -> None:
    """The one that will stop you is on top."""
    text = quota_text(lists.BUDGETS, width=100)
    assert text.index("cost today") < text.index("shots today")
    assert "almost used up" in text
