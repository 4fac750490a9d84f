"""One reading of a file: its syntax nodes by type, each with the scope it stands in.

No compiler's view, but that of the subset the rules allow; what it cannot make out is taken for data, which the rules
restrict most.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tree_sitter import Node

from crq.hw.verify.proofs.lint.declare import DECLARATIONS
from crq.hw.verify.proofs.lint.names import INTEGERS, Scope, Symbol, kind_of
from crq.hw.verify.proofs.lint.syntax import Declarator, errors, parse, parse_fragment, parts, text_of

_BLOCKS = frozenset(
    ["compound_statement", "for_statement", "for_range_loop", "if_statement", "while_statement", "switch_statement"]
    + ["catch_clause", "requires_expression"]
)
_CLASSES = frozenset(["struct_specifier", "class_specifier", "union_specifier", "enum_specifier"])
_FUNCTIONS = frozenset(["function_definition", "declaration", "field_declaration"])
_OPENING = _BLOCKS | _CLASSES | _FUNCTIONS | {"template_declaration", "lambda_expression", "namespace_definition"}
_NAMES = frozenset(["identifier", "namespace_identifier"])
# The nodes that the rules look at, besides names and keywords.
_SEEN = """
abstract_array_declarator abstract_function_declarator abstract_pointer_declarator array_declarator
assignment_expression binary_expression call_expression compound_literal_expression declaration delete_expression
do_statement expression_statement field_expression fold_expression for_range_loop for_statement function_declarator
gnu_asm_expression goto_statement init_declarator new_expression null operator_name optional_parameter_declaration
parameter_declaration pointer_declarator pointer_expression pointer_type_declarator preproc_call preproc_include
return_statement template_function template_type this update_expression using_declaration while_statement
"""
SEEN = frozenset(_SEEN.split())
_MACROS = frozenset(["preproc_def", "preproc_function_def"])
_PARAMETERS = frozenset(["parameter_declaration", "optional_parameter_declaration"])


Here = tuple[Node, Scope]  # a node and the scope it stands in


class Source:
    """The nodes of a reading and what it declares."""

    def __init__(self, text: str) -> None:
        self.root = Scope("file")
        self.scopes = [self.root]
        self.macros: dict[str, Symbol] = {}
        self.opened: dict[int, Scope] = {}  # by the id of the node that opens them
        self.unread: list[Node] = []  # what the grammar cannot make out
        self._nodes: dict[str, list[Here]] = defaultdict(list)
        self.names: dict[str, list[Here]] = defaultdict(list)  # identifiers, and the names of namespaces
        self.programs: list[Node] = []  # the reading and the macros in it
        program = parse(text)
        self.unread += errors(program)
        self._read(program, self.root)
        for _, symbol in self.symbols() if self.macros else ():  # a macro takes the name from whatever has it
            if self.macros.get(symbol.name, symbol) is not symbol:
                symbol.kind = "data"

    def find(self, *types: str) -> Iterator[Here]:
        """The nodes of the types, in the order of the text for each type."""
        for name in types:
            assert name in SEEN
            yield from self._nodes.get(name, ())

    def symbols(self) -> Iterator[tuple[Scope, Symbol]]:
        for scope in self.scopes:
            for symbol in scope.symbols.values():
                yield scope, symbol

    def _read(self, top: Node, around: Scope) -> None:
        self.programs.append(top)
        scope, outer = around, list[Scope]()
        stack: list[Node | None] = [top]
        while stack:
            node = stack.pop()
            if node is None:  # the last scope ends
                scope = outer.pop()
                continue
            kind = node.type
            if kind in _NAMES:
                self.names[text_of(node)].append((node, scope))
                continue
            if kind in SEEN:
                self._nodes[kind].append((node, scope))
            if kind in DECLARATIONS:
                DECLARATIONS[kind](node, scope)
            if kind in _MACROS:
                self._macro(node)
                continue
            if kind == "declaration" and self._hidden_call(node, scope):
                continue
            if kind in _OPENING:
                outer.append(scope)
                self.opened[node.id] = scope = self._open(node, scope)
                stack.append(None)
            children = node.named_children
            children.reverse()
            stack += children

    def _open(self, node: Node, scope: Scope) -> Scope:
        """The scope of a node's children."""
        kind = node.type
        if kind in _BLOCKS:
            return self._scope("block", (), scope)
        if kind == "template_declaration":
            return self._scope("template", (), scope)
        if kind == "lambda_expression":
            return self._scope("lambda", (), scope)
        if kind in _FUNCTIONS:
            declarator = node.child_by_field_name("declarator")
            if declarator is not None and declarator.type in ("field_identifier", "identifier", "init_declarator"):
                return scope
            found = Declarator(declarator) if declarator else None
            if found and found.function and found.name:
                inner = self._scope("function", tuple(parts(found.name)), scope)
                inner.fewest, inner.most = _arity(found.function)
                return inner
        elif kind == "namespace_definition" or (kind in _CLASSES and node.child_by_field_name("body")):
            name = node.child_by_field_name("name")
            names = tuple(parts(name)) if name else ()
            if not names and kind == "enum_specifier":
                return scope
            inner = self._scope("namespace" if kind == "namespace_definition" else "class", names, scope)
            for last in names[-1:]:
                self.root.inside.setdefault(last, []).append(inner)
            return inner
        return scope

    def _scope(self, kind: str, name: tuple[str, ...], parent: Scope) -> Scope:
        scope = Scope(kind, name, parent)
        self.scopes.append(scope)
        return scope

    def _hidden_call(self, node: Node, scope: Scope) -> bool:
        """Reads `T x(a * b);` in a function as a variable with its operands; the grammar reads a function of `a *b`."""
        declarator = node.child_by_field_name("declarator")
        if declarator is None or declarator.type != "function_declarator" or not scope.function():
            return False
        operands = declarator.child_by_field_name("parameters")
        if operands is None or not operands.named_child_count:
            return False
        fragment = parse_fragment("auto value = {", text_of(operands)[1:-1], "};", operands.start_point.row)
        if fragment is None:
            return False
        self._read(fragment.named_children[0].named_children[-1], scope)
        for child in node.named_children:
            if child != declarator:
                self._read(child, scope)
        return True

    def _macro(self, node: Node) -> None:
        """Reads what a macro stands for where it is defined: as an expression or statements, or else as a type."""
        name, body = node.child_by_field_name("name"), node.child_by_field_name("value")
        if name is None or body is None or not text_of(body).strip():
            return
        parameters = [text_of(p) for p in _children(node.child_by_field_name("parameters"))]
        head = f"auto {text_of(name)}({', '.join(f'auto {p}' for p in parameters)}) {{"
        row = node.start_point.row
        expression = parse_fragment(f"{head} return (", text_of(body), ");}", row)
        fragment = expression or parse_fragment(head, text_of(body), ";}", row)
        if fragment is None:
            fragment = parse_fragment("typedef", text_of(body), f"{text_of(name)};", row)
        if fragment is None or text_of(name) in INTEGERS:
            self.unread.append(node)
            return
        results = self._nodes["return_statement"]
        first = len(results)
        self._read(fragment, self.root)
        if node.type == "preproc_def":
            # A macro that is defined twice is one thing here and another there.
            value = results[first][0].named_children[0] if expression and text_of(name) not in self.macros else None
            kind = kind_of(value, self.root) if value else "data"
            self.root.symbols[text_of(name)] = Symbol(text_of(name), kind, node.start_point, fixed=True)
        self.macros[text_of(name)] = self.root.symbols[text_of(name)]


def _children(node: Node | None) -> list[Node]:
    return node.named_children if node else []


def _arity(function: Node) -> tuple[int, int | None]:
    """The fewest and the most arguments a function takes."""
    given = function.child_by_field_name("parameters")
    parameters = _children(given)
    if [text_of(p) for p in parameters] == ["void"]:
        return 0, 0
    fewest = sum(p.type == "parameter_declaration" for p in parameters)
    open_ended = given is not None and any(child.type == "..." for child in given.children)  # f(int a, ...)
    endless = open_ended or ("..." in text_of(function) and not all(p.type in _PARAMETERS for p in parameters))
    return fewest, None if endless else len(parameters)
