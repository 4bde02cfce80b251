"""Reads a CSV file that came from outside: bounded, whatever its delimiter, every row with its line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from qpm_lab.errors import InputError

MAX_BYTES = 100 << 20
MAX_ROWS = 1_000_000
MAX_FIELD = 65_536
MAX_COLUMNS = 2_000
PREAMBLE = 30
"""Lines of account data that may stand before the header."""
DELIMITERS = ",;\t|"


@dataclass(frozen=True, slots=True)
class Table:
    """A file and its text."""

    path: Path
    text: str
    digest: str
    delimiter: str

    @property
    def decimal_comma(self) -> bool:
        """A list separated by semicolons comes from where commas stand before decimals."""
        return self.delimiter == ";"

    def rows(self) -> Iterator[tuple[int, list[str] | str]]:
        """Line and fields of each row that is not empty; a text that says why for one that cannot be taken apart.

        Raises:
            InputError: there are more rows than are read.
        """
        before = csv.field_size_limit(MAX_FIELD)
        try:
            reader = csv.reader(io.StringIO(self.text, newline=""), delimiter=self.delimiter, strict=True)
            for count in range(MAX_ROWS + 1):
                begin = reader.line_num + 1
                try:
                    row = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    yield begin, f"it cannot be taken apart ({error}; read up to line {reader.line_num})"
                    continue
                if count == MAX_ROWS:
                    break
                if any(field.strip() for field in row):
                    yield begin, row if len(row) <= MAX_COLUMNS else f"it has {len(row):,} fields"
        finally:
            csv.field_size_limit(before)
        raise InputError(f"{self.path} has more than {MAX_ROWS:,} rows.", "Split the export, by month for example.")


def read_table(path: Path) -> Table:
    """The text of a file, with or without a byte order mark.

    Raises:
        InputError: it cannot be read, is too large, or is no text.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", "Check the path.") from error
    if len(data) > MAX_BYTES:
        raise InputError(f"{path} is larger than {MAX_BYTES >> 20} MB.", "Split the export, by month for example.")
    utf16 = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        text = data.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is not text.", "Export it as CSV in UTF-8; compressed files first unpacked."
        ) from error
    return Table(path, text, "sha256:" + sha256(data).hexdigest(), _delimiter(text))


def _delimiter(text: str) -> str:
    """The one that the first lines have most of: headers hold no numbers."""
    head = "\n".join(text[:MAX_FIELD].splitlines()[:PREAMBLE])
    return max(DELIMITERS, key=head.count)
