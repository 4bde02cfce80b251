"""What magics show of several vendors at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from qpm_magics.cards import display_both

if TYPE_CHECKING:
    from qpm_lab.lab import Lab


def show_quotes(lab: Lab, value: Any, keywords: Mapping[str, Any]) -> None:
    """One table: what the job would cost on each backend that was named, or on all."""
    from qpm_lab.display import quotes_html, quotes_text

    named = keywords["backend"]
    backends = None if named == "all" else [each.strip() for each in named.split(",") if each.strip()]
    rest = {name: given for name, given in keywords.items() if name != "backend"}
    rows = lab.quotes(value, backends, **rest)
    display_both(quotes_html(rows), quotes_text(rows))


def show_route(lab: Lab, value: Any, keywords: Mapping[str, Any]) -> None:
    """One table: every backend of a route, its rank and why."""
    from qpm_lab.display import route_html, route_text

    document = lab.explain_route(value, **keywords)
    display_both(route_html(document), route_text(document))
