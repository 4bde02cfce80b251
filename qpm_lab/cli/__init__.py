"""The `qpm` command. Exit codes: `qpm --help` and DESIGN of the public surface.

0 ok · 2 usage or bad input · 3 denied by a rule · 4 over a quota · 5 provider failed or too large here ·
6 conditions not met · 7 awaiting approval · 8 integrity check failed · 9 secrets found
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

from qpm_lab.cli import jobs, ledger, policy, system
from qpm_lab.cli.output import Output
from qpm_lab.errors import CancelledError, ProviderError, QpmError
from qpm_lab.options import OptionParser

EXIT_CODES = (
    "exit codes: 0 ok, 2 usage or bad input, 3 denied by a rule, 4 over a quota, 5 provider failed or the "
    "machine cannot hold the job, 6 conditions not met, 7 awaiting approval, 8 integrity check failed, 9 secrets found"
)


def build_parser() -> OptionParser:
    """All commands; each sets `run`, a function of the parsed options and the output."""
    from qpm_lab import __version__

    parser = OptionParser(prog="qpm", description="Governed quantum experiments.", epilog=EXIT_CODES)
    parser.add_argument("--version", action="version", version=f"qpm_lab {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=OptionParser)
    for family in (jobs, policy, ledger, system):
        family.add_commands(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code; never shows a traceback."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    output = Output(as_json="--json" in words)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        options = build_parser().parse_args(words)
        return int(options.run(options, output))
    except QpmError as error:
        return _failed(output, error)
    except KeyboardInterrupt:
        return _failed(output, CancelledError("Interrupted.", "What was running has been cancelled."))
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - lives until the interpreter's last flush
        return 0
    except Exception as error:
        if os.environ.get("QPM_DEBUG"):
            raise
        return _failed(output, _unexpected(error))
    finally:
        _close()


def _failed(output: Output, error: QpmError) -> int:
    output.error(error)
    return error.exit_code


def _unexpected(error: Exception) -> QpmError:
    return ProviderError(
        f"qpm failed unexpectedly: {type(error).__name__}: {str(error)[:500]}",
        "Set QPM_DEBUG=1 to see where, and report it with `qpm doctor --json`.",
        cause=error,
    )


def _interrupt(signum: int, frame: Any) -> None:
    raise KeyboardInterrupt


def _close() -> None:
    lab = sys.modules.get("qpm_lab.lab")
    if lab is not None:
        lab.close_default_lab()
