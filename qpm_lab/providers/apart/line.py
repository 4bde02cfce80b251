"""The line to a process apart: started when it is needed, killed when it does not answer, ended with this process."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qpm_lab.errors import ProviderError, QpmError
from qpm_lab.providers import wire
from qpm_lab.providers.apart import messages
from qpm_lab.providers.apart.redaction import Redactor
from qpm_lab.providers.child import Tail, pipe, reap
from qpm_lab.providers.vendor import Access, Vendor

CALL_SECONDS = 100.0
"""Longer than the process apart gives its own network calls, unless the site's `timeout_seconds` says otherwise."""
START_SECONDS = 180.0
"""Importing a vendor's client takes seconds, on a busy machine a minute."""
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_PASSED_ON = frozenset(("PATH", "LANG", "LC_ALL", "TZ", "SYSTEMROOT", "OMP_NUM_THREADS", *_PROXIES, *_CERTIFICATES))
"""Of the environment; a user's other variables and files, keys among them, are not the vendor client's."""


class Line:
    """One process apart, with its client made.

    Args:
        vendor: Whose client.
        access: By what it gets in.
        interpreter: The Python that has the client.

    Raises:
        ProviderError: It could not be started, or its client not made.
    """

    def __init__(self, vendor: Vendor, access: Access, interpreter: Path) -> None:
        self._vendor = vendor
        self._clean = Redactor(access.secrets.values())
        # An empty home: no client may find a user's own keys, or a `.env` file beside a notebook.
        # No TemporaryDirectory: a forked child that forgets its parent's lines would remove the folders with them.
        self._home = tempfile.mkdtemp(prefix="qpm-apart-")
        boot = Path(__file__).with_name("boot.py")
        self._process = self._started([str(interpreter), "-P", str(boot)])
        self._tail = Tail(pipe(self._process.stderr))
        try:
            opening = messages.Opening(vendor.client, vendor.module, access)
            self._exchange("start", messages.opening_bytes(opening), START_SECONDS)
        except BaseException:
            self.close()
            raise

    def _started(self, command: list[str]) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=self._home,
                env=_environment(self._home),
                start_new_session=True,
            )
        except OSError as error:
            shutil.rmtree(self._home, ignore_errors=True)
            hint = f"Install it anew: qpm provider install {self._vendor.name}"
            raise ProviderError(f"The client of {self._vendor.title} cannot be started: {error}.", hint) from error

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def call(self, name: str, arguments: dict[str, Any], seconds: float | None = CALL_SECONDS) -> Any:
        """What the client's method returns.

        Args:
            name: Of the method.
            arguments: By name.
            seconds: After these the process is killed; None lets it take its time.

        Raises:
            ProviderError: It failed, or did not answer; `uncertain` unless it certainly did nothing.
        """
        return messages.value_from(name, self._exchange(name, messages.call_bytes(name, arguments), seconds))

    def kill(self) -> None:
        """Ends it now; safe to call from any thread while another waits in `call`."""
        self._process.kill()

    def close(self) -> None:
        """Kills and reaps it."""
        reap(self._process, self._tail)
        shutil.rmtree(self._home, ignore_errors=True)

    def _exchange(self, name: str, payload: bytes, seconds: float | None) -> bytes:
        late = threading.Event()
        timer = threading.Timer(seconds or 0.0, _expire, (late, self.kill))
        timer.daemon = True
        if seconds is not None:
            timer.start()
        try:
            with contextlib.suppress(BrokenPipeError):
                wire.write_frame(pipe(self._process.stdin), wire.TASK, payload)
            frame = wire.read_frame(pipe(self._process.stdout))
        except BaseException:
            # Its answer is still to come, and would be taken for that to the next call.
            self._process.kill()
            self._process.wait()
            raise
        finally:
            timer.cancel()
        if frame is None:
            raise self._death(name, seconds if late.is_set() else None)
        if frame[0] == wire.ERROR:
            raise _error(frame[1], name)
        return frame[1]

    def _death(self, name: str, seconds: float | None) -> ProviderError:
        title, sending = self._vendor.title, name == messages.SENDING
        self._process.kill()
        self._process.wait()
        if seconds is not None:
            message = f"{title} did not answer within {seconds:.0f} s ({name})."
            hint = "Try again; `timeout_seconds` in settings.yaml gives it longer."
        else:
            message, hint = f"The process that speaks to {title} ended without an answer ({name}).", self._last_words()
        return ProviderError(message, hint, retryable=not sending, uncertain=sending)

    def _last_words(self) -> str:
        last = "".join(self._tail.text().splitlines()[-1:])
        return f"It last said: {self._clean(last)[:300]}" if last else "Try again."


def _environment(home: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in _PASSED_ON}
    for name in ("NO_PROXY", "no_proxy"):
        # A double listens on the loopback interface, where no proxy reaches.
        kept[name] = ",".join(filter(None, (kept.get(name), "127.0.0.1", "localhost")))
    return kept | {"HOME": home}


def _expire(late: threading.Event, kill: Callable[[], None]) -> None:
    late.set()
    kill()


def _error(payload: bytes, name: str) -> QpmError:
    try:
        return wire.error_from(payload)
    except (ValueError, TypeError) as error:
        uncertain = name == messages.SENDING
        return ProviderError("The vendor's client failed unreadably.", "Try again.", uncertain=uncertain, cause=error)
