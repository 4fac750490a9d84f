"""Rules of pragmas: their form, their place, and that what they name exists."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from hw.verify.proofs.lint.parse import Source
from hw.verify.proofs.lint.rules import PRAGMAS, Finding

_FIRST_IN_BODY = ("UNROLL", "PIPELINE", "INLINE", "DATAFLOW")


def check(source: Source, file: str, tables: Collection[str]) -> Iterator[Finding]:
    """`tables` are declared in another file, which the source includes."""
    tokens = source.tokens
    for at, token in enumerate(tokens):
        if not token.is_pragma:
            continue
        match = re.fullmatch(r"#pragma HLS (\w+)\s*(.*?)\s*", token.text)
        if not match or match[1] not in PRAGMAS or not re.fullmatch(PRAGMAS[match[1]], match[2]):
            yield Finding(file, token.line, "pragma-form", token.text)
        if not match:
            continue
        if match[1] in _FIRST_IN_BODY and not (at and (tokens[at - 1].text == "{" or tokens[at - 1].is_pragma)):
            yield Finding(file, token.line, "pragma-place", token.text)
        named = re.search(r"\b(variable|port)=(\w+)", match[2])
        if named and named[2] != "return" and not _declared(source, at, named[1], named[2], tables):
            yield Finding(file, token.line, "pragma-variable", token.text)


def _declared(source: Source, at: int, what: str, name: str, tables: Collection[str]) -> bool:
    scope = source.scope_of[at]
    function = scope.function()
    if function and name in function.symbols and function.symbols[name].parameter:
        return True
    if what == "port":
        return False
    symbol = scope.symbols.get(name) or source.root.symbols.get(name)
    return name in tables or bool(symbol and symbol.kind != "type" and symbol.at < at)
