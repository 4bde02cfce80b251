"""`%qsession`: opens, shows and closes the envelope that a loop draws from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qpm_lab.errors import InputError
from qpm_lab.options import ENVELOPE
from qpm_magics.cards import display_both

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qpm_lab.lab import Lab

EXAMPLE = "%qsession --max-cost 5 --max-jobs 200"


def show_open(lab: Lab) -> None:
    """Shows the open session; without one, the kernel's own envelope and how to open one."""
    session = lab.current_session
    if session is not None:
        _show(session.record())
    else:
        _show(None, budgets=[line for line in lab.budgets() if line["scope"] == "notebook_run"])


def show_opened(lab: Lab, keywords: Mapping[str, Any]) -> None:
    """Opens a session and shows it.

    Raises:
        InputError: it has no limit, or another one is open.
    """
    if not any(name in keywords for name in ENVELOPE):
        raise InputError("A session needs at least one limit.", f"Write {EXAMPLE}.")
    _show(lab.session(**keywords).record())


def show_closed(lab: Lab, keywords: Mapping[str, Any]) -> None:
    """Closes the open session and shows what it used.

    Raises:
        InputError: none is open, or there are options that open one.
    """
    session = lab.current_session
    if keywords:
        raise InputError("--close takes no other option.", "Write %qsession --close, then open the next one.")
    if session is None:
        raise InputError("No session is open.", f"{EXAMPLE} opens one.")
    session.close()
    _show(session.record())


def _show(record: Mapping[str, Any] | None, **more: Any) -> None:
    from qpm_lab.display import session_html, session_text

    display_both(session_html(record, **more), session_text(record, **more))
