"""A job record as text, HTML and picture, and lists as tables; the input is plain documents.

Nothing here knows the runner, the ledger or a vendor, and nothing heavy is imported until it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qpm_lab.display.bundle import (
        MIME,
        mimebundle,
    )
    from qpm_lab.display.canaries import (
        canary_html,
        canary_text,
    )
    from qpm_lab.display.card import (
        to_html,
    )
    from qpm_lab.display.comparison import (
        comparison_html,
        comparison_text,
    )
    from qpm_lab.display.listings import (
        backends_html,
        backends_table,
        backends_text,
        budgets_html,
        budgets_text,
        decision_text,
        jobs_html,
        jobs_table,
        jobs_text,
        quota_table,
        quota_text,
        quote_html,
        quote_line,
        quote_text,
        quotes_html,
        quotes_table,
        quotes_text,
        usage_html,
        usage_table,
        usage_text,
    )
    from qpm_lab.display.plans import (
        plan_html,
        plan_text,
    )
    from qpm_lab.display.png import (
        to_png,
    )
    from qpm_lab.display.routes import (
        route_html,
        route_text,
    )
    from qpm_lab.display.sessions import (
        session_html,
        session_text,
    )
    from qpm_lab.display.tables import (
        Column,
        Table,
        table_html,
        table_text,
    )
    from qpm_lab.display.text import (
        to_rich,
        to_text,
    )
    from qpm_lab.display.widget import (
        JobForm,
    )

_HOME = {
    "MIME": "bundle",
    "mimebundle": "bundle",
    "canary_html": "canaries",
    "canary_text": "canaries",
    "comparison_html": "comparison",
    "comparison_text": "comparison",
    "plan_html": "plans",
    "plan_text": "plans",
    "to_html": "card",
    "to_png": "png",
    "to_rich": "text",
    "to_text": "text",
    "route_html": "routes",
    "route_text": "routes",
    "session_html": "sessions",
    "session_text": "sessions",
    "Column": "tables",
    "Table": "tables",
    "table_html": "tables",
    "table_text": "tables",
    "backends_html": "listings",
    "backends_table": "listings",
    "backends_text": "listings",
    "budgets_html": "listings",
    "budgets_text": "listings",
    "decision_text": "listings",
    "jobs_html": "listings",
    "jobs_table": "listings",
    "jobs_text": "listings",
    "quota_table": "listings",
    "quota_text": "listings",
    "quote_html": "listings",
    "quote_line": "listings",
    "quote_text": "listings",
    "quotes_html": "listings",
    "quotes_text": "listings",
    "quotes_table": "listings",
    "usage_html": "listings",
    "usage_table": "listings",
    "usage_text": "listings",
    "JobForm": "widget",
}

__all__ = [
    "MIME",
    "Column",
    "JobForm",
    "Table",
    "backends_html",
    "backends_table",
    "backends_text",
    "budgets_html",
    "budgets_text",
    "canary_html",
    "canary_text",
    "comparison_html",
    "comparison_text",
    "decision_text",
    "jobs_html",
    "jobs_table",
    "jobs_text",
    "mimebundle",
    "plan_html",
    "plan_text",
    "quota_table",
    "quota_text",
    "quote_html",
    "quote_line",
    "quote_text",
    "quotes_html",
    "quotes_table",
    "quotes_text",
    "route_html",
    "route_text",
    "session_html",
    "session_text",
    "table_html",
    "table_text",
    "to_html",
    "to_png",
    "to_rich",
    "to_text",
    "usage_html",
    "usage_table",
    "usage_text",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
