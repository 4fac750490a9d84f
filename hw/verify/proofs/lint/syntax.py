"""C++ as syntax nodes, by the grammar of tree-sitter, and the rule that the grammar reads all of it."""

from __future__ import annotations

from collections.abc import Iterator

import tree_sitter_cpp
from tree_sitter import Language, Node, Parser

LANGUAGE = Language(tree_sitter_cpp.language())
_PARSER = Parser(LANGUAGE)
# Names of which a declarator is made besides the one it declares.
_NAMES = frozenset(
    ["identifier", "field_identifier", "type_identifier", "qualified_identifier", "operator_name", "operator_cast"]
    + ["destructor_name", "template_function", "structured_binding_declarator"]
)


def parse(text: str) -> Node:
    return _PARSER.parse(text.encode()).root_node


def parse_fragment(before: str, fragment: str, after: str, row: int) -> Node | None:
    """The nodes of a fragment inside of `before` and `after`, on its own row; None if they are no program."""
    lead = "\n" * (row - 1) + before + "\n" if row else before
    root = parse(lead + fragment + after)
    return None if root.has_error else root


def text_of(node: Node) -> str:
    return (node.text or b"").decode()


def line_of(node: Node) -> int:
    return node.start_point.row + 1


def shown(node: Node) -> str:
    """A node's text on one line."""
    return " ".join(text_of(node).split())[:120]


def words_of(declaration: Node) -> set[str]:
    """`static`, `const` and what else stands around the type in a declaration."""
    words = set()
    for child in declaration.named_children:
        kind = child.type
        if kind in ("storage_class_specifier", "type_qualifier"):
            words.add(text_of(child))
        elif kind == "sized_type_specifier" and child.named_child_count:  # unsigned const
            words.update(text_of(inner) for inner in child.named_children if inner.type == "type_qualifier")
    return words


def parts(node: Node) -> list[str]:
    """A name, part by part, without template arguments: `a<b>::template c<d>` is a, c."""
    text = text_of(node)
    if text.isidentifier():
        return [text]
    if text.replace("::", "").isidentifier():
        return [part for part in text.split("::") if part]
    if node.type in ("qualified_identifier", "nested_namespace_specifier"):
        return [part for child in node.named_children for part in parts(child)]
    if node.type in ("dependent_name", "dependent_type"):
        return parts(node.named_children[-1])
    name = node.child_by_field_name("name") if node.type.startswith("template_") else None
    return parts(name) if name else ["".join(text.split())]


class Declarator:
    """What stands behind the type in a declaration: the name, and whether it is a function, a reference, an array."""

    def __init__(self, node: Node) -> None:
        self.name: Node | None = None
        self.function: Node | None = None
        self.is_reference = self.is_array = False
        inner: Node | None = node
        while inner is not None and (kind := inner.type) not in _NAMES:
            self.is_reference |= kind == "reference_declarator"
            self.is_array |= kind == "array_declarator"
            called = inner if kind == "function_declarator" else None
            inner = inner.child_by_field_name("declarator") or next(reversed(inner.named_children), None)
            if called is not None and inner is not None and inner.type in _NAMES:
                self.function = called
        self.name = inner
        if inner is not None and inner.type == "operator_cast":
            self.function = inner


def errors(root: Node) -> Iterator[Node]:
    """What the grammar cannot read."""
    stack = [root]
    while stack:
        node = stack.pop()
        if node.is_error or node.is_missing:
            yield node
        elif node.has_error:
            stack.extend(reversed(node.children))
