"""IonQ's REST client as it is used here: calls made once, errors in our words, answers without surprises."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from typing import Any

from qpm_lab.errors import ProviderError
from qpm_lab.providers.answers import http_error, network_error, no_others, unreadable
from qpm_lab.providers.vendor import Access

TITLE = "IonQ"
VERSION = "v0.4"
_ADDRESS = "https://api.ionq.co"


class Api:
    """IonQ's API.

    Args:
        access: See `ionq.IonQClient`.
    """

    def __init__(self, access: Access) -> None:
        from qiskit_ionq.ionq_client import IonQClient as Theirs

        root = f"{access.url or _ADDRESS}/{VERSION}"
        # Some of its calls look there, whatever they are told.
        os.environ["IONQ_API_URL"] = root
        self._theirs = _without_retries(Theirs)(access.secrets.get("token", ""), root)
        self._strict = access.options.get("unknown_fields") != "allow"

    def asked(
        self, call: Callable[[Any], Any], what: str, shape: type | None = Mapping, *, sending: bool = False
    ) -> Any:
        """What a call of IonQ's client returns.

        Args:
            call: Gets the client.
            what: Is asked.
            shape: Of the answer; None when it is looked at elsewhere.
            sending: Whether a job is submitted.

        Raises:
            ProviderError: It failed; `uncertain` and `retryable` as `providers.vendor` says.
        """
        try:
            found = call(self._theirs)
        except Exception as error:
            raise _in_our_words(error, what, sending) from error
        if shape is not None and not isinstance(found, shape):
            raise unreadable(TITLE, what, f"it is a {type(found).__name__}", sending=sending)
        return found

    def read(
        self,
        what: str,
        known: Collection[str],
        *path: str,
        params: Mapping[str, Any] | None = None,
        may_miss: bool = False,
    ) -> Mapping[str, Any]:
        """An answer that IonQ's client has no method for.

        Args:
            what: Is asked.
            known: The fields it may have.
            path: Of the resource, in parts.
            params: Of the query.
            may_miss: Whether IonQ may have nothing there, which is an answer without fields then.
        """
        found: Mapping[str, Any] = self.asked(lambda theirs: _got(theirs, path, params, may_miss), what)
        self.check(found, known, what)
        return found

    def check(self, document: Mapping[str, Any], known: Collection[str], what: str) -> None:
        """Refuses fields that nobody here has read about, unless the site allows them."""
        if self._strict:
            no_others(document, known, vendor=TITLE, what=what)


def _got(theirs: Any, path: tuple[str, ...], params: Mapping[str, Any] | None, may_miss: bool) -> Any:
    from qiskit_ionq.exceptions import IonQAPIError

    response = theirs.get_with_retry(theirs.make_path(*path), params=params, headers=theirs.api_headers)
    if may_miss and response.status_code == 404:
        return {}
    IonQAPIError.raise_for_status(response)
    return response.json()


def _without_retries(theirs: type[Any]) -> type[Any]:
    """IonQ's REST client whose calls are made once."""
    once = {name: call.__wrapped__ for name, call in vars(theirs).items() if hasattr(call, "__wrapped__")}
    return type("OnceClient", (theirs,), once)


def _in_our_words(error: Exception, what: str, sending: bool) -> ProviderError:
    from qiskit_ionq.exceptions import IonQAPIError, IonQRetriableError

    # What it takes for passing is wrapped: a status of HTTP, or a failure of the network.
    inner = getattr(error, "_cause", error) if isinstance(error, IonQRetriableError) else error
    if isinstance(inner, IonQAPIError):
        return http_error(TITLE, "ionq", inner.status_code, inner.body, sending=sending)
    if isinstance(inner, OSError) and not isinstance(inner, ValueError):
        return network_error(TITLE, inner, sending=sending)
    return unreadable(TITLE, what, sending=sending, cause=error)
