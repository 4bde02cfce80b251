"""The REST routes under `/qpm-lab/api/`: parse, ask `History`, answer in JSON."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado import web

from qpm_lab.errors import InputError, LedgerError, QpmError
from qpm_lab.server.history import ClosedJobError, History, UnknownJobError, parse_query, parse_resolution

# First match wins.
STATUS_OF: tuple[tuple[type[QpmError], int], ...] = (
    (UnknownJobError, 404),
    (ClosedJobError, 409),
    (InputError, 400),
    (LedgerError, 503),
    (QpmError, 500),
)


class Endpoint(APIHandler):
    """A route of ours: errors leave as `{"message", "hint"}` with the right code."""

    auth_resource = "qpm-lab"

    @property
    def history(self) -> History:
        history: History = self.settings["qpm_lab_history"]
        return history

    async def answer(self, ask: Callable[..., dict[str, Any]], *args: Any, status: int = 200) -> None:
        """Asks in a thread and sends what came back."""
        try:
            body = await asyncio.to_thread(ask, *args)
        except QpmError as error:
            self.refuse(error)
        else:
            self.set_status(status)
            self.finish(json.dumps(body, allow_nan=False))

    def refuse(self, error: QpmError) -> None:
        self.set_status(next(code for kind, code in STATUS_OF if isinstance(error, kind)))
        self.finish(json.dumps({"message": error.message, "hint": error.hint}))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Errors that are not ours (no login, no XSRF token, a fault in the code) in the same form."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        said = error.log_message if isinstance(error, web.HTTPError) else None
        message = said or ("Something went wrong in the server." if status_code >= 500 else self._reason)
        hint = "The server's log has the details." if status_code >= 500 else ""
        self.finish(json.dumps({"message": message, "hint": hint}))


class JobsHandler(Endpoint):
    """GET: one page of jobs, newest first."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        try:
            query = parse_query({name: self.get_query_argument(name) for name in self.request.query_arguments})
        except InputError as error:
            self.refuse(error)
        else:
            await self.answer(self.history.jobs, query)


class JobHandler(Endpoint):
    """GET: the record of one job."""

    @web.authenticated
    @authorized
    async def get(self, job_id: str) -> None:
        await self.answer(self.history.job, job_id)


class CancelHandler(Endpoint):
    """POST: asks for a job to be stopped; 202, since its owner does the stopping."""

    @web.authenticated
    @authorized
    async def post(self, job_id: str) -> None:
        await self.answer(self.history.cancel, job_id, status=202)


class ResolveHandler(Endpoint):
    """POST `{"vendor_id": "…"}` or `{"not_submitted": true}`: what became of a parked job."""

    @web.authenticated
    @authorized
    async def post(self, job_id: str) -> None:
        try:
            vendor_id = parse_resolution(self.get_json_body())
        except InputError as error:
            self.refuse(error)
        else:
            await self.answer(self.history.resolve, job_id, vendor_id)


class ResumeHandler(Endpoint):
    """POST: the vendor of a parked job is asked once more."""

    @web.authenticated
    @authorized
    async def post(self, job_id: str) -> None:
        await self.answer(self.history.resume, job_id)


class BackendsHandler(Endpoint):
    """GET: all backends by provider; with `live=1` the vendors of those that are ready are asked."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        await self.answer(self.history.backends, self.get_query_argument("live", "") == "1")


class BudgetsHandler(Endpoint):
    """GET: the quotas that bind this user, with what is used, reserved and left."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        await self.answer(self.history.budgets)


class HealthHandler(Endpoint):
    """GET: whether the ledger can be read."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        await self.answer(self.history.health)
