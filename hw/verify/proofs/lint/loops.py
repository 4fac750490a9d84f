"""Rules of loops: what an HLS tool can count before it runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from tree_sitter import Node

from crq.hw.verify.proofs.lint.changes import Changes
from crq.hw.verify.proofs.lint.names import Scope, Symbol, is_constant
from crq.hw.verify.proofs.lint.rules import Finding
from crq.hw.verify.proofs.lint.source import Source
from crq.hw.verify.proofs.lint.syntax import Declarator, line_of, shown, text_of

_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
_UNSIGNED = (["unsigned"], ["unsigned", "int"])


class Index(NamedTuple):
    """The index of a loop, where it starts and the scope of the loop's head."""

    name: str
    start: Node | None
    scope: Scope


def check(source: Source, file: str) -> Iterator[Finding]:
    for node, _ in source.find("for_range_loop"):
        yield Finding(file, line_of(node), "loop-kind", shown(node))
    loops = list(source.find("for_statement"))
    changes = Changes(source) if loops else None
    for node, _ in loops:
        for rule in _broken(node, source.opened[node.id], changes):
            body = node.child_by_field_name("body")
            head = shown(node)[: body.start_byte - node.start_byte] if body else shown(node)
            yield Finding(file, line_of(node), rule, head)


def _broken(loop: Node, scope: Scope, changes: Changes | None) -> Iterator[str]:
    index = _index(loop.child_by_field_name("initializer"), scope)
    if index is None:
        yield "loop-kind"
        return
    bound = _bound(index, loop.child_by_field_name("condition"))
    if bound is None or not is_constant(index.start, scope):
        yield "loop-bound"
    symbol = scope.symbols[index.name]
    # Without a bound there is no way towards it: then any step will do.
    if not _moves(index, loop.child_by_field_name("update"), bound or "<>") or _changed(loop, symbol, changes):
        yield "loop-step"


def _index(declaration: Node | None, scope: Scope) -> Index | None:
    """The one `unsigned` variable that a loop's head declares."""
    if declaration is None or declaration.type != "declaration":
        return None
    kind, declarators = declaration.child_by_field_name("type"), declaration.children_by_field_name("declarator")
    if kind is None or text_of(kind).split() not in _UNSIGNED or len(declarators) != 1:
        return None
    name, value = Declarator(declarators[0]).name, declarators[0].child_by_field_name("value")
    if declaration.named_child_count != 2 or name is None or name.type != "identifier" or value is None:
        return None
    if declarators[0].child_by_field_name("declarator") != name:
        return None
    if value.type in ("argument_list", "initializer_list"):
        value = value.named_children[0] if value.named_child_count == 1 else None
    return Index(text_of(name), value, scope)


def _bound(index: Index, condition: Node | None) -> str | None:
    """The comparison that ends the loop, as if the index stood on its left; None if it is not with a constant.

    Legal are `i < constant`, `i + literal < constant`, `i > constant`, with `=` too, and all of them mirrored. `i >= 0`
    always holds.
    """
    condition = _bare(condition)
    if condition is None or condition.type != "binary_expression":
        return None
    left, operator, right = (_bare(child) for child in condition.children)
    if left is None or operator is None or right is None or operator.type not in _MIRRORED:
        return None
    sign = operator.type
    if is_constant(left, index.scope):
        left, sign, right = right, _MIRRORED[sign], left
    if not is_constant(right, index.scope) or (sign == ">=" and not _literal(right)):
        return None
    if sign[0] == "<" and left.type == "binary_expression" and left.children[1].type == "+":
        added = _bare(left.children[2])
        left = _bare(left.children[0]) if added and added.type == "number_literal" else None
    return sign if left is not None and _is(index, left) else None


def _bare(node: Node | None) -> Node | None:
    """An expression without parentheses around it."""
    while node is not None and node.type == "parenthesized_expression" and node.named_child_count == 1:
        node = node.named_children[0]
    return node


def _is(index: Index, node: Node | None) -> bool:
    return node is not None and node.type == "identifier" and text_of(node) == index.name


def _moves(index: Index, update: Node | None, bound: str) -> bool:
    """Whether a step is a literal one towards the bound, `<` above or `>` below."""
    update = _bare(update)
    if update is None:
        return False
    if update.type == "update_expression":
        towards = "<" if any(child.type == "++" for child in update.children) else ">"
        return towards in bound and _is(index, update.child_by_field_name("argument"))
    if update.type != "assignment_expression" or not _is(index, update.children[0]):
        return False
    operator, step = update.children[1].type, _bare(update.children[2])
    if operator == "=" and step is not None and step.type == "binary_expression" and _is(index, step.children[0]):
        operator, step = step.children[1].type + "=", _bare(step.children[2])
    towards, least = {"+=": ("<", 1), "-=": (">", 1), "/=": (">", 2)}.get(operator, ("none", 0))
    return towards in bound and _literal(step) >= least


def _literal(node: Node | None) -> int:
    """The value of a decimal or hexadecimal literal, or 0."""
    text = text_of(node).replace("'", "").rstrip("uUlL") if node is not None and node.type == "number_literal" else "0"
    return int(text, 0) if re.fullmatch(r"0[xX][\da-fA-F]+|[1-9]\d*", text) else 0


def _changed(loop: Node, index: Symbol, changes: Changes | None) -> bool:
    body = loop.child_by_field_name("body")
    return body is not None and changes is not None and changes.within(index, body)
