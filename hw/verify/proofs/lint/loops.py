"""Rules of loops: what an HLS tool can count before it runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from hw.verify.proofs.lint.parse import Source
from hw.verify.proofs.lint.rules import Finding
from hw.verify.proofs.lint.scopes import Scope, is_constant
from hw.verify.proofs.lint.tokens import Token, closing, split

_CHANGES = ("=", "+=", "-=", "*=", "/=", "%=", "++", "--")


def check(source: Source, file: str) -> Iterator[Finding]:
    tokens = source.tokens
    for at, token in enumerate(tokens):
        if token.text != "for" or at + 1 >= len(tokens) or tokens[at + 1].text != "(":
            continue
        end = closing(tokens, at + 1)
        text = " ".join(t.text for t in tokens[at : end + 1])
        for rule in _broken(source, split(tokens[at + 2 : end], ";"), source.scope_of[at], end):
            yield Finding(file, token.line, rule, text)


def _broken(source: Source, parts: list[list[Token]], scope: Scope, end: int) -> Iterator[str]:
    texts = [[t.text for t in part] for part in parts]
    if len(parts) != 3 or texts[0][:1] != ["unsigned"] or texts[0][2:3] != ["="] or len(split(parts[0], ",")) > 1:
        yield "loop-kind"
        return
    name, (_, condition, step) = texts[0][1], texts
    upwards = "<" in condition
    if not is_constant(parts[0][3:], scope) or not _bounded(name, parts[1], scope):
        yield "loop-bound"
    if not _moves(name, step, upwards) or _changed(source, name, end):
        yield "loop-step"


def _bounded(name: str, condition: Sequence[Token], scope: Scope) -> bool:
    """`i < constant`, `i + literal < constant` or `i > 0`."""
    texts = [t.text for t in condition]
    if texts == [name, ">", "0"]:
        return True
    start = 4 if texts[1:2] == ["+"] and re.fullmatch(r"\d+", texts[2] if len(texts) > 2 else "") else 2
    return texts[0:1] == [name] and texts[start - 1 : start] == ["<"] and is_constant(condition[start:], scope)


def _moves(name: str, step: list[str], upwards: bool) -> bool:
    if upwards:
        if step in ([name, "++"], ["++", name]):
            return True
        return step[:2] == [name, "+="] and len(step) == 3 and _literal(step[2]) > 0
    if step in ([name, "--"], ["--", name]):
        return True
    return len(step) == 3 and step[0] == name and _literal(step[2]) > {"-=": 0, "/=": 1}.get(step[1], 1 << 32)


def _literal(text: str) -> int:
    return int(text) if re.fullmatch(r"\d+", text) else 0


def _changed(source: Source, name: str, end: int) -> bool:
    """Whether the body that follows the head's closing parenthesis at `end` assigns to the index."""
    tokens = source.tokens
    stop = end + 1
    while stop < len(tokens) and tokens[stop].text not in (";", "{"):
        stop += 1
    if stop < len(tokens) and tokens[stop].text == "{":
        stop = closing(tokens, stop)
    for i in range(end + 1, min(stop, len(tokens) - 1)):
        before, behind = tokens[i - 1].text, tokens[i + 1].text
        if tokens[i].text == name and before not in (".", "->", "::") and (
            behind in _CHANGES or before in ("++", "--")
        ):  # fmt: skip
            return True
    return False
