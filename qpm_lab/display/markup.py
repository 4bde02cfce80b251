"""HTML that cannot be injected into: every piece of text is escaped unless `el` itself made it."""

from __future__ import annotations

from functools import cache
from html import escape
from importlib.resources import files

from qpm_lab.display.figures import plain

VOID = frozenset({"br", "col"})


class Html(str):
    """Markup that has been escaped already; only this module makes it."""

    __slots__ = ()


Child = str | None


def el(name: str, *children: Child, **attributes: str | bool | None) -> Html:
    """One element. A trailing underscore is dropped from attribute names, other ones become dashes.

    Plain strings are cleaned and escaped, None and False are left out, True is a bare attribute.

    >>> el("b", "a<b", class_="x", aria_hidden="true")
    '<b class="x" aria-hidden="true">a&lt;b</b>'
    """
    pairs = ((key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items())
    opened = "".join(_attribute(key, value) for key, value in pairs if value is not None and value is not False)
    if name in VOID:
        return Html(f"<{name}{opened}>")
    return Html(f"<{name}{opened}>{join(*children)}</{name}>")


def join(*children: Child) -> Html:
    """The children one after another; what is not markup yet is escaped."""
    return Html("".join(_safe(child) for child in children if child is not None))


def _safe(child: str) -> str:
    return str(child) if isinstance(child, Html) else escape(plain(child))


def _attribute(key: str, value: str | bool | None) -> str:
    return f" {key}" if value is True else f' {key}="{escape(plain(value))}"'


def name_of(text: object) -> Html:
    """A name somebody else chose: isolated, so that its writing direction stays its own."""
    return el("bdi", plain(text))


def code(text: object, full: object = None) -> Html:
    """An id, command or bit string in fixed width; `full` is what hovering shows."""
    return el("code", plain(text), title=None if full is None else plain(full))


def verbatim(text: str) -> Html:
    """Text of several lines, each cleaned and escaped, for a `<pre>`."""
    return Html("\n".join(escape(plain(line)) for line in text.split("\n")))


@cache
def style(sheet: str) -> Html:
    """The `<style>` element of a sheet that lies beside this file."""
    text = files("qpm_lab.display").joinpath(sheet).read_text(encoding="utf-8")
    return Html(f"<style>{text}</style>")
