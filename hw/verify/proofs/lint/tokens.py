"""C++ as tokens: comments, strings and preprocessor lines are gone, HLS pragmas are tokens of their own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

# `<<` and `>>` come as two tokens, so that nested template arguments close one by one.
_TOKEN = re.compile(
    r"[A-Za-z_]\w*|\d[\w.']*|\.\.\.|::|->|\+\+|--|&&|\|\||[-+*/%&|^=!<>]=|\S",
)
_OPEN = {"(": ")", "[": "]", "{": "}"}


class Token(NamedTuple):
    text: str
    line: int

    @property
    def is_name(self) -> bool:
        return bool(re.match(r"[A-Za-z_]", self.text))

    @property
    def is_pragma(self) -> bool:
        return self.text.startswith("#pragma")


def without_comments(text: str) -> str:
    """Comments and string literals blanked, lines kept."""
    text = re.sub(r'"(?:[^"\\\n]|\\.)*"', '""', text)
    text = re.sub(r"/\*.*?\*/", lambda comment: "\n" * comment[0].count("\n"), text, flags=re.DOTALL)
    return re.sub(r"//[^\n]*", "", text)


def tokenize(text: str) -> list[Token]:
    """The tokens of a text without comments. Every branch of an `#if` is taken."""
    result: list[Token] = []
    continued = False
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        directive, continued = continued or stripped.startswith("#"), False
        if re.match(r"#\s*pragma\b", stripped):
            result.append(Token(re.sub(r"^#\s*", "#", stripped), number))
        elif directive:
            continued = stripped.endswith("\\")
        else:
            result += [Token(match[0], number) for match in _TOKEN.finditer(line)]
    return result


def closing(tokens: Sequence[Token], at: int) -> int:
    """The index of the bracket that closes the one at `at`; the last token if none does."""
    depth = 0
    for i in range(at, len(tokens)):
        if tokens[i].text in _OPEN:
            depth += 1
        elif tokens[i].text in _OPEN.values():
            depth -= 1
            if not depth:
                return i
    return len(tokens) - 1


def opening(tokens: Sequence[Token], at: int) -> int:
    """The index of the bracket that the one at `at` closes; the first token if there is none."""
    depth = 0
    for i in range(at, -1, -1):
        if tokens[i].text in _OPEN.values():
            depth += 1
        elif tokens[i].text in _OPEN:
            depth -= 1
            if not depth:
                return i
    return 0


def closing_angle(tokens: Sequence[Token], at: int) -> int | None:
    """The index of the `>` that ends the template arguments begun at `at`, or None if it is a comparison."""
    depth, i = 0, at
    while i < len(tokens):
        text = tokens[i].text
        if text == "<":
            depth += 1
        elif text == ">":
            depth -= 1
            if not depth:
                return i
        elif text in _OPEN and text != "{":
            i = closing(tokens, i)
        elif text in (";", "{", "}", ")", "]", "?", "&&", "||") or tokens[i].is_pragma:
            return None
        i += 1
    return None


def split(tokens: Sequence[Token], separator: str) -> list[list[Token]]:
    """Pieces of `tokens` between separators outside of brackets and template arguments."""
    pieces: list[list[Token]] = [[]]
    i = 0
    while i < len(tokens):
        text = tokens[i].text
        end: int | None = i
        if text in _OPEN:
            end = closing(tokens, i)
        elif text == "<" and i and tokens[i - 1].is_name:
            end = closing_angle(tokens, i)
        if text == separator:
            pieces.append([])
        else:
            pieces[-1] += tokens[i : (i if end is None else end) + 1]
        i = (i if end is None else end) + 1
    return pieces
