"""One child process that simulates: other threads go on while it computes, and it can be stopped at once."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from typing import IO

from qpm_lab.errors import ProviderError
from qpm_lab.providers import wire
from qpm_lab.providers.interface import RunResult, Task

STDERR_BYTES = 16 * 1024
"""How much of the end of the child's stderr is kept for an error message."""


class ChildDied(ProviderError):
    """The child ended without an answer."""


class Child:
    """A started child process; it serves one task after the other until it is told to go.

    Must be made by a thread that lives as long as this process: Linux ties the child's life to the thread
    that forked it.
    """

    def __init__(self) -> None:
        # A session of its own: an interrupt of the cell is for us to answer, by cancelling.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "qpm_lab.providers.worker", str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._tail = Tail(pipe(self._process.stderr))

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def run(self, task: Task, processors: int) -> RunResult:
        """The counts of a task that came from a piece.

        Args:
            task: The piece as a task of its own.
            processors: How many the child may keep busy.

        Raises:
            ChildDied: it was killed or crashed; another may have more luck.
            QpmError: what the simulation itself raised.
        """
        with contextlib.suppress(BrokenPipeError):
            wire.write_task(pipe(self._process.stdin), task, processors)
        frame = wire.read_frame(pipe(self._process.stdout))
        if frame is None:
            raise self._death()
        kind, payload = frame
        if kind == wire.ERROR:
            raise wire.error_from(payload)
        return wire.result_from(payload)

    def kill(self) -> None:
        """Ends it now; safe to call from any thread while another waits in `run`."""
        self._process.kill()

    def close(self) -> None:
        """Kills and reaps it; when this returns there is no process, not even a zombie."""
        reap(self._process, self._tail)

    def _death(self) -> ChildDied:
        """What became of a child that ended without an answer."""
        self._process.kill()
        code = self._process.wait()
        if code == -signal.SIGKILL:
            return ChildDied(
                "The simulation process was killed (signal 9), most often because memory ran out.",
                "Close other notebooks, or use fewer qubits; then run the cell again.",
                retryable=True,
            )
        what = f"The simulation process ended with code {code} and no result."
        if code < 0:
            name = signal.Signals(-code).name if -code in {int(s) for s in signal.Signals} else str(-code)
            what = f"The simulation process was ended by signal {name}."
        last = self._tail.text().splitlines()[-1:]
        return ChildDied(what, f"It last said: {last[0][:300]}" if last else "Run it again.", retryable=True)


class Tail:
    """Drains a stream in a thread, so that the child never blocks on it, and keeps its end."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._kept = b""
        self._thread = threading.Thread(target=self._drain, daemon=True)
        self._thread.start()

    def _drain(self) -> None:
        with self._stream:
            while chunk := os.read(self._stream.fileno(), 8192):
                self._kept = (self._kept + chunk)[-STDERR_BYTES:]

    def join(self) -> None:
        self._thread.join(timeout=1)

    def text(self) -> str:
        self.join()
        return self._kept.decode(errors="replace").strip()


def reap(process: subprocess.Popen[bytes], tail: Tail) -> None:
    """Kills a child; when this returns there is no process, not even a zombie, and its pipes are closed."""
    process.kill()
    process.wait()
    tail.join()
    for stream in (process.stdin, process.stdout):
        with contextlib.suppress(BrokenPipeError):
            pipe(stream).close()


def pipe(stream: IO[bytes] | None) -> IO[bytes]:
    """A stream of a child that was started with pipes."""
    if stream is None:
        raise ProviderError("The child process has no pipe.")
    return stream
