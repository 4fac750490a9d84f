"""Rules of pragmas: their form, their place, and that what they name exists."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from tree_sitter import Node, Point

from crq.hw.verify.proofs.lint.names import Scope
from crq.hw.verify.proofs.lint.rules import PRAGMAS, Finding
from crq.hw.verify.proofs.lint.source import Source
from crq.hw.verify.proofs.lint.syntax import line_of, shown, text_of

_FUNCTION = ("function_definition", "lambda_expression")
# Those that stand first in a body, and whose body it may be.
_FIRST_IN_BODY = {
    "UNROLL": ("for_statement",),
    "PIPELINE": ("for_statement", *_FUNCTION),
    "INLINE": _FUNCTION,
    "DATAFLOW": ("for_statement", *_FUNCTION),
}


def check(source: Source, file: str, tables: Collection[str]) -> Iterator[Finding]:
    """`tables` are declared in another file, which the source includes."""
    for node, scope in source.find("preproc_call"):
        if _is_pragma(node):
            for rule in _broken(node, scope, tables):
                yield Finding(file, line_of(node), rule, shown(node))
    for name in {"_Pragma", "__pragma"} & source.names.keys():  # one hidden in a string
        yield from (Finding(file, line_of(node), "pragma-form", name) for node, _ in source.names[name])


def _is_pragma(node: Node) -> bool:
    directive = node.child_by_field_name("directive") if node.type == "preproc_call" else None
    return directive is not None and text_of(directive).lstrip("# \t") == "pragma"


def _broken(node: Node, scope: Scope, tables: Collection[str]) -> Iterator[str]:
    argument = node.child_by_field_name("argument")
    words = text_of(argument).split() if argument else []
    name, form = (words[1], " ".join(words[2:])) if len(words) > 1 and words[0] == "HLS" else ("", "")
    if name not in PRAGMAS or not re.fullmatch(PRAGMAS[name], form):
        yield "pragma-form"
    if name in _FIRST_IN_BODY and not _is_first(node, _FIRST_IN_BODY[name]):
        yield "pragma-place"
    named = re.search(r"\b(variable|port)=(\w+)", form)
    if named and named[2] != "return" and not _is_declared(node.start_point, scope, named[1], named[2], tables):
        yield "pragma-variable"
    counted = re.search(r"\b(?:factor|distance)=([\w:]+)", form)
    if counted and not _is_constant(counted[1], node.start_point, scope):
        yield "pragma-variable"


def _is_first(node: Node, bodies: Collection[str]) -> bool:
    """Whether only pragmas stand between it and the brace that opens the body of a loop or function."""
    before = node.prev_sibling
    while before is not None and _is_pragma(before):
        before = before.prev_sibling
    body = node.parent
    if before is None or before.type != "{" or body is None or body.parent is None:
        return False
    return body.type == "compound_statement" and body.parent.type in bodies


def _is_declared(at: Point, scope: Scope, what: str, name: str, tables: Collection[str]) -> bool:
    function = scope.function()
    if function and name in function.symbols and function.symbols[name].parameter:
        return True
    if what == "port":
        return False
    symbol = scope.symbols.get(name) or scope.file.symbols.get(name)
    return name in tables or bool(symbol and symbol.kind not in ("type", "function") and symbol.at < at)


def _is_constant(text: str, at: Point, scope: Scope) -> bool:
    """Whether a number or a name in a pragma is a constant that exists: the grammar does not read pragmas."""
    first, *fields = text.split("::")
    symbol = scope.find(first, at)
    if fields:
        return first in scope.file.inside or bool(symbol and symbol.kind == "type")
    return first.isdigit() or bool(symbol and symbol.kind == "constant")
