"""Rules of what is declared: sizes of arrays, pointers, state that outlives a call."""

from __future__ import annotations

from collections.abc import Iterator

from hw.verify.proofs.lint.parse import Source
from hw.verify.proofs.lint.rules import Finding
from hw.verify.proofs.lint.scopes import BUILTIN, Scope, Symbol, is_constant


def check(source: Source, file: str) -> Iterator[Finding]:
    for scope, symbol in source.symbols():
        line = source.tokens[symbol.at].line
        if any(not is_constant(size, source.scope_of[symbol.at]) for size in symbol.sizes):
            yield Finding(file, line, "array-size", _spelled(symbol))
        if symbol.pointer:
            yield Finding(file, line, "pointer", f"*{symbol.name}")
        if _outlives(scope, symbol):
            yield Finding(file, line, "static-state", symbol.name)
    yield from _pointers(source, file)


def _outlives(scope: Scope, symbol: Symbol) -> bool:
    if symbol.kind == "type" or symbol.fixed or symbol.kind == "constant":
        return False
    return symbol.static or scope.kind in ("file", "namespace")


def _pointers(source: Source, file: str) -> Iterator[Finding]:
    """Function pointers and references, pointer types in casts, accesses through pointers."""
    tokens = source.tokens
    for at, token in enumerate(tokens[:-1]):
        around = [t.text for t in tokens[at : at + 5]]
        before = tokens[at - 1].text if at else ";"
        function = around[0] == "(" and around[1] in ("*", "&") and around[3:] == [")", "("]
        access = around[0] in ("->", "nullptr") or (
            around[0] == "*" and before in ("=", "(", ",", ";", "{", "}", "return")
        )
        to_type = around[0] == "*" and (before in BUILTIN or before == "::" or before == "const")
        address = around[0] == "&" and before in ("=", "(", ",", "return") and tokens[at + 1].is_name and not _declares(
            source, at + 1
        )  # fmt: skip
        if function or access or to_type or address:
            yield Finding(file, token.line, "pointer", " ".join(around))


def _declares(source: Source, at: int) -> bool:
    return any(symbol.at == at for _, symbol in source.symbols())


def _spelled(symbol: Symbol) -> str:
    return symbol.name + "".join("[" + " ".join(t.text for t in size) + "]" for size in symbol.sizes)
