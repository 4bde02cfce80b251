"""`qpm reconcile FILE...`: do the invoices agree with what was recorded?"""

from __future__ import annotations

import argparse
import re
from decimal import Decimal
from typing import Any

from qpm_lab.cli.commands import add_command, the_lab
from qpm_lab.cli.output import Output
from qpm_lab.errors import InputError, PromotionError

NOT_MET = PromotionError.exit_code
"""Something does not agree."""
FORMATS = ("aws", "azure", "ibm", "generic")


def add_commands(commands: Any) -> None:
    """Registers this family's commands."""
    summary = "compare invoices (CSV) with the jobs recorded; exit code 6 when they do not agree"
    parser = add_command(commands, "reconcile", summary, reconcile_files)
    parser.add_argument("files", nargs="+", metavar="FILE", help="a cost report of AWS, Azure or IBM, or a plain list")
    parser.add_argument("--format", choices=FORMATS, help="its shape; found by the header if absent")
    parser.add_argument("--per-second", metavar="PRICE", help="for exports of seconds without money, e.g. '1.60 USD'")


def reconcile_files(options: argparse.Namespace, output: Output) -> int:
    """Prints what agrees and what does not."""
    from qpm_lab.display.reconciled import reconciled_text
    from qpm_lab.reconcile import reconcile

    price = None if options.per_second is None else _price(options.per_second)
    report = reconcile(the_lab().ledger, options.files, options.format, per_second=price)
    document = report.to_dict()
    output.show(document, reconciled_text)
    return 0 if report.ok else NOT_MET


def _price(text: str) -> tuple[Decimal, str]:
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)\s*([A-Za-z]{3})", text.strip(), re.ASCII)
    if found is None:
        raise InputError(f"--per-second {text[:40]!r} is not a price.", "Write for example --per-second '1.60 USD'.")
    return Decimal(found[1]), found[2].upper()
