"""AQT's two HTTP interfaces, reached as its provider does: with its settings, its address and its user agent."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from qpm_lab.errors import InputError
from qpm_lab.providers.answers import http_error, network_error, no_others, unreadable
from qpm_lab.providers.vendor import Access

if TYPE_CHECKING:
    import httpx

TITLE = "AQT"
_WAIT_SECONDS = 2.0
"""For a machine that answers once it has run a circuit."""


class Api:
    """One connection, made when it is first needed.

    Args:
        access: `token`; `url` of a machine (`direct`) or of another Arnica.
    """

    def __init__(self, access: Access) -> None:
        self._access = access
        self._direct = access.options.get("direct") is True
        self._strict = access.options.get("unknown_fields") != "allow"
        self._client: httpx.Client | None = None
        if access.url:
            os.environ["AQT_ARNICA_URL"] = access.url

    def get(
        self, path: str, known: Collection[str] = (), within: Mapping[str, Collection[str]] | None = None
    ) -> dict[str, Any]:
        """An object; with the names of its fields, and of those within some of them, others are refused."""
        found = self._ask("GET", path)
        what = f"GET /{path}"
        if not isinstance(found, dict):
            raise unreadable(TITLE, what)
        if known and self._strict:
            no_others(found, known, vendor=TITLE, what=what)
            for name, names in (within or {}).items():
                if isinstance(found.get(name), dict):
                    no_others(found[name], names, vendor=TITLE, what=what)
        return found

    def get_list(self, path: str) -> list[Any]:
        found = self._ask("GET", path)
        if not isinstance(found, list):
            raise unreadable(TITLE, f"GET /{path}")
        return found

    def post(self, path: str, body: Any) -> Any:
        """Submits; an answer that is lost or broken leaves in doubt whether the job was taken."""
        return self._ask("POST", path, body, sending=True)

    def put(self, path: str, body: Any) -> str:
        """Submits to a machine; returns the job's id."""
        found = self._ask("PUT", path, body, sending=True)
        try:
            return str(UUID(found))
        except (ValueError, AttributeError, TypeError) as error:
            raise unreadable(TITLE, f"PUT /{path}", cause=error) from error

    def delete(self, path: str) -> None:
        """Answers nothing."""
        import httpx

        try:
            response = self._http().delete(path)
        except httpx.HTTPError as error:
            raise network_error(TITLE, error, sending=False) from error
        if response.status_code not in (204, 208):
            raise http_error(TITLE, "aqt", response.status_code, response.text, sending=False)

    def awaited(self, path: str) -> Any:
        """An answer that comes when the machine is done; None when it does not come now."""
        import httpx

        try:
            response = self._http().get(path, timeout=_WAIT_SECONDS)
        except httpx.ReadTimeout:
            return None
        except httpx.HTTPError as error:
            raise network_error(TITLE, error, sending=False) from error
        return _read(response, f"GET /{path}", sending=False)

    def _ask(self, method: str, path: str, body: Any = None, *, sending: bool = False) -> Any:
        import httpx

        try:
            response = self._http().request(method, path, json=body)
        except httpx.HTTPError as error:
            raise network_error(TITLE, error, sending=sending) from error
        return _read(response, f"{method} /{path}", sending=sending)

    def _http(self) -> httpx.Client:
        if self._client is None:
            self._client = self._made()
        return self._client

    def _made(self) -> httpx.Client:
        import httpx
        from aqt_connector import ArnicaConfig
        from qiskit_aqt_provider.api_client.versions import make_user_agent

        if self._direct and not self._access.url:
            raise InputError("Direct access needs the machine's address.", "Give it as `url` of this provider.")
        # The provider's own clients either read a log-in from a file or repeat submissions after a redirect.
        headers = {"Authorization": f"Bearer {self._access.secrets.get('token', '')}"}
        headers["User-Agent"] = make_user_agent("aqt-direct-access-provider" if self._direct else "aqt-cloud-provider")
        return httpx.Client(base_url=ArnicaConfig().arnica_url, headers=headers, timeout=httpx.Timeout(60, connect=10))


def _read(response: httpx.Response, what: str, *, sending: bool) -> Any:
    if response.status_code >= 400:
        raise http_error(TITLE, "aqt", response.status_code, response.text, sending=sending)
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError) as error:
        raise unreadable(TITLE, what, response.headers.get("content-type", ""), cause=error) from error
