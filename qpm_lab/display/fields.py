"""The fields of `%qform`: how each is made, laid out and read. Only this file and the form use ipywidgets."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

import ipywidgets as widgets

from qpm_lab.errors import InputError
from qpm_lab.experiment import CLASSIFICATIONS

WIDEST = "420px"
"""Widest field; on narrower pages fields are as wide as the page."""
LABEL = {"description_width": "96px"}
MAX_ARGUMENTS = 10_000
"""Longest text of arguments that is read."""


def field(kind: Any, description: str, tooltip: str, **options: Any) -> Any:
    """A field that is never wider than the page around it.

    Args:
        kind: A class of ipywidgets.
        description: Its label.
        tooltip: What hovering and screen readers say.
        **options: What else the class takes.
    """
    layout = widgets.Layout(width="auto", min_width="0", max_width=WIDEST)
    return kind(description=description, tooltip=tooltip, style=LABEL, layout=layout, **options)


def text(description: str, tooltip: str, hint: str) -> Any:
    """A field of one line that speaks up when it is left or Enter is pressed."""
    return field(widgets.Text, description, tooltip, placeholder=hint, continuous_update=False)


def with_button(control: Any, button: Any) -> Any:
    """A field with a button at its right, or below it where the page is narrow."""
    control.layout.flex = f"0 1 {WIDEST}"
    button.layout.flex = "0 0 auto"
    return widgets.HBox([control, button], layout=widgets.Layout(flex_flow="row wrap"))


class MoreOptions:
    """What some policies and circuits need and most do not, folded away under `widget`."""

    def __init__(self) -> None:
        self.cost_center = text("Cost centre", "Who pays", "optional: who pays")
        self.project = text("Project", "The project the job counts for", "optional: what it counts for")
        levels = [("as the policy says", ""), *((name, name) for name in CLASSIFICATIONS)]
        self.classification = field(widgets.Dropdown, "Classification", "How sensitive the circuit is", options=levels)
        self.seed = text("Seed", "Makes a simulation repeatable", "optional: a whole number")
        self.arguments = text("Arguments", "What a QNode is called with, as Python literals", "for a QNode: 0.1, 0.2")
        self.fields = (self.cost_center, self.project, self.classification, self.seed, self.arguments)
        self.widget = widgets.Accordion([widgets.VBox(self.fields)], titles=("More options",), selected_index=None)

    def given(self) -> dict[str, Any]:
        """The options that were filled in, as keyword arguments of `Lab.submit`.

        Raises:
            InputError: the seed or the arguments cannot be read.
        """
        options = {
            "cost_center": self.cost_center.value.strip(),
            "project": self.project.value.strip(),
            "classification": self.classification.value,
            "seed": _seed(self.seed.value),
            "args": _arguments(self.arguments.value),
        }
        return _filled(options)


def _filled(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value not in (None, "", ())}


def _seed(typed: str) -> int | None:
    try:
        return int(typed) if typed.strip() else None
    except ValueError:
        raise InputError(f"The seed {typed[:40]!r} is not a whole number.", "Write 7, or leave it empty.") from None


def _arguments(typed: str) -> tuple[Any, ...]:
    """`0.1, [2, 3]` as a tuple of two."""
    hint = "Write Python literals with commas between them, such as 0.1, 0.2 or [1, 2]."
    if len(typed) > MAX_ARGUMENTS:
        raise InputError(f"The arguments are longer than {MAX_ARGUMENTS:,} characters.", hint)
    try:
        return tuple(ast.literal_eval(f"[{typed.strip()}]"))
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        raise InputError(f"The arguments {typed[:40]!r} cannot be read.", hint) from None
