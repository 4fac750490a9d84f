"""The rule of `*`, `/` and `%`: indices times constants are address arithmetic, anything else would be a multiplier."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePath

from tree_sitter import Node

from crq.hw.verify.proofs.lint.names import Scope, is_constant, kind_of
from crq.hw.verify.proofs.lint.rules import Finding
from crq.hw.verify.proofs.lint.source import Source
from crq.hw.verify.proofs.lint.syntax import line_of, shown, text_of

_OPERATORS = frozenset(["*", "/", "%", "*=", "/=", "%="])
# The one product of data, and the pragma above it.
_DECLARED = "result=term_t(x*weight);"
_BOUND = "#pragma HLS BIND_OP variable=result op=mul impl=fabric"


def check(source: Source, file: str) -> Iterator[Finding]:
    for node, scope in source.find("binary_expression", "assignment_expression"):
        operator = node.children[1].type
        if operator in _OPERATORS and not (_is_legal(node, operator[0], scope) or _is_declared(node, file)):
            yield Finding(file, line_of(node), "product", shown(node))
    for node, _ in source.find("fold_expression"):
        if any(child.type in _OPERATORS for child in node.children):
            yield Finding(file, line_of(node), "product", shown(node))
    for node, _ in source.find("operator_name"):
        if re.sub(r"operator|\s", "", text_of(node)) in _OPERATORS:
            yield Finding(file, line_of(node), "product", shown(node))


def _is_legal(node: Node, operator: str, scope: Scope) -> bool:
    left, right = kind_of(node.children[0], scope), kind_of(node.children[2], scope)
    if operator == "*":
        return {left, right} in ({"constant"}, {"constant", "index"})
    return left in ("constant", "index") and is_constant(node.children[2], scope)


def _is_declared(node: Node, file: str) -> bool:
    """Whether it is the kernel's product of data, with its pragma directly above."""
    statement: Node | None = node
    while statement is not None and statement.type != "expression_statement":
        statement = statement.parent
    if statement is None or PurePath(file).name != "crq_product.h":
        return False
    above = statement.prev_sibling
    return "".join(text_of(statement).split()) == _DECLARED and above is not None and shown(above) == _BOUND
