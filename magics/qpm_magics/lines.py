"""What stands on a magic's line: options for all of them, and an expression for some."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from qpm_lab.errors import InputError
from qpm_lab.options import (
    OptionParser,
    add_job_options,
    add_list_options,
    add_session_options,
    add_usage_options,
    job_arguments,
    literal,
    parameter_values,
)
from qpm_lab.options.studies import (
    add_again_option,
    add_canary_options,
    add_compare_options,
    add_plan_options,
    changes,
)

if TYPE_CHECKING:
    import argparse

    from IPython.core.interactiveshell import InteractiveShell


SHORT_OPTIONS = ("b", "n", "e", "o")


def job_parser(prog: str = "%%qjob") -> OptionParser:
    """The options of `%%qjob` and `%qjob`."""
    parser = circuit_parser(prog)
    parser.add_argument("-o", "--output", metavar="NAME", help="assign the Job to NAME once it has a result")
    waiting = parser.add_mutually_exclusive_group()
    waiting.add_argument("--no-wait", action="store_true", help="return at once; the card fills in later")
    waiting.add_argument("--wait", action="store_true", help="wait for the result, also of a job at a vendor")
    parser.add_argument("--dry-run", action="store_true", help="only explain: nothing is recorded or spent")
    add_again_option(parser, "its id or variable")
    return parser


def circuit_parser(prog: str) -> OptionParser:
    """The options that describe a job, for magics that look at one without running it."""
    parser = OptionParser(prog=prog, add_help=False)
    add_job_options(parser)
    parser.add_argument("--args", metavar="TUPLE", help="arguments of a QNode: a name or values, e.g. '0.1, 0.2'")
    return parser


def explain_parser() -> OptionParser:
    """The options of `%qexplain`."""
    parser = circuit_parser("%qexplain EXPR")
    parser.add_argument(
        "--route", action="store_true", help="compare the backends of a route: --backend auto or route:NAME"
    )
    return parser


def jobs_parser() -> OptionParser:
    """The options of `%qjobs`."""
    parser = OptionParser(prog="%qjobs", add_help=False)
    parser.add_argument("job", nargs="?", metavar="ID", help="show this job's card")
    add_list_options(parser)
    return parser


def usage_parser() -> OptionParser:
    """The options of `%qusage`."""
    parser = OptionParser(prog="%qusage", add_help=False)
    add_usage_options(parser)
    return parser


def session_parser() -> OptionParser:
    """The options of `%qsession`."""
    parser = OptionParser(prog="%qsession", add_help=False)
    add_session_options(parser)
    return parser


def plan_parser() -> OptionParser:
    """The options of `%qplan`, behind its circuit."""
    parser = circuit_parser("%qplan")
    add_plan_options(parser)
    return parser


def compare_parser() -> OptionParser:
    """The options of `%qcompare`."""
    parser = OptionParser(prog="%qcompare", add_help=False)
    add_compare_options(parser)
    return parser


def canary_parser() -> OptionParser:
    """The options of `%qcanary`."""
    parser = OptionParser(prog="%qcanary", add_help=False)
    add_canary_options(parser)
    parser.add_argument("--circuit", metavar="EXPR", help="your own circuit; a GHZ state undone again if absent")
    return parser


def parse(parser: OptionParser, line: str) -> argparse.Namespace:
    """Parses a magic's line.

    Raises:
        InputError: an unknown option or value, or a quote that is not closed.
    """
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise InputError(f"The line cannot be read: {error}.", "Check the quotes.") from error
    return parser.parse_args(words)


def split_expression(line: str) -> tuple[str, str]:
    """Splits `EXPR --options`: the expression ends at the first option outside brackets and quotes.

    >>> split_expression("bell(2, -1) --shots 100")
    ('bell(2, -1)', '--shots 100')
    """
    depth, quote = 0, ""
    for index, char in enumerate(line):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif depth == 0 and _option_starts(line, index):
            return line[:index].strip(), line[index:].strip()
    return line.strip(), ""


def _option_starts(line: str, index: int) -> bool:
    if index and not line[index - 1].isspace():
        return False
    rest = line[index:]
    long = rest.startswith("--") and rest[2:3].isalpha()
    short = rest[:1] == "-" and rest[1:2] in SHORT_OPTIONS
    return long or short


def evaluate(shell: InteractiveShell, expression: str, magic: str) -> Any:
    """The value of an expression in the user's namespace.

    Raises:
        InputError: there is none.
    """
    __tracebackhide__ = True
    if not expression:
        raise InputError(f"{magic} needs a circuit.", f"Write {magic} NAME, where NAME is your circuit.")
    try:
        code = compile(expression, f"<{magic}>", "eval")
    except (SyntaxError, ValueError) as error:
        raise InputError(
            f"{magic} cannot read {expression[:80]!r}: {error}.",
            "Write one Python expression, then the options.",
        ) from None
    try:
        return eval(code, shell.user_ns)
    except NameError as error:
        raise InputError(f"{magic} cannot find it: {error}.", "Define the circuit in a cell first.") from None


def order_options(shell: InteractiveShell, options: argparse.Namespace) -> dict[str, Any]:
    """The keyword arguments for `Lab.submit`, QNode arguments and parameter values included."""
    keywords = job_arguments(options)
    if options.args is not None:
        keywords["args"] = _arguments(shell, options.args)
    if parameters := parameter_values(options, shell.user_ns):
        keywords["parameters"] = parameters
    return keywords


def again_changes(expression: str, options: argparse.Namespace) -> dict[str, Any]:
    """What is to differ from the job that `%qjob --again ID` repeats.

    Raises:
        InputError: there is a circuit beside it, or new values for its parameters.
    """
    if expression:
        raise InputError(
            f"--again repeats a recorded job, and {expression[:80]!r} is another circuit.", "Leave out one of them."
        )
    return changes(options, {**parameter_values(options), **({"args": options.args} if options.args else {})})


def _arguments(shell: InteractiveShell, text: str) -> tuple[Any, ...]:
    """`--args params` takes the user's variable; `--args '0.1, 0.2'` literal values."""
    value = shell.user_ns[text] if text in shell.user_ns else literal(f"({text},)", "--args")
    if isinstance(value, tuple):
        return value[0] if len(value) == 1 and isinstance(value[0], tuple) else value
    return (value,)
