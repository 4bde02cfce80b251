"""A simulation in a child process, so that the kernel stays free and the run can be cancelled."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from typing import IO

from qpm_lab.errors import CancelledError, ProviderError, QpmError
from qpm_lab.providers import wire
from qpm_lab.providers.interface import Progress, RunResult, Task

STDERR_BYTES = 16 * 1024
"""How much of the end of the child's stderr is kept for an error message."""


class ChildRun:
    """One child process and the thread that starts it, listens to it and reaps it."""

    vendor_id: str | None = None

    def __init__(self, task: Task) -> None:
        self._task = task
        self._progress = Progress(message="starting a simulation process")
        self._outcome: RunResult | QpmError | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._cancelled = False
        self._over = threading.Event()
        # This thread must start the child itself: Linux ties the child's life to the thread that
        # forked it, and the caller's thread may end before the run does.
        threading.Thread(target=self._live, name="qpm-simulation", daemon=True).start()

    @property
    def pid(self) -> int | None:
        """Process id of the child; None before it has started."""
        return self._process.pid if self._process else None

    def progress(self) -> Progress:
        return self._progress

    def wait(self, timeout_seconds: float) -> bool:
        return self._over.wait(timeout_seconds)

    def result(self) -> RunResult:
        self._over.wait()
        if isinstance(self._outcome, RunResult):
            return self._outcome
        raise self._outcome or ProviderError("The simulation ended without a result.", retryable=True)

    def cancel(self) -> None:
        """Kills the child and returns when it is gone; a finished run keeps its result."""
        with self._lock:
            self._cancelled = True
            if self._process is not None:
                self._process.kill()
        self._over.wait()

    def _live(self) -> None:
        try:
            self._outcome = self._run()
        except QpmError as error:
            self._outcome = error
        except Exception as error:
            self._outcome = ProviderError(
                f"The simulation process could not be used: {error}", retryable=True, cause=error
            )
        finally:
            self._over.set()

    def _run(self) -> RunResult | QpmError:
        process = self._spawn()
        if process is None:
            return _cancelled_error()
        tail = _Tail(process.stderr)
        answer: RunResult | QpmError | None = None
        try:
            with contextlib.suppress(BrokenPipeError):
                wire.write_task(_pipe(process.stdin), self._task)
            answer = self._listen(_pipe(process.stdout))
        finally:
            if answer is None:
                process.kill()
            code = _reap(process)
        if answer is not None:
            return answer
        return _cancelled_error() if self._cancelled else _death(code, tail.text())

    def _spawn(self) -> subprocess.Popen[bytes] | None:
        with self._lock:
            if self._cancelled:
                return None
            # A session of its own: an interrupt of the cell is for us to answer, by cancelling.
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "qpm_lab.providers.worker", str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
            return self._process

    def _listen(self, answers: IO[bytes]) -> RunResult | QpmError | None:
        """The result or error that the child sends; None when it ends without one."""
        while (frame := wire.read_frame(answers)) is not None:
            kind, payload = frame
            if kind == wire.PROGRESS:
                self._progress = wire.progress_from(payload)
            elif kind == wire.RESULT:
                return wire.result_from(payload)
            elif kind == wire.ERROR:
                return wire.error_from(payload)
        return None


class _Tail:
    """Drains a stream in a thread, so that the child never blocks on it, and keeps its end."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        self._stream = _pipe(stream)
        self._kept = b""
        self._thread = threading.Thread(target=self._drain, daemon=True)
        self._thread.start()

    def _drain(self) -> None:
        with self._stream:
            while chunk := os.read(self._stream.fileno(), 8192):
                self._kept = (self._kept + chunk)[-STDERR_BYTES:]

    def text(self) -> str:
        self._thread.join(timeout=1)
        return self._kept.decode(errors="replace").strip()


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise ProviderError("The simulation process has no pipe.")
    return stream


def _reap(process: subprocess.Popen[bytes]) -> int:
    # Closing stdin tells a child that has answered to go.
    with contextlib.suppress(BrokenPipeError):
        _pipe(process.stdin).close()
    code = process.wait()
    _pipe(process.stdout).close()
    return code


def _cancelled_error() -> CancelledError:
    return CancelledError("The simulation was cancelled.", "Submit it again to run it.")


def _death(code: int, stderr: str) -> ProviderError:
    """What became of a child that ended without an answer."""
    if code == -signal.SIGKILL:
        return ProviderError(
            "The simulation process was killed (signal 9), most often because memory ran out.",
            "Close other notebooks, or use fewer qubits; then run the cell again.",
            retryable=True,
        )
    if code < 0:
        name = signal.Signals(-code).name if -code in {int(s) for s in signal.Signals} else str(-code)
        what = f"The simulation process was ended by signal {name}."
    else:
        what = f"The simulation process ended with code {code} and no result."
    last = stderr.splitlines()[-1][:300] if stderr else ""
    return ProviderError(what, f"It last said: {last}" if last else "Run it again.", retryable=True)
