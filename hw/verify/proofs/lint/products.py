"""The rule of `*`, `/` and `%`: indices times constants are address arithmetic, anything else would be a multiplier."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hw.verify.proofs.lint.parse import Source
from hw.verify.proofs.lint.rules import Finding
from hw.verify.proofs.lint.scopes import BUILTIN, Scope, is_constant, qualified
from hw.verify.proofs.lint.tokens import closing, closing_angle, opening

_OPERATORS = ("*", "/", "%", "*=", "/=", "%=")
# The one product of data: `result = term_t(x * weight)` below its pragma.
_DECLARED = ["result", "=", "term_t", "(", "x", "*", "weight", ")", ";"]


def check(source: Source, file: str) -> Iterator[Finding]:
    tokens = source.tokens
    for at, token in enumerate(tokens):
        if token.text not in _OPERATORS or not _is_binary(source, at) or _declared_product(source, file, at):
            continue
        scope = source.scope_of[at]
        constants, others = _factors(source, at, scope)
        if token.text[0] == "*":
            legal = others in ([], ["index"]) and (constants or not others)
        else:
            legal = _operand_behind(source, at, scope) == "constant" and _operand_before(source, at, scope)[0] != "data"
        if not legal:
            line = [t.text for t in tokens[max(0, at - 6) : at + 7] if t.line == token.line]
            yield Finding(file, token.line, "product", " ".join(line))


def _is_binary(source: Source, at: int) -> bool:
    """Not a declarator (`int *p`) or an access (`*p`), which another rule forbids."""
    if len(source.tokens[at].text) == 2 or source.tokens[at].text != "*":
        return True
    before = source.tokens[at - 1]
    if any(symbol.pointer and symbol.at in (at + 1, at + 2) for _, symbol in source.symbols()):
        return False
    return before.text in (")", "]", ">") or (before.is_name and before.text not in BUILTIN | {"return"}) or (
        before.text[0].isdigit()
    )  # fmt: skip


def _declared_product(source: Source, file: str, at: int) -> bool:
    tokens = source.tokens
    if not file.endswith("crq_product.h") or [t.text for t in tokens[at - 5 : at + 4]] != _DECLARED:
        return False
    return bool(re.fullmatch(r"#pragma HLS BIND_OP variable=result op=mul impl=fabric", tokens[at - 6].text))


def _factors(source: Source, at: int, scope: Scope) -> tuple[int, list[str]]:
    """All factors of the product that ends behind `at`: how many constants, and the kinds of the others."""
    kinds = [_operand_behind(source, at, scope)]
    kind, start = _operand_before(source, at, scope)
    kinds.append(kind)
    while start > 0 and source.tokens[start - 1].text in ("*", "/", "%"):
        kind, start = _operand_before(source, start - 1, scope)
        kinds.append(kind)
    return kinds.count("constant"), [k for k in kinds if k != "constant"]


def _operand_behind(source: Source, at: int, scope: Scope) -> str:
    tokens, i = source.tokens, at + 1
    if i >= len(tokens):
        return "data"
    if tokens[i].text == "(":
        return _group(source, i + 1, closing(tokens, i), scope)
    if not tokens[i].is_name:
        return "constant" if tokens[i].text[0].isdigit() else "data"
    end, _ = qualified(tokens, i)
    if end < len(tokens) and tokens[end].text == "(" and tokens[i].text in ("unsigned", "int"):
        return _cast(source, end + 1, closing(tokens, end), scope)
    if end < len(tokens) and tokens[end].text in ("(", "[", ".", "->"):
        return "data"
    return _group(source, i, end, scope)


def _operand_before(source: Source, at: int, scope: Scope) -> tuple[str, int]:
    """The kind of the operand that ends in front of `at`, and where it begins."""
    tokens, i = source.tokens, at - 1
    if tokens[i].text == ")":
        start = opening(tokens, i)
        before = tokens[start - 1]
        if before.text in ("unsigned", "int"):
            return _cast(source, start + 1, i, scope), start - 1
        if before.is_name and before.text != "return" or before.text in (">", "]"):
            return "data", start - 1  # a call
        return _group(source, start + 1, i, scope), start
    if not tokens[i].is_name:
        return ("constant" if tokens[i].text[0].isdigit() else "data"), i
    start = i
    while start > 1 and tokens[start - 1].text == "::":
        start -= 2
        if tokens[start].text == ">":
            start = _name_of_arguments(source, start)
    if tokens[start - 1].text in (".", "->"):
        return "data", start - 1
    return _group(source, start, i + 1, scope), start


def _name_of_arguments(source: Source, end: int) -> int:
    """Where the name begins whose template arguments end at `end`."""
    for i in range(end - 1, 0, -1):
        if source.tokens[i].text == "<" and closing_angle(source.tokens, i) == end:
            return i - 1
    return end


def _group(source: Source, start: int, end: int, scope: Scope) -> str:
    """constant, index (unsigned variables besides constants) or data."""
    return _kind(source, start, end, scope, {"constant", "index"})


def _cast(source: Source, start: int, end: int, scope: Scope) -> str:
    """A cast makes an index of any native integer."""
    return _kind(source, start, end, scope, {"constant", "index", "integer"})


def _kind(source: Source, start: int, end: int, scope: Scope, allowed: set[str]) -> str:
    tokens = source.tokens
    if is_constant(tokens[start:end], scope):
        return "constant"
    i = start
    while i < end:
        if tokens[i].text in ("[", ".", "->", "{"):
            return "data"
        if not tokens[i].is_name or tokens[i].text in ("unsigned", "int", "true", "false"):
            i += 1
            continue
        behind, names = qualified(tokens, i)
        if behind < end and tokens[behind].text == "(":
            return "data"
        symbol = scope.find(names[0]) if len(names) == 1 else None
        if len(names) == 1 and (symbol is None or symbol.kind not in allowed):
            return "data"
        i = behind
    return "index"
