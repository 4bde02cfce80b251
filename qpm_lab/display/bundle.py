"""All forms of one job at once, as a notebook stores them: the durable record of a cell's output."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from qpm_lab.display.card import to_html
from qpm_lab.display.png import to_png
from qpm_lab.display.results import has_outcomes
from qpm_lab.display.text import to_text
from qpm_lab.display.wording import Document, status, without_body

MIME = "application/vnd.qpm-lab.job+json"
"""The record itself; JupyterLab draws it with our own renderer."""
WIDTH = 88
"""Columns of the text form: it is stored, so it must not depend on today's terminal."""


def mimebundle(document: Document) -> dict[str, Any]:
    """The record in every form a viewer may ask for.

    Args:
        document: A job record as in docs/record.md.

    Returns:
        MIME type → data, as `_repr_mimebundle_` returns it; every value is JSON, the picture is
        base64 text. There is a picture only when the job ended with something to draw.
    """
    bundle: dict[str, Any] = {
        MIME: dict(document),
        "text/html": to_html(document),
        "text/plain": to_text(document, width=WIDTH, encoding="utf-8"),
    }
    if _drawable(document):
        bundle["image/png"] = b64encode(to_png(document)).decode("ascii")
    return bundle


def _drawable(document: Document) -> bool:
    """Whether the job ended with outcomes, or as a sweep of which some points are done."""
    ended = status(document) in {"completed", "failed", "cancelled"}
    return ended and not without_body(document) and has_outcomes(document)
