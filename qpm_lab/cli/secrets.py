"""`qpm secret set|list|delete`: keys by name; a value is typed without echo or comes on standard input."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from qpm_lab.cli.commands import add_command
from qpm_lab.cli.output import Output
from qpm_lab.errors import InputError
from qpm_lab.options import OptionParser

if TYPE_CHECKING:
    from qpm_lab.secrets import Secrets

USAGE = "Write qpm secret set NAME, or qpm secret set NAME --stdin, or qpm secret list, or qpm secret delete NAME."


class _Discreet(OptionParser):
    """Repeats nothing of what was typed: it may hold a value."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{self.prog} cannot be read as it was typed.", USAGE)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        found, more = super().parse_known_args(args, namespace)
        if more:
            raise InputError(
                "A value does not belong on the command line: it is in your shell's history now.",
                f"Revoke the key, then use the new one. {USAGE}",
            )
        return found, more


def add_commands(commands: Any) -> None:
    """Registers this family's commands."""
    summary = "keep the keys of providers, in a keyring where there is one"
    family = commands.add_parser("secret", help=summary, description=summary)
    actions = family.add_subparsers(title="actions", metavar="ACTION", required=True, parser_class=_Discreet)
    kept = add_command(actions, "set", "keep a key; it is asked for without echo", set_secret)
    kept.add_argument("name", metavar="NAME", help="a provider, or one of its fields: ionq, braket/secret_access_key")
    kept.add_argument("--stdin", action="store_true", help="read the value from standard input, for scripts")
    add_command(actions, "list", "the names of all keys and which store has them", list_secrets)
    deleted = add_command(actions, "delete", "forget a key", delete_secret)
    deleted.add_argument("name", metavar="NAME", help="as listed")


def set_secret(options: argparse.Namespace, output: Output) -> int:
    """Asks for or reads the value and keeps it; exit code 2 when there is nobody to ask.

    A name that no provider uses is kept too: a provider that is not installed yet may want it.
    """
    from qpm_lab import providers
    from qpm_lab.display.stored import unused_words
    from qpm_lab.secrets import require_name
    from qpm_lab.secrets.asking import ask, kept_in

    name = require_name(options.name)
    value = _from_stdin() if options.stdin else ask(name, _require_terminal)
    store = _secrets().set(name, value)
    warning = unused_words(name, {own: each.vendor.secrets for own, each in providers.vendors().items()})
    document = {"name": name, "store": store, "message": kept_in(name, store), "warning": warning or None}
    output.warn(warning)
    output.show(document, lambda told: str(told["message"]))
    return 0


def list_secrets(options: argparse.Namespace, output: Output) -> int:
    """Prints names and stores; never a value."""
    from qpm_lab.display.stored import secrets_table

    rows = [{"name": each.name, "store": each.store} for each in _secrets().names()]
    output.show({"secrets": rows}, lambda _: secrets_table(rows).to_text())
    return 0


def delete_secret(options: argparse.Namespace, output: Output) -> int:
    """Forgets a key; exit code 2 when it is not stored here."""
    from qpm_lab.secrets.asking import deleted_from

    name, secrets = options.name, _secrets()
    stores = secrets.delete(name)
    left = secrets.where(name)
    output.show({"name": name, "deleted": stores, "still": left}, lambda _: deleted_from(name, stores, left))
    return 0


def _secrets() -> Secrets:
    from qpm_lab.lab import default_home
    from qpm_lab.secrets import Secrets

    return Secrets(default_home())


def _require_terminal() -> None:
    if sys.stdin is None or not sys.stdin.isatty():
        raise InputError(
            "There is no terminal to ask for the value.",
            "In a script write: qpm secret set NAME --stdin < FILE",
        )


def _from_stdin() -> str:
    from qpm_lab.secrets import MAX_BYTES

    data = sys.stdin.buffer.read(MAX_BYTES + 3) if sys.stdin is not None else b""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise InputError("Standard input is not text.", "Give the value as UTF-8 text.") from None
    return text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text
