"""Generated SystemVerilog in lines that one can read: long ones are broken, long constants cut."""

from __future__ import annotations

import re
import textwrap

LIMIT = 120
DIGITS = 80  # hexadecimal, of a piece of a constant
_CONSTANT = re.compile(rf"\b(\d+)'h([0-9a-f]{{{DIGITS + 1},}})")
_COMMENT = re.compile(r'^((?:[^"/]|"[^"]*"|/(?!/))*\S)\s*(//.*)$')


def wrapped(text: str) -> str:
    """`text` without lines of more than `LIMIT` letters."""
    return "\n".join(line if len(line) <= LIMIT else _broken(line) for line in text.split("\n"))


def _broken(line: str) -> str:
    indent = line[: len(line) - len(line.lstrip())]
    if line.lstrip().startswith("//"):
        words = line.lstrip().removeprefix("//")
        hang = " " * (len(words) - len(words.lstrip()) + 2)
        filled = textwrap.wrap(
            words.strip(), LIMIT - len(indent) - 2, initial_indent=hang[2:], subsequent_indent=hang,
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip
        return "\n".join(f"{indent}//{part}" for part in filled)
    if commented := _COMMENT.match(line):
        return wrapped(f"{indent}{commented[2]}") + "\n" + wrapped(commented[1])
    cut = _CONSTANT.sub(lambda m: _pieces(int(m[1]), m[2]), line.strip())
    return "\n".join(
        textwrap.wrap(
            cut,
            LIMIT,
            initial_indent=indent,
            subsequent_indent=f"{indent}    ",
            break_long_words=False,
            break_on_hyphens=False,
        )  # fmt: skip
    )


def _pieces(width: int, digits: str) -> str:
    """A constant as a concatenation of shorter ones, the highest first."""
    value, step = int(digits, 16), 4 * DIGITS
    lows = range(0, width, step)
    parts = [(min(step, width - low), value >> low & (1 << min(step, width - low)) - 1) for low in lows]
    return "{" + ", ".join(f"{bits}'h{part:x}" for bits, part in reversed(parts)) + "}"
