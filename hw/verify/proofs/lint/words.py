"""Rules that a word breaks wherever it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from hw.verify.proofs.lint.rules import Finding
from hw.verify.proofs.lint.source import Here, Source
from hw.verify.proofs.lint.syntax import line_of, parts, shown, text_of

# Nodes that break a rule by being there.
_NODES = {
    "new_expression": "dynamic-memory",
    "delete_expression": "dynamic-memory",
    "while_statement": "loop-kind",
    "do_statement": "loop-kind",
    "goto_statement": "loop-kind",
}
_KEYWORDS = {
    "virtual": "polymorphism",
    "throw": "exceptions",
    "try": "exceptions",
    "catch": "exceptions",
    "thread_local": "storage-class",
    "mutable": "storage-class",
    "volatile": "storage-class",
}
# Names that break a rule where no variable has them.
_NAMES = {
    r"(m|c|re)alloc|free|aligned_alloc|alloca": "dynamic-memory",
    r"dynamic_cast|typeid": "polymorphism",
    r"throw": "exceptions",
    r"std": "standard-library",
    r"v?[fsd]?n?w?(printf|scanf)|f?put[sc]|f?get[sc]|(put|get)char|f(open|close|read|write|flush)|perror"
    r"|c(out|err|log|in)": "input-output",
}
_TYPES = {
    r"(io|[io]?f|[io]?string|[io])?stream": "input-output",
    r"string": "standard-library",
    r"half|(float|double)_t|_Float\d+|__fp16": "floating-point",
    r"std": "standard-library",
}
_CONTAINERS = frozenset(
    ["vector", "deque", "list", "map", "set", "unordered_map", "unordered_set", "queue", "stack", "function", "tuple"]
    + ["pair", "unique_ptr", "shared_ptr"]
)
_NAME_RULES = re.compile("|".join(f"(?P<n{at}>{pattern})" for at, pattern in enumerate(_NAMES)))
_TYPE_RULES = re.compile("|".join(f"(?P<n{at}>{pattern})" for at, pattern in enumerate(_TYPES)))
_FLOAT = re.compile(r"0[xX].*[.pP].*|(?!0[xX]).*[.eE].*")


def check(source: Source, file: str) -> Iterator[Finding]:
    for node, rule in _broken(source):
        yield Finding(file, line_of(node), rule, shown(node))


def _broken(source: Source) -> Iterator[tuple[Node, str]]:
    for kind, rule in _NODES.items():
        yield from ((node, rule) for node, _ in source.find(kind))
    yield from ((node, _KEYWORDS[node.type]) for node in source.words)
    for name, places in source.names.items():
        match = _NAME_RULES.fullmatch(name)
        if match:
            yield from ((here[0], _rule(match, _NAMES)) for here in places if not _is_variable(here))
    for node, _ in source.find("type_identifier"):
        match = _TYPE_RULES.fullmatch(text_of(node))
        if match and not _is_template(node):
            yield node, _rule(match, _TYPES)
    for node, _ in source.find("template_type", "template_function"):
        if _CONTAINERS.intersection(parts(node)):
            yield node, "standard-library"
    yield from _library(source)
    for node, _ in source.find("primitive_type"):
        if text_of(node) in ("float", "double"):
            yield node, "floating-point"
    for node, _ in source.find("number_literal"):
        if _FLOAT.fullmatch(text_of(node)):
            yield node, "floating-point"


def _library(source: Source) -> Iterator[tuple[Node, str]]:
    for node, _ in source.find("using_declaration"):
        if any(child.type == "namespace" for child in node.children):
            yield node, "standard-library"
    for node, _ in source.find("preproc_include"):
        path = node.child_by_field_name("path")
        if path is None or path.type != "string_literal":
            yield node, "standard-library"
    for node, _ in source.find("operator_name"):
        if re.search(r"\b(new|delete)\b", text_of(node)):
            yield node, "dynamic-memory"


def _rule(match: re.Match[str], rules: dict[str, str]) -> str:
    return list(rules.values())[int((match.lastgroup or "n0")[1:])]


def _is_variable(here: Here) -> bool:
    node, scope = here
    symbol = scope.find(text_of(node), node.start_point)
    return symbol is not None and symbol.kind not in ("type", "function")


def _is_template(node: Node) -> bool:
    """`stream<x_T>`, which is the tool's own and no stream of characters."""
    return node.parent is not None and node.parent.type == "template_type"
