"""`%qsecret`: lists the keys there are, asks for one without echo, forgets one. A value is never part of a cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qpm_lab.errors import InputError
from qpm_magics.cards import display_both

if TYPE_CHECKING:
    from qpm_lab.secrets import Secrets

USAGE = "Write %qsecret, %qsecret set NAME, or %qsecret delete NAME."


def run(line: str) -> None:
    """Carries out one line of `%qsecret`; nothing of it is repeated in an error, as it may hold a value.

    Raises:
        InputError: it cannot be read, or holds a value.
    """
    match line.split():
        case []:
            _show_names(_secrets())
        case ["set", name]:
            _set(_secrets(), name)
        case ["delete", name]:
            _delete(_secrets(), name)
        case ["set", _, *_]:
            raise InputError(
                "A value does not belong in a cell: it is in the notebook and its history now.",
                "Delete the line, revoke the key, then give the new one to %qsecret set NAME, which asks for it.",
            )
        case _:
            raise InputError("%qsecret cannot be read as it was typed.", USAGE)


def _set(secrets: Secrets, name: str) -> None:
    from qpm_lab import providers
    from qpm_lab.display.stored import unused_words
    from qpm_lab.secrets import require_name
    from qpm_lab.secrets.asking import ask, kept_in

    print(kept_in(name, secrets.set(name, ask(require_name(name)))))
    if warning := unused_words(name, {own: each.vendor.secrets for own, each in providers.vendors().items()}):
        print(warning)


def _delete(secrets: Secrets, name: str) -> None:
    from qpm_lab.secrets.asking import deleted_from

    print(deleted_from(name, secrets.delete(name), secrets.where(name)))


def _show_names(secrets: Secrets) -> None:
    from qpm_lab.display.stored import secrets_table

    rows = [{"name": each.name, "store": each.store} for each in secrets.names()]
    table = secrets_table(rows)
    display_both(table.to_html(), table.to_text())


def _secrets() -> Secrets:
    from qpm_lab.lab import default_home
    from qpm_lab.secrets import Secrets

    return Secrets(default_home())
