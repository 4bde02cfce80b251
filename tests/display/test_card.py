"""The HTML card says what happened, in every state, and nobody's text becomes markup."""

from __future__ import annotations

import json
from typing import Any

import pytest

from qpm_lab.display import MIME, mimebundle, to_html

from . import documents
from .reading import Page

GALLERY = documents.gallery()


def read(document: dict[str, Any]) -> str:
    return Page(to_html(document)).text


@pytest.mark.parametrize("name", GALLERY)
def test_every_state_is_well_formed_and_needs_nothing_else(name: str) -> None:
    """No script, no address to load from, no handler, and every element is closed."""
    page = Page(to_html(GALLERY[name]))
    assert page.faults == []
    assert not {"script", "img", "link", "iframe", "object", "form", "input"} & set(page.tags)
    assert not [a for _, a, _ in page.attributes if a.startswith("on") or a in {"src", "href", "id"}]


def test_a_completed_job_shows_answer_interval_cost_quota_and_ledger() -> None:
    """The first card of the drawing, in its words."""
    text = read(documents.completed())
    for said in (
        "Completed ghz5 aer/noisy · 4,096 shots · 0.4 s",
        "Outcomes, with 95 % intervals for all at once",
        "11 more outcomes, 2.5 % together.",
        "0.951 – 0.965 95 %",
        "$0.00 local simulation is free",
        "Quota · shots today 121,904 of 1,000,000 used",
        "Next: Run it again to collect comparable runs",
        "Allowed by personal@9c41",
        "Ledger entry 7 sha256:4be1…",
        "all 5 qubits were measured",
    ):
        assert said in text


def test_a_screen_reader_gets_counts_shares_and_intervals_as_a_table() -> None:
    """Each outcome is a row with a heading of its own and all its figures as text."""
    page = Page(to_html(documents.completed()))
    assert "00000 45.2 – 50.7 % 47.9 % 1,962" in page.text
    assert ("th", "scope", "row") in page.attributes
    assert ("th", "scope", "col") in page.attributes
    assert "caption" in page.tags


def test_full_ids_are_there_on_hover() -> None:
    """A shortened digest carries the whole one."""
    titles = {value for _, name, value in Page(to_html(documents.completed())).attributes if name == "title"}
    assert {documents.DIGEST, documents.VERSION, documents.FINGERPRINT} <= titles


def test_a_denial_shows_every_reason_and_that_nothing_happened() -> None:
    """Message, fix, rule and owner of each; nothing was sent, nothing was spent."""
    text = read(documents.denied())
    for why in documents.denied()["decision"]["reasons"]:
        assert why["message"] in text
        assert why["fix"] in text
        assert why["rule"] in text
    assert "owner finance" in text
    assert "nothing was sent, nothing was spent" in text
    assert "Decided by team@9c41" in text


def test_advice_that_a_reason_gave_already_is_not_repeated_as_next_step() -> None:
    """The same sentence does not stand twice on a card."""
    fix = documents.denied()["decision"]["reasons"][0]["fix"]
    said = read({**documents.denied(), "next": {"text": fix, "command": None}}).partition("Decided by")[0]
    assert said.count(fix) == 1
    assert "Next:" not in said


def test_an_ideal_simulator_claims_no_fidelity() -> None:
    """It says that only sampling noise is there, and draws no axis."""
    html = to_html(GALLERY["ideal"])
    assert "Ideal simulator, sampling noise only" in Page(html).text
    assert 'class="axis"' not in html


def test_a_uniform_ideal_is_explained_as_normal_without_alarm() -> None:
    """A single Hadamard gate is no error: the reason stands there and nothing is red."""
    html = to_html(GALLERY["uniform"])
    assert "That is normal." in Page(html).text
    assert 'class="bad' not in html
    assert "state bad" not in html


def test_a_refused_fidelity_says_why_and_where_it_lies() -> None:
    """Not claimed, with the shots that would do and the interval that does exist."""
    text = read(documents.wide())
    assert "Not claimed" in text
    assert "21,000 shots" in text
    assert "0.310 – 0.720 (95 %)" in text


def test_the_axis_holds_the_whole_interval_even_beyond_one() -> None:
    """The ends of the axis are written below it; nothing is cut off."""
    text = read(GALLERY["above-one"])
    assert "0.991 – 1.004" in text
    assert "0.98 1.02" in text


def test_more_than_32_outcomes_say_how_much_is_not_shown() -> None:
    """The most frequent are drawn, some folded, and the rest is counted and weighed."""
    text = read(documents.wide())
    assert "972 more outcomes" in text
    assert "Show 24 of them" in text
    assert "948 more outcomes, 80.3 % together, not drawn." in text


@pytest.mark.parametrize("bits", [23, 40, 100, 127])
def test_long_bit_strings_keep_their_ends_and_are_there_in_full(bits: int) -> None:
    """First and last bits are seen; the whole is there for whoever hovers or listens."""
    key = "10110011" + "0" * (bits - 16) + "01010111"
    shown = documents.bars([(key, 1, 0.5, 0.4, 0.6)])
    html = to_html(documents.completed(outcomes=documents.outcomes(shown)))
    assert f'<span aria-hidden="true"><code title="{key}">10110011…01010111</code></span>' in html
    assert f'<span class="sr">{key}</span>' in html
    assert f'title="{key}: 1 shot, 50.0 %' in html


def test_bit_strings_that_fit_are_written_whole() -> None:
    """Up to 22 bits nothing is left out."""
    shown = documents.bars([("01" * 11, 1, 0.5, 0.4, 0.6)])
    html = to_html(documents.completed(outcomes=documents.outcomes(shown)))
    assert f'<th scope="row"><code>{"01" * 11}</code></th>' in html


def test_a_job_of_many_circuits_draws_four_and_counts_the_others() -> None:
    """Each block has its name and its own fidelity."""
    text = read(documents.many())
    assert "7 circuits × 4,096 shots" in text
    assert "theta=3 Outcomes" in text
    assert "theta=4 Outcomes" not in text
    assert "3 more circuits" in text


def test_a_running_job_shows_how_far_it_is_and_how_to_stop_it() -> None:
    """Progress in words and as a bar, elapsed time, and the command that cancels."""
    html = to_html(documents.running())
    assert "512 of 4,096 shots · simulating · started 2026-11-22 12:00:00 UTC" in Page(html).text
    assert "%qjobs --cancel 01JD8QK2V7M3" in Page(html).text
    assert "width:12.50%" in html


def test_a_failed_job_says_what_to_do_and_what_was_spent() -> None:
    """Message, hint, and money."""
    text = read(GALLERY["failed"])
    assert "The simulation's process was killed by signal 9." in text
    assert "Close other programs" in text
    assert "Nothing was spent." in text
    paid = {**GALLERY["failed"], "cost": {"currency": "EUR", "amount": "1.5", "basis": "billed"}}
    assert "Spent: €1.50, billed by the vendor." in read(paid)


def test_a_parked_job_says_how_to_settle_it_and_keeps_its_reservation() -> None:
    """Nobody can know, so a person decides."""
    text = read(GALLERY["parked"])
    assert "qpm jobs resolve 01JD8QK2V7M3 --vendor-id X | --not-submitted" in text
    assert "reservation is kept" in text


def test_a_dry_run_says_the_verdict_and_that_nothing_was_recorded() -> None:
    """Allowed and denied differ in their words, not only in their colour."""
    assert "It would be allowed" in read(GALLERY["dry-run"])
    assert "It would be denied" in read(GALLERY["dry-run-denied"])
    assert "$1.10 – $4.51" in read(GALLERY["dry-run"])


def test_a_quota_that_is_almost_used_up_says_so_in_words() -> None:
    """Above four fifths, with what is left; what running jobs hold counts."""
    text = read(GALLERY["above-one"])
    assert "$41.20 of $50.00 used, $5.00 held; almost used up, $3.80 left" in text
    assert "1 more quota" in text


ATTACKS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</style><script>alert(1)</script>",
    "</section></pre>",
    "&lt;script&gt;",
    "\u202egnp.exe",
    "\x1b]0;owned\x07",
)


@pytest.mark.parametrize("attack", ATTACKS)
def test_text_from_outside_never_becomes_markup(attack: str) -> None:
    """The same elements and attributes stand in the card whatever a text says, wherever it stands."""
    harmless, hostile = (_everywhere(documents.completed(), text) for text in ("x" * len(attack), attack))
    pages = [Page(to_html(document)) for document in (harmless, hostile)]
    assert pages[0].tags == pages[1].tags
    assert [a[:2] for a in pages[0].attributes] == [a[:2] for a in pages[1].attributes]
    assert pages[1].faults == []
    assert not set(pages[1].text) & {"\u202e", "\x1b", "\x07"}


def _everywhere(value: Any, text: str) -> Any:
    """The document with every string that a stranger may have chosen replaced."""
    if isinstance(value, dict):
        fixed = {"status", "amount", "limit", "used", "reserved", "left", "low", "high", "expected"}
        return {k if k != "h" else text: v if k in fixed else _everywhere(v, text) for k, v in value.items()}
    if isinstance(value, list):
        return [_everywhere(item, text) for item in value]
    return text if isinstance(value, str) else value


def test_the_record_is_in_the_card_whole_and_readable() -> None:
    """Whoever has only the HTML can still read the document out of it."""
    words = to_html(documents.completed(name="naïve θ"))
    record = words[words.index("<pre") :]
    text = "".join(Page(record[: record.index("</pre>") + 6]).words).strip()
    assert json.loads(text) == documents.completed(name="naïve θ")


def test_thousands_of_counts_do_not_swell_the_card() -> None:
    """The card's copy of the record names a long list of counts and leaves it in the data."""
    counts = {f"{i:0127b}": 1 for i in range(4096)}
    html = to_html(documents.completed(counts=counts))
    assert "4,096 outcomes, in the data of this output" in html
    assert len(html) < 40_000


def test_the_bundle_is_plain_json_with_all_forms() -> None:
    """A notebook file can hold it as it is; the picture is base64 text."""
    bundle = mimebundle(documents.completed())
    assert set(bundle) == {MIME, "text/html", "text/plain", "image/png"}
    assert json.loads(json.dumps(bundle, allow_nan=False)) == bundle
    assert bundle[MIME] == documents.completed()


@pytest.mark.parametrize("name", [n for n, d in GALLERY.items() if d["status"] != "completed"])
def test_only_a_completed_job_has_a_picture(name: str) -> None:
    """There is nothing to draw before, and a refusal is words."""
    assert "image/png" not in mimebundle(GALLERY[name])


def test_a_price_that_is_out_of_date_or_unknown_says_so_on_the_card() -> None:
    """An unknown price is never a zero."""
    quote = GALLERY["dry-run"]["quote"]
    assert "this price is out of date" in read({**GALLERY["dry-run"], "quote": {**quote, "stale": True}})
    unknown = {**quote, "low": None, "expected": None, "high": None}
    text = read({**GALLERY["dry-run"], "quote": unknown}).partition("Decided by")[0]
    assert "Cost, quoted unknown" in text
    assert "$0.00" not in text
