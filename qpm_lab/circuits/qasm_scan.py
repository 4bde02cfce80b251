"""Reads the tokens of an OpenQASM text before any parser does: version, includes, sizes, and what parsing costs.

A text is *simple* when it holds only declarations, gate definitions, gate calls, measurements, resets and barriers
with literal sizes: then the work of parsing it is known beforehand. Everything else is parsed under a time limit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from qpm_lab.circuits.limits import Limits
from qpm_lab.errors import CircuitError

Version = Literal[2, 3]
_TOKEN = re.compile(
    r"""\s+ | //[^\n]* | /\*(?:.*?\*/|.*)
      | (?P<token> "[^"\n]*" | '[^'\n]*' | \d[\w.]* | [^\W\d]\w* | \$\d+ | \*\* | << | -> | == | . )""",
    re.DOTALL | re.VERBOSE,
)
_OPEN, _CLOSE = frozenset("([{"), frozenset(")]}")
_PUNCTUATION = frozenset([*";,()[]{}+-*/=", "->", "=="])
_LIBRARY = {2: "qelib1.inc", 3: "stdgates.inc"}
_SIZED = frozenset({"qreg", "creg", "qubit", "bit"})
_IGNORED = frozenset({"OPENQASM", "include", "input", "opaque"})
_FIRST_WITHOUT_VERSION = frozenset({"include", "gate", "opaque", "input", *_SIZED})
_ONLY_IN_3 = frozenset({"qubit", "bit", "input", '"stdgates.inc"'})
_NEEDS_A_PARSER = re.compile(
    r"def|defcal|cal|defcalgrammar|extern|const|let|for|while|if|else|switch|box|delay|durationof|stretch|duration|array"
    r"|output|pragma|ctrl|negctrl|inv|pow|int|uint|float|angle|complex|bool|gphase|end|return|break|continue|sizeof"
)


@dataclass(slots=True)
class Scan:
    """What the tokens tell."""

    version: Version
    work: int | None = None
    """Operations that parsing creates, broadcasts and gate definitions written out; None: not simple."""


def tokens(text: str) -> Iterator[str]:
    """The tokens without comments and white space; an unclosed comment runs to the end."""
    return (m["token"] for m in _TOKEN.finditer(text) if m["token"] is not None)


def scan(text: str, limits: Limits) -> Scan:
    """Looks over a text in time proportional to its length.

    Raises:
        CircuitError: no or unknown version, an include from a path, or a bound of `limits` passed.
    """
    found = list(tokens(text))
    version = _version(found)
    _check_includes(found, version)
    _check_nesting(found, limits)
    _check_physical_qubits(found, limits)
    work = _Estimate(version, limits).of(found)
    if work is not None and work > limits.operations:
        raise too_many_operations(limits)
    return Scan(version, work)


def too_many_operations(limits: Limits) -> CircuitError:
    return CircuitError(
        f"The circuit has more than {limits.operations:,} operations once its own gates are written out.",
        "Split it into smaller circuits.",
    )


def too_wide(kind: str, size: str, limit: int) -> CircuitError:
    return CircuitError(f"The circuit declares {size} {kind}; at most {limit:,} are read.", "Declare fewer.")


def _version(found: list[str]) -> Version:
    if found[:1] == ["OPENQASM"] and len(found) > 1:
        if found[1] in {"2", "2.0"}:
            return 2
        if found[1] == "3" or re.fullmatch(r"3\.\d+", found[1]):
            return 3
        raise CircuitError(f"OpenQASM {found[1][:20]} is not known.", "Write OPENQASM 2.0; or OPENQASM 3.0;")
    if not found:
        raise CircuitError("The OpenQASM text is empty.", "Start it with OPENQASM 3.0; and declare qubits.")
    if found[0] in _FIRST_WITHOUT_VERSION:
        return 3 if not _ONLY_IN_3.isdisjoint(found) else 2
    raise CircuitError(
        "This does not look like OpenQASM: it does not start with a version.",
        "If it is, make OPENQASM 2.0; or OPENQASM 3.0; its first line. A file is given by its path (pathlib.Path).",
    )


def _check_includes(found: list[str], version: Version) -> None:
    for place, token in enumerate(found):
        if token != "include":
            continue
        name = found[place + 1].strip("\"'") if place + 1 < len(found) else ""
        if name != _LIBRARY[version]:
            raise CircuitError(
                f"The circuit includes {name[:100]!r}; no file is ever read for an include.",
                f'Only include "{_LIBRARY[version]}"; works in OpenQASM {version}: paste other gates into the text.',
            )


def _check_nesting(found: list[str], limits: Limits) -> None:
    depth = 0
    for token in found:
        depth += (token in _OPEN) - (token in _CLOSE)
        if depth > limits.nesting:
            raise CircuitError(
                f"Brackets or blocks are nested more than {limits.nesting} deep.", "Write it in simpler steps."
            )


def _check_physical_qubits(found: list[str], limits: Limits) -> None:
    for token in found:
        if token[0] == "$" and len(token) > 1 and size_of(token[1:], limits.qubits) > limits.qubits:
            raise too_wide("qubits", token[:20], limits.qubits)


def size_of(digits: str, limit: int) -> int:
    """The value of a literal, cut off above the limit so that no huge number is built."""
    plain = digits.replace("_", "").lstrip("0") or "0"
    if not (plain.isascii() and plain.isdecimal()):
        return -1
    return int(plain) if len(plain) <= len(str(limit)) else limit + 1


@dataclass(slots=True)
class _Estimate:
    """Adds up declarations, definitions and calls; gives up (None) on anything else."""

    version: Version
    limits: Limits
    qubits: dict[str, int] = field(default_factory=dict)
    clbits: dict[str, int] = field(default_factory=dict)
    gates: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Gate defined in the text → operations it stands for, levels of definitions below it."""

    def of(self, found: list[str]) -> int | None:
        total, start, simple = 0, 0, True
        in_gate: list[str] | None = None
        body: list[list[str]] = []
        for place, token in enumerate(found):
            if token not in {";", "{", "}"}:
                continue
            statement, start = found[start:place], place + 1
            if token == "{":
                simple = simple and in_gate is None and statement[:1] == ["gate"]
                in_gate, body = statement, []
            elif token == "}":
                self._define(in_gate or [], body)
                in_gate = None
            elif in_gate is not None:
                body.append(statement)
            else:
                cost = self._statement(statement)
                simple = simple and cost is not None
                total += cost or 0
        return total if simple and in_gate is None else None

    def _define(self, header: list[str], body: list[list[str]]) -> None:
        known = [self.gates.get(s[0], (1, 0)) for s in body if s]
        size = sum(n for n, _ in known)
        if size > self.limits.operations:
            raise too_many_operations(self.limits)
        depth = 1 + max((d for _, d in known), default=0)
        if depth > self.limits.nesting:
            raise CircuitError(
                f"Gates are defined through one another more than {self.limits.nesting} deep.",
                "Write the inner gates out.",
            )
        if len(header) > 1:
            self.gates[header[1]] = (size, depth)

    def _statement(self, statement: list[str]) -> int | None:
        if not statement or statement[0] in _IGNORED:
            return 0
        if statement[0] in _SIZED:
            return self._declare(statement)
        if statement[0] == "if" and self.version == 2 and ")" in statement:
            inner = self._statement(statement[statement.index(")") + 1 :])
            return None if inner is None else inner * max(1, *self.clbits.values(), 1)
        if not all(t in _PUNCTUATION or t[0].isalnum() or t[0] in "_^" for t in statement):
            return None
        if self.version == 3 and ("^" in statement or any(map(_NEEDS_A_PARSER.fullmatch, statement))):
            return None
        return self._call(statement)

    def _declare(self, statement: list[str]) -> int | None:
        quantum = statement[0] in {"qreg", "qubit"}
        width = statement[statement.index("[") + 1] if "[" in statement[:-1] else "1"
        limit = self.limits.qubits if quantum else self.limits.clbits
        size = size_of(width, limit)
        if size < 0:
            return None
        table = self.qubits if quantum else self.clbits
        words = [t for t in statement[1:] if t[0].isalpha() or t[0] == "_"]
        table[words[0] if words else ""] = size
        if sum(table.values()) > limit:
            raise too_wide("qubits" if quantum else "classical bits", width[:20], limit)
        return None if "=" in statement and "measure" not in statement else size

    def _call(self, statement: list[str]) -> int:
        size, _ = self.gates.get(statement[0], (1, 0))
        following = [*statement[1:], ""]
        whole = (self.qubits.get(t, 1) for t, after in zip(statement, following, strict=True) if after != "[")
        return size * max(whole, default=1)
