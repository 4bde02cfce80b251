"""The child process that simulates: `python -m qpm_lab.providers.worker`.

It reads tasks from stdin, writes for each a result or an error to stdout, and ends when its parent does.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import queue
import signal
import sys
import threading
from typing import IO, cast

from qpm_lab.errors import QpmError
from qpm_lab.providers import backend, provider_of, wire
from qpm_lab.providers.capacity import Meter, peak_memory_bytes, share_processors
from qpm_lab.providers.interface import RunResult, Task
from qpm_lab.providers.pieces import whole
from qpm_lab.providers.simulator import LocalSimulator, simulator_error

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Answers tasks until stdin ends."""
    die_with(int(sys.argv[1]))
    answers = _own_stdout()
    tasks: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(sys.stdin.buffer, tasks), daemon=True).start()
    while True:
        kind, answer = _answer(tasks.get())
        wire.write_frame(answers, kind, answer)


def compute(task: Task) -> RunResult:
    """The counts of a task that came from a piece, and what they took."""
    meter = Meter.start()
    provider = cast(LocalSimulator, provider_of(task.backend.id))
    counts = provider.prepared(task).run(whole(task))
    return RunResult(
        counts,
        run_seconds=meter.wall_seconds(),
        cpu_seconds=meter.cpu_seconds(),
        peak_memory_bytes=peak_memory_bytes(),
    )


def die_with(parent: int) -> None:
    """Asks the system to kill this process when its parent dies.

    Aer holds the interpreter's lock while it simulates, so no thread of ours could notice.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def _answer(payload: bytes) -> tuple[bytes, bytes]:
    try:
        task, processors = wire.read_task(payload, backend)
        share_processors(processors)
        _forget_peak()
        return wire.RESULT, wire.result_bytes(compute(task))
    except QpmError as error:
        return wire.ERROR, wire.error_bytes(error)
    except Exception as error:
        return wire.ERROR, wire.error_bytes(simulator_error(error))


def _forget_peak() -> None:
    """The peak of an earlier job is none of this one's."""
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def _own_stdout() -> IO[bytes]:
    """The pipe to the parent; whatever a library prints goes to stderr instead."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _read(stream: IO[bytes], tasks: queue.SimpleQueue[bytes]) -> None:
    """Hands on what comes; at the end of the stream the process ends, whatever it computes."""
    try:
        while (frame := wire.read_frame(stream)) is not None:
            tasks.put(frame[1])
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
