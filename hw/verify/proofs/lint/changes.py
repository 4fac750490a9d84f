"""Which variables a function's code changes, and where: what a loop's body must not do with its index."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from crq.hw.verify.proofs.lint.names import Scope, Symbol
from crq.hw.verify.proofs.lint.source import Source
from crq.hw.verify.proofs.lint.syntax import Declarator, parts, text_of, words_of

# Member functions of streams that write to their argument.
_READS = ("read", "read_nb")
# Expressions that may stand for one of their operands.
_LISTS = frozenset(
    ["parenthesized_expression", "conditional_expression", "comma_expression", "initializer_list", "argument_list"]
)


class Changes:
    """The places that change a variable: by assignment, by a step, or through a reference to it."""

    def __init__(self, source: Source) -> None:
        self._at: dict[int, list[int]] = {}  # offsets by the symbol's identity
        self._references: dict[str, set[int]] = {}  # positions of parameters that are references, by function
        for node, _ in source.find("function_declarator"):
            name, parameters = Declarator(node).name, node.child_by_field_name("parameters")
            if name is not None and parameters is not None:
                changed = {at for at, child in enumerate(parameters.named_children) if _is_changeable(child)}
                self._references.setdefault(parts(name)[-1], set()).update(changed)
        for node, scope in source.find("assignment_expression"):
            self._add(node.child_by_field_name("left"), scope)
        for node, scope in source.find("update_expression"):
            self._add(node.child_by_field_name("argument"), scope)
        for node, scope in source.find("init_declarator"):
            self._bound(node, scope)
        for node, scope in source.find("expression_statement"):
            self._streamed(node, scope)
        for node, scope in source.find("call_expression"):
            self._called(node, scope)

    def within(self, symbol: Symbol, body: Node) -> bool:
        return any(body.start_byte <= at < body.end_byte for at in self._at.get(id(symbol), ()))

    def _add(self, target: Node | None, scope: Scope) -> None:
        for name in _targets(target):
            symbol = scope.find(text_of(name), name.start_point)
            if symbol:
                self._at.setdefault(id(symbol), []).append(name.start_byte)

    def _bound(self, declarator: Node, scope: Scope) -> None:
        """`unsigned &r = i` changes i as soon as r changes."""
        if Declarator(declarator).is_reference and declarator.parent is not None and _is_changeable(declarator.parent):
            self._add(declarator.child_by_field_name("value"), scope)

    def _streamed(self, statement: Node, scope: Scope) -> None:
        """`in >> i` as a statement is no shift."""
        for node in statement.named_children:
            if node.type == "binary_expression" and node.children[1].type == ">>":
                self._add(node.children[2], scope)

    def _called(self, call: Node, scope: Scope) -> None:
        function, arguments = (call.child_by_field_name(name) for name in ("function", "arguments"))
        if function is None or arguments is None:
            return
        if function.type == "field_expression":
            field = function.child_by_field_name("field")
            changed = set(range(2)) if field and text_of(field) in _READS else set()
            name = parts(field)[-1] if field else ""
        else:
            changed, name = set(), parts(function)[-1]
        for at in changed | self._references.get(name, set()):
            if at < arguments.named_child_count:
                self._add(arguments.named_children[at], scope)


def _is_changeable(declaration: Node) -> bool:
    """Whether a declaration's variable is a reference through which another may change."""
    if "&" not in text_of(declaration):
        return False
    declarators = declaration.children_by_field_name("declarator")
    return any(Declarator(d).is_reference for d in declarators) and "const" not in words_of(declaration)


def _targets(node: Node | None) -> Iterator[Node]:
    """The variables that an assignment to an expression may change."""
    if node is None:
        return
    if node.type == "identifier":
        yield node
    elif node.type in _LISTS:
        for child in node.named_children:
            yield from _targets(child)
