"""For one user's JupyterLab: what its panels and cards read from the ledger, and the few things they change.

Handlers parse, `History` works, `LedgerWatch` sees changes and `Feed` tells the open pages.
"""

from __future__ import annotations

from typing import Any

NAME = "qpm_lab"


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "qpm_lab.server"}]


def _load_jupyter_server_extension(app: Any) -> None:
    """Adds the routes; the ledger is opened at the first question, so that starting stays fast."""
    from qpm_lab.server.routes import install

    install(app.web_app)
    app.log.info("%s: jobs and budgets are served under /qpm-lab/api/", NAME)
