"""`qpm ledger verify|checkpoint|entry|prove`: is the record whole and unchanged?"""

from __future__ import annotations

import argparse
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qpm_lab.cli.commands import add_command, add_family
from qpm_lab.cli.output import Output
from qpm_lab.errors import InputError, IntegrityError

if TYPE_CHECKING:
    from qpm_lab.ledger import Ledger

MAX_CHECKPOINT_BYTES = 65_536


def add_commands(commands: Any) -> None:
    """Registers this family's commands."""
    actions = add_family(commands, "ledger", "verify the ledger, sign a checkpoint, prove an entry")
    verify = add_command(actions, "verify", "replay everything and name the first bad entry", verify_ledger)
    verify.add_argument("--checkpoint", metavar="FILE", help="also compare with this signed checkpoint")
    verify.add_argument("--key", metavar="FILE", help="trust this public key (PEM) instead of the one in the ledger")
    checkpoint = add_command(actions, "checkpoint", "sign the ledger as it stands; keep the file elsewhere", sign)
    checkpoint.add_argument("--out", metavar="FILE", help="write it here instead of standard output")
    for name, help_text, run in (
        ("entry", "print one entry", show_entry),
        ("prove", "prove that an entry is in the ledger", prove_entry),
    ):
        add_command(actions, name, help_text, run).add_argument("entry", type=int, metavar="N", help="its number")


def verify_ledger(options: argparse.Namespace, output: Output) -> int:
    """Prints the report; exit code 8 when something is wrong."""
    checkpoint = _checkpoint(options.checkpoint) if options.checkpoint else None
    key = _read(options.key).encode() if options.key else None
    report = _ledger().verify(checkpoint, public_key=key)
    output.show(report.to_dict(), lambda _: _verdict(report))
    return 0 if report.ok else IntegrityError.exit_code


def sign(options: argparse.Namespace, output: Output) -> int:
    """Prints or writes a signed checkpoint of a ledger that verifies."""
    ledger = _ledger()
    report = ledger.verify()
    if not report.ok:
        raise IntegrityError(
            f"The ledger does not verify, so it is not signed: {report.problems[0]}",
            "`qpm ledger verify` lists every problem; restore it from a copy.",
        )
    text = ledger.checkpoint()
    if not options.out:
        output.show({"checkpoint": text}, lambda _: text.rstrip(), verbatim=True)
        return 0
    _write(Path(options.out), text)
    document = {"checkpoint": text, "file": options.out}
    output.show(document, lambda _: f"Checkpoint written to {options.out}.", verbatim=True)
    return 0


def show_entry(options: argparse.Namespace, output: Output) -> int:
    """Prints one entry as it is chained."""
    document = asdict(_ledger().entry(options.entry))
    output.show(document, _keys_and_values, verbatim=True)
    return 0


def prove_entry(options: argparse.Namespace, output: Output) -> int:
    """Prints an inclusion proof against the current root."""
    document = _ledger().prove(options.entry).to_dict()
    output.show(document, _keys_and_values, verbatim=True)
    return 0


def _keys_and_values(document: dict[str, Any]) -> str:
    return "\n".join(f"{key:8} {value}" for key, value in document.items())


def _verdict(report: Any) -> str:
    if report.ok:
        entries = "1 entry" if report.entries == 1 else f"{report.entries:,} entries"
        return f"The ledger is whole: {entries}, head {report.head[:19]}…"
    return "\n".join(["The ledger does NOT verify:", *report.problems])


def _checkpoint(name: str) -> str:
    from qpm_lab.ledger import is_checkpoint

    text = _read(name)
    if not is_checkpoint(text):
        raise InputError(f"{name} is not a checkpoint.", "Give a file that `qpm ledger checkpoint --out FILE` wrote.")
    return text


def _read(name: str) -> str:
    path = Path(name)
    try:
        if path.stat().st_size > MAX_CHECKPOINT_BYTES:
            raise InputError(f"{name} is too large to be a checkpoint or key.", "")
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{name} cannot be read: {error}.", "Check the path.") from error


def _write(path: Path, text: str) -> None:
    """Writes beside the target and renames, so that no half file is ever left."""
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_text(text)
        partial.replace(path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error}.", "Check the folder.") from error


def _ledger() -> Ledger:
    """The ledger as it stands: nothing is created or recovered by looking at it.

    Raises:
        InputError: there is none.
    """
    from qpm_lab.lab import default_home
    from qpm_lab.ledger import Ledger

    home, url = default_home(), os.environ.get("QPM_LEDGER_URL") or None
    if url is None and not (home / "ledger.db").is_file():
        raise InputError(f"There is no ledger in {home}.", "QPM_HOME names its folder; the first job creates it.")
    return Ledger.open(home, url)
