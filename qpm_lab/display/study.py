"""The frame of every study's card: what was found, about what, the pages, what to do next, and the details."""

from __future__ import annotations

from qpm_lab.display.figures import plain
from qpm_lab.display.markup import Html, code, el, style
from qpm_lab.display.wording import Tone


def study_card(
    state: tuple[str, Tone],
    title: Html | str,
    detail: str,
    *,
    page: list[Html | None],
    step: tuple[str, str],
    foot: Html | None,
    spoken: str,
) -> str:
    """One `<section>` with its style sheets; safe to put into any page.

    Args:
        state: What was found in a word, and how it is meant.
        title: About what.
        detail: More about it, in small.
        page: The pieces of the page, one under the other.
        step: What to do next, and the command for it; empty words for nothing.
        foot: The details.
        spoken: What the card is called.
    """
    word, tone = state
    small = el("span", detail, class_="mut num")
    head = el("header", el("strong", word, class_=f"state {tone}"), el("b", title), small)
    words, command = step
    following = el("div", el("b", "Next: "), words, " ", code(command), class_="next") if words else None
    body = el("div", *page, class_="pad")
    sheets = (style("card.css"), style("study.css"))
    label = f"{spoken}: {word}"
    return str(el("section", *sheets, head, body, following, foot, class_="qpm-card qpm-study", aria_label=label))


def warnings(told: object) -> list[str]:
    """What a document warns of: a list of sentences, or one; anything else says nothing."""
    found = told if isinstance(told, list) else [told]
    return [text for each in found if (text := plain(each))]


def warned(sentences: list[str]) -> Html | None:
    """The same on a card."""
    return el("ul", *(el("li", words) for words in sentences), class_="warns warn") if sentences else None
