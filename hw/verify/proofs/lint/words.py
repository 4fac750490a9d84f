"""Rules that a word breaks wherever it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node, Query, QueryCursor

from crq.hw.verify.proofs.lint.rules import Finding
from crq.hw.verify.proofs.lint.source import Here, Source
from crq.hw.verify.proofs.lint.syntax import LANGUAGE, line_of, parts, shown, text_of

# Nodes that break a rule by being there.
_NODES = {
    "new_expression": "dynamic-memory",
    "delete_expression": "dynamic-memory",
    "while_statement": "loop-kind",
    "do_statement": "loop-kind",
    "goto_statement": "loop-kind",
}
# Keywords, for which the grammar has no nodes with names.
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
# Most texts have none of the words for which every keyword, type and number must be looked at.
_HINT = re.compile(
    rf"\b({'|'.join([*_KEYWORDS, *_TYPES])}|float|double)\b(?!<)|(?<!\w)(\.\d|\d[\d']*[.eE])|0[xX][\da-fA-F'.]*[.pP]"
)
_LEAVES = Query(
    LANGUAGE,
    "[" + " ".join(f'"{word}"' for word in _KEYWORDS) + "] @word"
    "[(type_identifier) (primitive_type) (number_literal)] @word",
)


def check(source: Source, file: str) -> Iterator[Finding]:
    for node, rule in _broken(source):
        yield Finding(file, line_of(node), rule, shown(node))


def _broken(source: Source) -> Iterator[tuple[Node, str]]:
    for kind, rule in _NODES.items():
        yield from ((node, rule) for node, _ in source.find(kind))
    for program in source.programs:
        if _HINT.search(text_of(program)):
            yield from _leaves(program)
    for name, places in source.names.items():
        match = _NAME_RULES.fullmatch(name)
        if match:
            yield from ((here[0], _rule(match, _NAMES)) for here in places if not _is_variable(here))
    for node, _ in source.find("template_type", "template_function"):
        if _CONTAINERS.intersection(parts(node)):
            yield node, "standard-library"
    yield from _library(source)


def _leaves(program: Node) -> Iterator[tuple[Node, str]]:
    for node in QueryCursor(_LEAVES).captures(program).get("word", ()):
        text = text_of(node)
        match = _TYPE_RULES.fullmatch(text) if node.type == "type_identifier" else None
        if node.type in _KEYWORDS:
            yield node, _KEYWORDS[node.type]
        elif match and not _is_template(node):
            yield node, _rule(match, _TYPES)
        elif (node.type == "number_literal" and _FLOAT.fullmatch(text)) or text in ("float", "double"):
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
