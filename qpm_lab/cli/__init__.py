"""The `qpm` command.

Exit codes: 0 ok · 2 usage or bad input · 3 denied by a rule · 4 over a quota · 5 provider failed or too large
here · 6 conditions not met · 7 awaiting approval · 8 integrity check failed · 9 secrets found
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from qpm_lab.cli.output import Output
from qpm_lab.display.surface import shell
from qpm_lab.errors import CancelledError, ProviderError, QpmError
from qpm_lab.options import OptionParser

EXIT_CODES = (
    "exit codes: 0 ok, 2 usage or bad input, 3 denied by a rule, 4 over a quota, 5 provider failed or "
    "the machine cannot hold the job, 6 conditions not met, 7 awaiting approval, "
    "8 integrity check failed, 9 secrets found"
)
INTERRUPTED = CancelledError("Interrupted.", "What was running has been cancelled.")


def build_parser() -> OptionParser:
    """All commands; each sets `run`, a function of the parsed options and the output."""
    from qpm_lab import __version__
    from qpm_lab.cli import jobs, ledger, policy, reconcile, secrets, studies, system, vendors

    parser = OptionParser(prog="qpm", description="Governed quantum experiments.", epilog=EXIT_CODES)
    parser.add_argument("--version", action="version", version=f"qpm_lab {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=OptionParser)
    for family in (jobs, studies, policy, ledger, secrets, reconcile, vendors, system):
        family.add_commands(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code; never shows a traceback."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    output = Output(as_json="--json" in words)
    with _interruptible(), shell():
        code = _run(words, output)
        _close()
    return output.flush(code)


def _run(words: list[str], output: Output) -> int:
    try:
        options = build_parser().parse_args(words)
        return int(options.run(options, output))
    except QpmError as error:
        return output.error(error)
    except KeyboardInterrupt:
        return output.error(INTERRUPTED)
    except Exception as error:
        if os.environ.get("QPM_DEBUG"):
            raise
        return output.error(_unexpected(error))


def _unexpected(error: Exception) -> QpmError:
    return ProviderError(
        f"qpm failed unexpectedly: {type(error).__name__}: {str(error)[:500]}",
        "Set QPM_DEBUG=1 to see where, and report it with `qpm doctor --json`.",
        cause=error,
    )


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """One interrupt, hang-up or termination cancels what runs; further ones wait until that is recorded."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    signals = [s for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if signal.getsignal(s) != signal.SIG_IGN]
    before = {number: signal.signal(number, _interrupt) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(signum: int, frame: Any) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _close() -> None:
    lab = sys.modules.get("qpm_lab.lab")
    if lab is not None:
        lab.close_default_lab()
