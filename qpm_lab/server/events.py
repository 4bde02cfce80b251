"""The push channel: one WebSocket per page, which only listens."""

from __future__ import annotations

import json
from typing import Any

from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import ws_authenticated
from jupyter_server.base.handlers import JupyterHandler
from tornado import ioloop, web, websocket

from qpm_lab.server.feed import Feed
from qpm_lab.server.watch import Message

PING_SECONDS = 30.0
"""Keeps the line open through proxies, and ends it when the page has gone without a word."""


class EventsHandler(JupyterHandler, websocket.WebSocketHandler):
    """Sends the feed's messages as JSON; `JupyterHandler` checks login and origin."""

    auth_resource = "qpm-lab"

    @property
    def feed(self) -> Feed:
        feed: Feed = self.settings["qpm_lab_feed"]
        return feed

    @property
    def ping_interval(self) -> float:
        return PING_SECONDS

    async def prepare(self, *, _redirect_to_login: bool = False) -> None:
        await super().prepare(_redirect_to_login=_redirect_to_login)

    @ws_authenticated
    async def get(self, *args: Any, **kwargs: Any) -> None:
        user = self.current_user
        if not await ensure_async(self.authorizer.is_authorized(self, user, "read", self.auth_resource)):
            raise web.HTTPError(403)
        await super().get(*args, **kwargs)

    def open(self, *args: Any, **kwargs: Any) -> None:
        self.feed.subscribe(self.tell)

    def tell(self, message: Message) -> None:
        if self.ws_connection is not None:
            self.write_message(json.dumps(message))

    def on_message(self, message: str | bytes) -> None:
        """Pages have nothing to say here."""

    def on_close(self) -> None:
        ioloop.IOLoop.current().spawn_callback(self.feed.unsubscribe, self.tell)
