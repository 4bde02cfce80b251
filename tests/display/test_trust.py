"""How far to trust a result is said in words, in every form of the card: HTML, terminal and picture."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import pytest

from qpm_lab.display import jobs_html, jobs_text, to_html, to_png, to_text
from qpm_lab.display.wording import STATES
from qpm_lab.fidelity import FLAG_WORDS

from . import documents, lists, trusted
from .reading import Page

GALLERY = trusted.gallery()
WORDS = Path(__file__).parents[2] / "labextension" / "src"


def html(document: dict[str, Any]) -> str:
    return Page(to_html(document)).text


def text(document: dict[str, Any]) -> str:
    return to_text(document, width=100, encoding="utf-8")


def flat(document: dict[str, Any]) -> str:
    """The terminal's words without its lines."""
    return " ".join(text(document).split())


def estimated(**changes: Any) -> dict[str, Any]:
    return documents.completed(fidelity={**trusted.compared(0.958, 0.951, 0.965), **changes})


@pytest.mark.parametrize("name", GALLERY)
def test_every_judged_state_is_well_formed_and_can_be_drawn(name: str) -> None:
    """HTML that closes, ASCII for poor terminals, and a picture."""
    assert Page(to_html(GALLERY[name])).faults == []
    assert to_text(GALLERY[name], width=60, encoding="ascii").isascii()
    assert to_png(GALLERY[name]).startswith(b"\x89PNG")


@pytest.mark.parametrize("name", GALLERY)
def test_no_form_ever_says_state_fidelity_or_a_figure_without_its_interval(name: str) -> None:
    """The value itself stands nowhere outside the record."""
    document = GALLERY[name]
    shown = html(document).partition(" Record ")[0] + text(document)
    assert "state fidelity" not in shown.lower()
    assert str(document["fidelity"]["value"]) not in shown


@pytest.mark.parametrize(
    ("estimand", "method", "title"),
    [
        ("heavy-set outcome fidelity F_H = …", "exact", "Outcome fidelity (heavy set)"),
        ("process (entanglement) fidelity", "mirror circuit fidelity estimation", "Process fidelity (mirror circuits)"),
        ("process (entanglement) fidelity", "direct fidelity estimation", "Process fidelity (Clifford proxies)"),
        ("process fidelity (Clifford proxies)", "", "Process fidelity (Clifford proxies)"),
        ("state fidelity", "from elsewhere", "Outcome fidelity"),
    ],
)
def test_a_fidelity_has_the_short_name_of_its_kind(estimand: str, method: str, title: str) -> None:
    """Short in the heading; the estimand in full is in the details."""
    document = estimated(estimand=estimand, method=method)
    assert f"{title} 0.951 – 0.965 95 %" in html(document)
    assert f"{title} 0.951 – 0.965 (95 %)" in flat(document)


@pytest.mark.parametrize("render", [html, flat])
def test_the_method_stands_directly_under_its_interval(render: Any) -> None:
    """Below the Hellinger line it would read as that one's method."""
    card = render(GALLERY["compared"]).partition("How it was measured")[0]
    assert re.search(r"0\.951 – 0\.965 \(?95 %\)? Heavy-set, exact \(Clopper–Pearson\)\. .*Hellinger: 0\.931", card)
    assert card.count("Heavy-set, exact") == 1


def test_what_the_second_estimand_takes_for_granted_is_said() -> None:
    """In the details of the card and under the interval in a terminal; the same words are not said twice there."""
    data = trusted.compared(0.958, 0.951, 0.965)
    data["hellinger"]["assumption"] = "No few unlikely outcomes hold the errors."
    details = html(documents.completed(fidelity=data)).partition("How it was measured")[2]
    assert "Its assumption No few unlikely outcomes hold the errors." in details
    said = "takes for granted: No few unlikely outcomes hold the errors."
    assert f"Hellinger {said}" in flat(documents.completed(fidelity=data))
    data["assumption"] = data["hellinger"]["assumption"]
    assert flat(documents.completed(fidelity=data)).lower().count(said.lower()) == 1


@pytest.mark.parametrize("render", [html, flat])
def test_an_assumption_of_fidelity_and_further_circuits_alike_is_said_once(render: Any) -> None:
    """Word for word the same twice is noise; another assumption is told beside the first."""
    document = trusted.large()
    assert "They take for granted" in render(document)
    document["companions"]["assumption"] = trusted.ASSUMED
    said = render(document).partition(" Record ")[0]
    assert said.count(trusted.ASSUMED) == 1
    assert "They take for granted" not in said


def test_both_intervals_lie_on_one_axis_the_second_thinner() -> None:
    """The axis reaches to the companion's end too, and both are said with their level."""
    markup = to_html(GALLERY["red"])
    assert markup.count('class="iv"') == markup.count('class="iv2"') == 1
    assert 'style="left:97.40%;width:1.70%"' in markup
    assert 'style="left:21.00%;width:13.00%"' in markup
    assert "Hellinger: 0.210 – 0.340 (95 %)" in html(GALLERY["red"])


def test_the_terminal_draws_the_interval_where_it_lies() -> None:
    """From 0.951 to 0.965 on an axis from 0.9 to 1, the value marked."""
    (line,) = (line for line in text(documents.completed()).splitlines() if "├" in line)
    track = line.partition("├")[2].partition("┤")[0]
    inside = [place for place, sign in enumerate(track) if sign in "█╋"]
    assert inside == list(range(int(0.51 * len(track)), round(0.65 * len(track))))
    assert track[int(0.58 * len(track))] == "╋"


@pytest.mark.parametrize("flag", ["red", "amber"])
def test_a_flag_is_a_symbol_a_word_and_a_sentence(flag: Literal["red", "amber"]) -> None:
    """Whoever sees no colour reads the same."""
    said = f"{flag.capitalize()} flag: {FLAG_WORDS[flag]}."
    assert said in html(GALLERY[flag])
    assert f"{'⚑' if flag == 'red' else '⚐'} {said}" in flat(GALLERY[flag])


def test_a_red_flag_is_seen_in_the_first_line() -> None:
    """Of any of the circuits; amber is milder."""
    assert "trotter-6 check the errors" in html(GALLERY["red"])
    assert "check the errors" not in html(GALLERY["amber"])
    blocks = [{**documents.completed(), "name": None}, GALLERY["red"]]
    assert "check the errors" in html(documents.completed(results=blocks))


@pytest.mark.parametrize("name", ["compared", "ideal"])
def test_without_a_flag_nothing_is_raised(name: str) -> None:
    """White noise is no news, and an ideal simulator has nothing to flag."""
    document = {**documents.gallery(), **GALLERY}[name]
    assert "flag:" not in html(document)


def test_a_dispersion_warning_is_said_on_the_card() -> None:
    """Shots that are not independent make every interval too narrow."""
    said = "Dispersion: shots are not independent: 20 blocks differ by more."
    assert said in html(GALLERY["dispersed"])
    assert said in flat(GALLERY["dispersed"])


@pytest.mark.parametrize("render", [html, flat])
def test_a_refusal_says_why_how_many_shots_would_do_and_their_price(render: Any) -> None:
    """And the command that runs them."""
    said = render(GALLERY["refused-priced"])
    assert "Not claimed" in said
    assert "too wide for a single value. 12,000 shots would do. Somewhere in 0.620 – 0.890 (95 %)." in said
    assert "Price: $0.30 – $0.36, quoted (price list, 2026-07-23)." in said
    assert "%qjob --again 01JD8QK2V7M3 --shots 12000" in said


def test_a_refused_value_keeps_its_interval_on_the_axis_without_a_mark() -> None:
    """The interval exists; the single value is what is refused."""
    markup = to_html(GALLERY["refused"])
    assert 'class="iv"' in markup
    assert 'class="pt"' not in markup


def test_an_unknown_price_of_more_shots_is_never_a_zero() -> None:
    """It says unknown."""
    said = html(GALLERY["refused-unpriced"])
    assert "Price: unknown" in said
    assert "Run it with 12,000 shots." in said


def test_more_shots_stand_beside_another_advice_when_both_differ() -> None:
    """A failed validation keeps its own next step."""
    step = {"text": "More shots would not help: improve the circuit.", "command": None}
    said = html(trusted.refused(next=step))
    assert "Next: More shots would not help: improve the circuit. Or: Run it with 12,000 shots." in said


def test_the_shots_that_would_do_are_not_said_twice() -> None:
    """When the reason names them, it is enough."""
    document = trusted.refused()
    document["fidelity"]["reason"] = "With 12,000 shots it will be narrow enough."
    assert "would do" not in html(document)


def test_an_ideal_simulator_has_neither_axis_nor_interval_as_a_fidelity() -> None:
    """What sampling alone gives is in the details."""
    document = documents.gallery()["ideal"]
    card, _, details = html(document).partition("How it was measured")
    assert "Ideal simulator, sampling noise only" in card
    assert "0.998" not in card
    assert "would give 0.9980 – 1.0010 (95 %)" in details
    assert 'class="axis' not in to_html(document)
    assert "├" not in text(document)


@pytest.mark.parametrize("render", [html, flat])
def test_a_failed_validation_is_what_one_sees_first(render: Any) -> None:
    """Before the name, and with the end of the interval that failed."""
    said = render(GALLERY["unmet"])
    assert said.startswith("Completed, validation failed ghz5")
    assert "✗ fidelity>=0.96 failed: the lower end, 0.951, is below 0.96" in said
    assert "Attempt 2: the earlier one failed." in said


def test_a_pass_after_several_attempts_says_that_it_means_less() -> None:
    """And how the earlier ones ended; a pass at the first does not."""
    late, first = html(GALLERY["passed-late"]), html(GALLERY["passed"])
    assert "fidelity>=0.9 passed: the lower end, 0.951, reaches 0.9" in late
    assert "Attempt 3: of 2 earlier ones 1 passed, 1 failed. A pass after several attempts means less" in late
    assert "First attempt." in first
    assert "means less" not in first


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"text": "p(11)<=0.02", "passed": False, "threshold": 0.02}, "failed: the upper end, 0.965, is above 0.02"),
        ({"text": "p(11)<=0.98", "passed": True, "threshold": 0.98}, "passed: the upper end, 0.965, stays within 0.98"),
        ({"passed": False, "low": None, "high": None, "reason": "no interval."}, "failed: no interval"),
        ({"passed": False, "low": None, "high": None, "reason": None}, "failed: the value, 0.958, is below 0.9"),
    ],
)
def test_the_end_that_decides_is_the_one_that_is_named(changes: dict[str, Any], words: str) -> None:
    """The lower end for at least, the upper for at most, the reason where there is no interval."""
    one = {**trusted.condition("fidelity>=0.9", 0.951, 0.965, 0.9, True), **changes}
    document = trusted.judged(True)
    document["validation"]["conditions"] = [one]
    assert f"{words} ." in html(document)


@pytest.mark.parametrize("render", [html, flat])
@pytest.mark.parametrize("passed", [True, False])
def test_a_condition_on_a_process_fidelity_says_so(render: Any, passed: bool) -> None:
    """That of a histogram needs no such word."""
    document = trusted.judged(passed)
    (one,) = document["validation"]["conditions"]
    one["estimand"] = "process (entanglement) fidelity of the circuit, by Clifford proxies"
    verdict = "passed" if passed else "failed"
    assert f"{one['text']} (process fidelity) {verdict}: the lower end" in render(document)
    one["estimand"] = "heavy-set outcome fidelity"
    assert f"{one['text']} {verdict}: the lower end" in render(document)


def test_the_picture_of_a_failed_validation_differs_from_that_of_a_passed_one() -> None:
    """The red of the failed condition is in it."""
    pictures = [to_png(trusted.judged(passed)) for passed in (True, False)]
    assert pictures[0] != pictures[1]


def test_further_circuits_twirl_and_machine_are_in_the_details() -> None:
    """Method, number, who chose them, what they assume, and that a twirl hides nothing."""
    for said in (html(GALLERY["large"]), flat(GALLERY["large"])):
        assert "90 mirror circuits × 100 shots, chosen automatically" in said
        assert "The circuit is not twirled" in said
        assert trusted.ASSUMED in said
        assert "readout, 32 variants: an error symmetrisation" in said
        assert "It hides nothing from a vendor." in said
        assert "noise model of aer/noisy" in said


@pytest.mark.parametrize("alarm", [True, False])
def test_a_canary_tells_its_evidence_and_how_often_an_alarm_is_false(alarm: bool) -> None:
    """An alarm stands on the card itself."""
    said = html(trusted.canary(alarm))
    assert ("Drift alarm: the share of successes has fallen below 0.9309." in said) == alarm
    assert ("No alarm." in said) != alarm
    assert f"Evidence {'1480.2' if alarm else '0.31'}, alarm at 1,000." in said
    assert "at most one false alarm in 1,000 canaries" in said


def test_job_lists_say_how_a_validation_ended() -> None:
    """In both forms; a job without conditions keeps its word."""
    rows = [{**lists.JOBS[0], "validation": verdict} for verdict in ("failed", "passed", None)]
    for listed in (Page(jobs_html(rows)).text, jobs_text(rows)):
        assert listed.count("validation failed") == 1
        assert listed.count("validation passed") == 1
        assert listed.count("Completed") == 3


def pairs(name: str) -> dict[str, list[str]]:
    """The quoted strings of each key of one constant in the front end's words."""
    source = "".join(
        (WORDS / file).read_text(encoding="utf-8") for file in ("words.ts", "trustWords.ts", "measured.ts")
    )
    body = re.search(rf"const {name}\b[^=]*= \{{(.*?)\}};", source, re.DOTALL)
    assert body, name
    return {key: re.findall(r"'([^']*)'", rest) for key, rest in re.findall(r"(\w+): (\[[^\]]*\]|'[^']*')", body[1])}


def test_the_front_end_says_what_the_static_card_says() -> None:
    """Its own copies of the words are equal."""
    from qpm_lab.display import measured, trust

    tones = {"mut": "quiet"}
    assert pairs("FLAG_WORDS") == {flag: [words] for flag, words in FLAG_WORDS.items() if words}
    assert pairs("FLAGS") == {flag: list(told) for flag, told in trust.FLAGS.items()}
    assert pairs("STATES") == {state: [word, tones.get(tone, tone)] for state, (word, tone) in STATES.items()}
    for name, told in (("FURTHER", measured.FURTHER), ("CHOSEN", measured.CHOSEN), ("TWIRLS", measured.TWIRLS)):
        assert pairs(name) == {key: [words] for key, words in told.items()}
