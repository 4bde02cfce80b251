"""Where the handlers hang."""

from __future__ import annotations

from typing import Any

from jupyter_server.utils import url_path_join

from qpm_lab.server.events import EventsHandler
from qpm_lab.server.feed import Feed
from qpm_lab.server.handlers import (
    BackendsHandler,
    BudgetsHandler,
    CancelHandler,
    HealthHandler,
    JobHandler,
    JobsHandler,
    ResolveHandler,
    ResumeHandler,
)
from qpm_lab.server.history import History, open_lab

JOB_ID = r"([0-9A-Za-z_-]{1,64})"
ROUTES = (
    (r"jobs", JobsHandler),
    (rf"jobs/{JOB_ID}", JobHandler),
    (rf"jobs/{JOB_ID}/cancel", CancelHandler),
    (rf"jobs/{JOB_ID}/resolve", ResolveHandler),
    (rf"jobs/{JOB_ID}/resume", ResumeHandler),
    (r"backends", BackendsHandler),
    (r"budgets", BudgetsHandler),
    (r"health", HealthHandler),
    (r"events", EventsHandler),
)


def install(web_app: Any) -> None:
    """Adds the routes; the setting `qpm_lab` may hold a lab to use instead of the user's own."""
    given = web_app.settings.get("qpm_lab")
    history = History(open_lab if given is None else lambda: given)
    web_app.settings["qpm_lab_history"] = history
    web_app.settings["qpm_lab_feed"] = Feed(history)
    base = web_app.settings["base_url"]
    web_app.add_handlers(".*$", [(url_path_join(base, "qpm-lab/api", path), handler) for path, handler in ROUTES])
