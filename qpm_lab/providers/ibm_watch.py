"""What IBM's client sends and gets, seen where its requests leave.

Its errors tell too little: it swallows some, and says in none whether the submission had left. Here every exchange of
this process passes, so that what one meant for a job is known whatever the client made of it.

Also kept here: nothing is sent twice (the client would repeat a submission that was answered with 5xx, because IBM
calls that safe; a second copy is not to be had for a promise), and no request waits longer than its call may take.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from qpm_lab.errors import ProviderError
from qpm_lab.providers.answers import Known, field, http_error, network_error, nothing_else, unreadable, words

TITLE = "IBM Quantum"
CONNECT_SECONDS = 10.0
CALL_SECONDS = 75.0
"""Of one call, where the site's `timeout_seconds` does not say otherwise; a request gets four fifths of them."""
MOST_EXCHANGES = 100
"""Of one call; the client asks for the next page for ever when a page comes back empty."""
_MACHINE = ("backend_name", "backend_version", "n_qubits", "basis_gates", "gates", "local", "simulator", "conditional")
MACHINE_FIELDS = (*_MACHINE, "open_pulse", "memory", "coupling_map", "online_date")
"""What the client needs of a machine's configuration; it drops a machine that lacks one without a word."""
_RESULT_FIELDS = ("schema_version", "data", "metadata", "passthrough_data", "semantic_role")
_EXPECTED = {"configuration": MACHINE_FIELDS, "backends": ("devices",), "results": _RESULT_FIELDS}


@dataclass(slots=True)
class Exchange:
    """One request and what came of it."""

    method: str
    path: str
    status: int = 0
    """0 while there is no answer."""
    content_type: str = ""
    text: str = ""
    failure: BaseException | None = None

    @property
    def what(self) -> str:
        return f"{self.method} {self.path}"

    def document(self) -> Any:
        """The answer.

        Raises:
            ProviderError: It is no JSON.
        """
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError) as error:
            raise unreadable(TITLE, self.what, self.content_type, cause=error) from error


class Watch:
    """The exchanges of the call under way.

    Args:
        call_seconds: How long a call may take; no request waits longer.
        strict: Whether fields that nobody has read about are refused: the client passes over them.
    """

    def __init__(self, call_seconds: float = CALL_SECONDS, *, strict: bool = True) -> None:
        self.seen: list[Exchange] = []
        self.strict = strict
        self._times = (min(CONNECT_SECONDS, 0.8 * call_seconds), 0.8 * call_seconds)

    def install(self) -> None:
        """Watches all requests of this process from now on, which is ours alone."""
        adapters = import_module("requests.adapters")
        original = adapters.HTTPAdapter.send

        def send(adapter: Any, request: Any, **named: Any) -> Any:
            if len(self.seen) >= MOST_EXCHANGES:
                raise ProviderError(f"{TITLE} was asked {MOST_EXCHANGES} times without an end.", "Report it.")
            adapter.max_retries = adapters.Retry(0, read=False)
            exchange = Exchange(request.method, urlsplit(request.url).path)
            self.seen.append(exchange)
            try:
                response = original(adapter, request, **{**named, "timeout": self._times})
                exchange.text = response.text
            except Exception as error:
                exchange.failure = error
                raise
            exchange.status, exchange.content_type = response.status_code, response.headers.get("Content-Type", "")
            return response

        adapters.HTTPAdapter.send = send

    @contextmanager
    def call(self) -> Iterator[None]:
        """Whatever fails inside, fails as what it means for the job.

        Raises:
            ProviderError: Something failed.
        """
        self.seen.clear()
        try:
            yield
        except ProviderError:
            raise
        except Exception as error:
            raise self._meant(error) from error

    def answer_to(self, end: str) -> Any:
        """The last answer from an address with that end."""
        return next(each for each in reversed(self.seen) if each.path.endswith(end)).document()

    def search(self, end: str, known: Known, what: str) -> None:
        """Looks through all answers of this call from addresses with that end.

        Raises:
            ProviderError: One has a field that is not known.
        """
        for each in self.seen if self.strict else ():
            if each.path.endswith(end) and each.status == 200:
                nothing_else(each.document(), known, vendor=TITLE, what=what)

    def raise_failure(self) -> None:
        """Raises what the last exchange failed with, if it did and the client did not mind."""
        last = self.seen[-1] if self.seen else None
        if last is not None and (last.failure or last.status >= 400):
            raise self._meant(last.failure or ValueError(last.status))

    def _meant(self, error: BaseException) -> ProviderError:
        sending = any(each.method == "POST" and each.path.endswith("/jobs") for each in self.seen)
        last = self.seen[-1] if self.seen else None
        if last is not None and last.failure is not None:
            return network_error(TITLE, last.failure, sending=sending)
        if last is not None and last.status >= 400:
            return http_error(TITLE, "ibm", last.status, last.text, sending=sending)
        try:
            return self._misread(error, last, sending)
        except ProviderError as better:
            return better

    def _misread(self, error: BaseException, last: Exchange | None, sending: bool) -> ProviderError:
        """For a client that failed on an answer that came well."""
        if last is not None:
            document = last.document()
            name = missing(error)
            if name and not (isinstance(document, dict) and name in document):
                field({}, name, vendor=TITLE, what=last.what)
            for each in _EXPECTED.get(last.path.rpartition("/")[2], ()):
                field(document, each, vendor=TITLE, what=last.what)
        what = f" after {last.what}" if last else ""
        hint = "Look whether the machine and the instance are right for this key; else report it."
        return ProviderError(
            f"{TITLE}'s client failed{what}: {type(error).__name__}: {words(error)}", hint, uncertain=sending
        )


def missing(error: BaseException) -> str:
    """The field that the client missed, by the exception it raised or hid; empty when it was something else."""
    each: BaseException | None = error
    while each is not None:
        if isinstance(each, KeyError) and each.args:
            return str(each.args[0])
        problems = each.errors() if hasattr(each, "errors") and type(each).__name__ == "ValidationError" else []
        for problem in problems:
            if problem.get("type") == "missing":
                return ".".join(str(part) for part in problem["loc"])
        each = each.__cause__ or each.__context__
    return ""
