"""Plans, comparisons and canaries as pages and as text: figures with their meaning, and nothing injected."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_lab.display import canary_html, canary_text, comparison_html, comparison_text, plan_html, plan_text
from qpm_lab.display.markup import style
from qpm_lab.display.surface import shell

from . import studies
from .reading import Page

Show = Callable[[dict[str, Any]], str]
PLAN: tuple[Show, Show] = (plan_html, lambda document: plan_text(document, width=100))
COMPARISON: tuple[Show, Show] = (comparison_html, lambda document: comparison_text(document, width=100))
CANARY: tuple[Show, Show] = (canary_html, lambda document: canary_text(document, width=100))
ALL = [
    (PLAN, studies.PLAN),
    (PLAN, studies.LARGE),
    (COMPARISON, studies.EQUIVALENT),
    (COMPARISON, studies.INCONCLUSIVE),
    (CANARY, studies.EMPTY),
    (CANARY, studies.HEALTHY),
    (CANARY, studies.DRIFTED),
    (CANARY, studies.UNWATCHED),
    (CANARY, studies.COPIED),
]


def both(forms: tuple[Show, Show], document: dict[str, Any]) -> list[str]:
    """The words of the page and of the terminal."""
    return [Page(forms[0](document)).text, " ".join(forms[1](document).split())]


@pytest.mark.parametrize(("forms", "document"), ALL)
def test_every_page_is_well_formed_and_every_line_fits(forms: tuple[Show, Show], document: dict[str, Any]) -> None:
    """Tables of a terminal may be cut into lines, never beyond the width."""
    assert Page(forms[0](document)).faults == []
    assert max(map(len, forms[1](document).splitlines())) <= 100


def test_a_plan_shows_the_worst_case_beside_the_prediction() -> None:
    """With the price, its date, what the rules say, and what to write where it would run."""
    for said in both(PLAN, studies.PLAN):
        assert "Shots for ± 0.02 (95 %): ghz5" in said
        assert "2,501" in said
        assert "810 at 0.931" in said
        assert "usually too good" in said
        assert "$97.50 – $104.20" in said
        assert "2026-07-23" in said
        assert "It may cost $104.20" in said
        assert "unknown" in said
        assert "%qjob qc --backend aer/noisy --shots 2501" in said
        assert "--backend ionq/qpu.forte-1" not in said
        assert "far/away: No adapter yet." in said


def test_a_plan_that_is_refused_says_why_and_what_would_do() -> None:
    """Instead of how to read its figures."""
    for said in both(PLAN, {**studies.PLAN, "reason": "The ideal outcomes are uniform."}):
        assert "The ideal outcomes are uniform. Further circuits can measure it: add --fidelity mirror." in said


def test_a_refusal_of_the_whole_plan_is_not_repeated_for_its_rows() -> None:
    """Once is enough."""
    refusal = "The ideal outcomes are uniform."
    rows = [studies.row("aer/noisy", measured="histogram", reason=refusal, reachable=False)]
    for said in both(PLAN, {**studies.PLAN, "reason": refusal, "rows": rows}):
        assert said.count(refusal) == 1


def test_a_width_out_of_reach_shows_a_dash_and_no_command() -> None:
    """The reason says what is reachable."""
    reason = "± 0.02 is not reachable here: further circuits give ± 0.044."
    further = {"method": "proxy", "circuits": 2000, "shots": 1}
    rows = [
        studies.row("stim/noisy", measured="proxy", reason=reason, companions=further, decision=studies.ALLOWED)
        | {"reachable": False, "half_width_expected": 0.044}
    ]
    for said in both(PLAN, {**studies.PLAN, "rows": rows}):
        assert f"stim/noisy: {reason}" in said
        assert "To run it" not in said
        assert "1,024" not in said
        assert "Clifford proxies –" in " ".join(said.replace("—", "–").split())


def test_a_terminal_names_its_own_command_for_more_reasons() -> None:
    """A magic is of no use there."""
    denied = {**studies.DENIED, "reasons": [studies.REASON] * 2}
    rows = [studies.row("far/away", measured="histogram", decision=denied)]
    with shell():
        said = plan_text({**studies.PLAN, "rows": rows}, width=100)
    assert "1 reason more: qpm explain." in said
    assert "%qexplain" not in said


def test_a_comparison_shows_each_pair_with_its_bound_and_the_limit() -> None:
    """In words as well as drawn, so that nobody has to see the drawing."""
    for said in both(COMPARISON, studies.EQUIVALENT):
        assert said.startswith("Equivalent")
        assert "0.013, at most 0.031" in said
        assert "equal means closer than 0.1, at most 5 % wrong" in said
        assert studies.IDS[0] in said
    page = comparison_html(studies.EQUIVALENT)
    assert page.count('class="limit"') == 3
    assert page.count('class="whisk"') == 3


def test_an_inconclusive_comparison_says_what_would_settle_it_and_its_price() -> None:
    """And warns of what differs."""
    for said in both(COMPARISON, studies.INCONCLUSIVE):
        assert "6,400 shots, $97.50 – $104.20 each (example.com/prices, 2026-07-23)" in said
        assert f"%qjob --again {studies.IDS[2]} --shots 6400" in said
        assert "different numbers of shots" in said


def test_many_pairs_and_circuits_are_folded_and_counted() -> None:
    """Nothing is left out silently."""
    pairs = [studies.pair(n, n + 1, 0.02, 0.04) for n in range(15)]
    document = studies.comparison("equivalent", *[studies.circuit("equivalent", *pairs)] * 10)
    for said in both(COMPARISON, document):
        assert "3 more pairs" in said
        assert "2 more circuits" in said


def test_a_canary_shows_its_history_with_the_stated_false_alarm_rate() -> None:
    """Baseline, floor and evidence are said, and drawn."""
    for said in both(CANARY, studies.HEALTHY):
        assert "No drift found" in said
        assert "at most one false alarm in 1,000 canaries while the success rate stays above the floor, 0.94" in said
        assert "floor = lower 95 % bound of the baseline − tolerance" in said
        assert "from 5 canaries" in said
        assert "Evidence of drift 1.1; the alarm is at 1,000." in said
    page = canary_html(studies.HEALTHY)
    assert page.count('class="reach"') == 8
    assert page.count('class="floor"') == 1
    assert "drift alarm" not in page


def test_an_alarm_is_seen_said_and_has_a_way_on() -> None:
    """Its marks differ in form, not in colour alone."""
    for said in both(CANARY, studies.DRIFTED):
        assert said.startswith("Drift")
        assert "%qcanary aer/noisy --shots 1000 --circuit qc --reset" in said
    assert canary_html(studies.DRIFTED).count('class="alarm"') == 2
    assert re.search(r"\.alarm \.dots\{[^}]*square", style("study.css"))


def test_drift_that_is_not_watched_is_not_called_absent() -> None:
    """Neither in the heading nor of a canary."""
    for said in both(CANARY, studies.UNWATCHED):
        assert said.startswith("Drift is not watched")
        assert "No drift found" not in said
        assert said.count("not watched") == 3
    assert 'class="state ok"' not in canary_html(studies.UNWATCHED)


def test_a_canary_that_does_not_count_is_said_to_be() -> None:
    """Beside the verdict on the others."""
    for said in both(CANARY, studies.COPIED):
        assert "The same simulation as canary 4be1 (seed 7)" in said
    assert canary_html(studies.COPIED).count('class="warns warn"') == 1


def test_no_history_teaches_the_first_step() -> None:
    """And draws no empty frame."""
    for said in both(CANARY, studies.EMPTY):
        assert "No canary yet" in said
        assert "run the first one: %qcanary aer/noisy --shots 1000 --circuit qc" in said
    assert "<svg" not in canary_html(studies.EMPTY)


def test_the_sheet_touches_nothing_outside_and_loads_nothing() -> None:
    """Every rule is about our own class."""
    rules = re.sub(r"@media[^{]*\{", "", re.sub(r"<[^>]+>", "", style("study.css")))
    selectors = [part.strip() for head in re.findall(r"([^{}]+)\{", rules) for part in head.split(",")]
    assert [each for each in selectors if not each.startswith(".qpm-")] == []
    assert "url(" not in rules


HOSTILE = "</style><script>alert(1)</script>\u202e\x1b[31m"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(HOSTILE),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(("forms", "document"), [ALL[0], ALL[3], ALL[6]])
@settings(max_examples=30)
@given(data=st.data())
def test_any_document_is_shown_and_injects_nothing(
    forms: tuple[Show, Show], document: dict[str, Any], data: st.DataObject
) -> None:
    """A document may come from a notebook that somebody sent."""
    changed = dict(document)
    for key in data.draw(st.lists(st.sampled_from(sorted(document)), min_size=1, max_size=4)):
        changed[key] = data.draw(JSON)
    page = Page(forms[0](changed))
    assert page.faults == []
    assert "script" not in page.tags
    assert "\x1b" not in forms[1](changed)


@pytest.mark.parametrize(
    ("forms", "document", "rows"), [(*ALL[0], "rows"), (*ALL[3], "circuits"), (*ALL[6], "history")]
)
@settings(max_examples=30)
@given(data=st.data())
def test_any_row_is_shown_and_injects_nothing(
    forms: tuple[Show, Show], document: dict[str, Any], rows: str, data: st.DataObject
) -> None:
    """The same for what is in its lists."""
    changed = {key: data.draw(JSON) if data.draw(st.booleans()) else value for key, value in document[rows][0].items()}
    page = Page(forms[0]({**document, rows: [changed, *document[rows][1:]]}))
    assert page.faults == []
    assert "script" not in page.tags
    assert forms[1]({**document, rows: [changed]})
