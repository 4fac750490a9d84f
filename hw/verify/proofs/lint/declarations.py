"""Rules of what is declared: sizes of arrays, pointers, state that outlives a call."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from crq.hw.verify.proofs.lint.names import Scope, Symbol, is_constant
from crq.hw.verify.proofs.lint.rules import Finding
from crq.hw.verify.proofs.lint.source import Here, Source
from crq.hw.verify.proofs.lint.syntax import Declarator, line_of, shown, text_of

_POINTERS = (
    "pointer_declarator",
    "abstract_pointer_declarator",
    "pointer_type_declarator",
    "pointer_expression",  # *p and &x
    "null",
    "this",
)


def check(source: Source, file: str) -> Iterator[Finding]:
    for scope, symbol in source.symbols():
        if _outlives(scope, symbol):
            yield Finding(file, symbol.at.row + 1, "static-state", symbol.name)
    for node, scope in source.find("array_declarator", "abstract_array_declarator"):
        size = node.child_by_field_name("size")
        if not is_constant(size, scope) and not (size is None and _is_counted(node)):
            yield Finding(file, line_of(node), "array-size", shown(node))
    for node in _pointers(source):
        yield Finding(file, line_of(node), "pointer", shown(node))


def _outlives(scope: Scope, symbol: Symbol) -> bool:
    if symbol.kind in ("type", "function", "constant") or symbol.fixed:
        return False
    return symbol.static or scope.kind in ("file", "namespace")


def _is_counted(array: Node) -> bool:
    """`t[] = {1, 2}`: the size is the number of values."""
    value = array.parent.child_by_field_name("value") if array.parent is not None else None
    return value is not None and value.type == "initializer_list"


def _pointers(source: Source) -> Iterator[Node]:
    yield from (node for node, _ in source.find(*_POINTERS))
    for node, _ in source.find("field_expression"):
        if node.children[1].type == "->":
            yield node
    for node, _ in source.find("function_declarator", "abstract_function_declarator"):
        if node.named_children and node.named_children[0].type.endswith("parenthesized_declarator"):
            yield node  # a pointer or a reference to a function
    for node, _ in source.find("parameter_declaration", "optional_parameter_declaration"):
        declarator = node.child_by_field_name("declarator")
        if declarator is not None and Declarator(declarator).function:
            yield node  # a function as a parameter is a pointer to it
    functions = {symbol.name for _, symbol in source.symbols() if symbol.kind == "function"}
    for name in functions & source.names.keys():
        yield from (here[0] for here in source.names[name] if _is_value(here))


def _is_value(here: Here) -> bool:
    """Whether the name of a function is used for anything but a call or a declaration: it is a pointer then."""
    node, scope = here
    parent = node.parent
    symbol = scope.find(text_of(node), node.start_point)
    if parent is None or symbol is None or symbol.kind != "function":
        return False
    return parent.type in (
        "argument_list", "init_declarator", "assignment_expression", "return_statement", "conditional_expression",
        "initializer_list", "parenthesized_expression", "template_argument_list", "unary_expression",
    ) and not (parent.type == "init_declarator" and parent.child_by_field_name("declarator") == node)  # fmt: skip
