"""The child process of one long simulation: `python -m qpm_lab.providers.worker`.

It reads a task from stdin, writes progress and the result to stdout, and ends when its parent does.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from typing import IO, cast

from qpm_lab.errors import QpmError
from qpm_lab.providers import backend, provider_of, wire
from qpm_lab.providers.running import LocalSimulator, simulator_error

_PR_SET_PDEATHSIG = 1


def main() -> int:
    """Runs the one task it is given; the exit code is 0 whenever a result or error was sent."""
    parent = int(sys.argv[1])
    die_with(parent)
    answers = _own_stdout()
    task = wire.read_task(sys.stdin.buffer, backend)
    threading.Thread(target=_exit_at_end_of, args=(sys.stdin.buffer,), daemon=True).start()
    provider = cast(LocalSimulator, provider_of(task.backend.id))
    try:
        result = provider.simulate(
            task, lambda progress: wire.write_frame(answers, wire.PROGRESS, wire.progress_bytes(progress))
        )
        wire.write_frame(answers, wire.RESULT, wire.result_bytes(result))
    except QpmError as error:
        wire.write_frame(answers, wire.ERROR, wire.error_bytes(error))
    except Exception as error:
        wire.write_frame(answers, wire.ERROR, wire.error_bytes(simulator_error(error)))
    return 0


def die_with(parent: int) -> None:
    """Asks the system to kill this process when its parent dies.

    Aer holds the interpreter's lock while it simulates, so no thread of ours could notice.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def _own_stdout() -> IO[bytes]:
    """The pipe to the parent; whatever a library prints goes to stderr instead."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _exit_at_end_of(stream: IO[bytes]) -> None:
    stream.read(1)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
