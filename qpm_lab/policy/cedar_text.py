"""Cedar text before the engine sees it: statements with their lines, bounds, and a form for hashing.

Cedar's messages name no line, and its parser ends the whole process on deep nesting; both are met here.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

MAX_DEPTH = 40
"""Brackets inside each other."""
MAX_OPERATORS = 400
"""Operators in one statement; each may nest one level deeper."""
MAX_PROBLEMS = 20
"""Faults reported per file."""

_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"?|//[^\n]*|\w+|&&|\|\||[<>=!]=|::|\S', re.DOTALL)
_SYMBOLS = ("&&", "||", "+", "-", "*", "!", ".", "<", ">", "<=", ">=", "==", "!=")
_OPERATORS = frozenset((*_SYMBOLS, "in", "has", "like", "is", "if", "then", "else"))
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")
_UNFINISHED = "unexpected end of input"


class Token(NamedTuple):
    """One word, symbol or string, and where it starts."""

    text: str
    offset: int


@dataclass(frozen=True, slots=True)
class Statement:
    """One rule or declaration, up to and with its semicolon."""

    tokens: tuple[Token, ...]
    source: str
    """The whole text that the tokens point into."""

    @property
    def line(self) -> int:
        return line_of(self.source, self.tokens[0].offset)

    @property
    def text(self) -> str:
        return self.upto(len(self.tokens))

    def upto(self, count: int) -> str:
        """The text of the first `count` tokens."""
        last = self.tokens[count - 1]
        return self.source[self.tokens[0].offset : last.offset + len(last.text)]

    def line_of_word(self, word: str) -> int:
        """The line where `word` stands; the statement's first line when it does not."""
        found = next((t for t in self.tokens if t.text.strip('"') == word), self.tokens[0])
        return line_of(self.source, found.offset)


def line_of(text: str, offset: int) -> int:
    """The line number, from 1, of a character."""
    return text.count("\n", 0, offset) + 1


def tokens(text: str) -> Iterator[Token]:
    """All tokens without comments."""
    for match in _TOKEN.finditer(text):
        if not match[0].startswith("//"):
            yield Token(match[0], match.start())


def normalised(text: str) -> str:
    """The text without comments and layout: equal for texts that mean the same to Cedar."""
    return " ".join(word for word in _TOKEN.findall(text) if not word.startswith("//"))


def statements(text: str) -> list[Statement]:
    """Splits at each semicolon outside brackets; a rest without one is a statement too."""
    found: list[Statement] = []
    run: list[Token] = []
    depth = 0
    for token in tokens(text):
        run.append(token)
        depth += (token.text in _OPENING) - (token.text in _CLOSING)
        if token.text == ";" and depth <= 0:
            found.append(Statement(tuple(run), text))
            run, depth = [], 0
    return found + ([Statement(tuple(run), text)] if run else [])


def excess(statement: Statement) -> str:
    """Why a statement is too large to be given to the parser; empty when it is not."""
    depth = deepest = operators = 0
    for token in statement.tokens:
        depth += (token.text in _OPENING) - (token.text in _CLOSING)
        deepest = max(deepest, depth)
        operators += token.text in _OPERATORS
    if deepest > MAX_DEPTH:
        return f"brackets nest {deepest} deep; at most {MAX_DEPTH} are read"
    if operators > MAX_OPERATORS:
        return f"{operators} operators in one statement; at most {MAX_OPERATORS} are read"
    return ""


def syntax_problems(name: str, text: str, parse: Callable[[str], object]) -> list[str]:
    """`file:line: fault` of every statement that is too large or does not parse."""
    problems: list[str] = []
    for statement in statements(text):
        if too_large := excess(statement):
            problems.append(f"{name}:{statement.line}: {too_large}.")
        elif fault := _fault(parse, statement.text):
            problems.append(f"{name}:{_fault_line(parse, statement)}: {fault}.")
        if len(problems) == MAX_PROBLEMS:
            break
    return problems


def _fault(parse: Callable[[str], object], text: str) -> str:
    try:
        parse(text)
    except ValueError as error:
        return str(error) or "cannot be parsed"
    return ""


def _fault_line(parse: Callable[[str], object], statement: Statement) -> int:
    """The line of the first token that no valid text could have there.

    A prefix of valid text fails only because it is unfinished, so the shortest prefix that fails
    otherwise ends with the token at fault.
    """

    def hopeless(count: int) -> bool:
        fault = _fault(parse, statement.upto(count))
        return bool(fault) and _UNFINISHED not in fault

    index = bisect_left(range(1, len(statement.tokens) + 1), True, key=hopeless)
    token = statement.tokens[min(index, len(statement.tokens) - 1)]
    return line_of(statement.source, token.offset)
