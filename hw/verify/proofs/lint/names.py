"""Names and where they hold: scopes with the symbols declared in them, and what follows for an expression."""

from __future__ import annotations

from dataclasses import dataclass, field

from tree_sitter import Node, Point

from crq.hw.verify.proofs.lint.syntax import parts, text_of

INTEGERS = frozenset(["unsigned", "signed", "int", "long", "short", "char", "bool", "size_t"])
# From what the rules trust most to what they trust least.
_TRUST = ("constant", "index", "integer", "data")
_CONSTANTS = frozenset(["number_literal", "char_literal", "true", "false", "sizeof_expression", "alignof_expression"])


@dataclass(eq=False, slots=True)
class Symbol:
    """A declared name. `kind`: constant (known when compiling), index (unsigned), integer, data, type or function."""

    name: str
    kind: str
    at: Point
    is_array: bool = False
    is_reference: bool = False
    fixed: bool = False  # const
    static: bool = False
    parameter: bool = False
    alias: str = ""  # of a type: the last name of what it stands for
    means: str = "data"  # of a type: the kind of its variables


@dataclass(eq=False, slots=True)
class Scope:
    """`kind`: file, namespace, class, template, function, lambda or block."""

    kind: str
    name: tuple[str, ...] = ()
    parent: Scope | None = None
    symbols: dict[str, Symbol] = field(default_factory=dict)
    inside: dict[str, list[Scope]] = field(default_factory=dict)  # of a file: its namespaces and classes by name
    fewest: int = 0  # arguments of a function
    most: int | None = None  # arguments of a function; None if there is no limit

    def find(self, name: str, at: Point) -> Symbol | None:
        """What a name means at a place: in a class it may be declared later, in a block it may not."""
        scope: Scope | None = self
        while scope is not None:
            symbol = scope.symbols.get(name)
            if symbol is not None and (scope.kind == "class" or symbol.at <= at):
                return symbol
            scope = scope.parent
        return None

    def function(self, *kinds: str) -> Scope | None:
        """The function around this scope."""
        scope: Scope | None = self
        while scope is not None and scope.kind not in (kinds or ("function", "lambda")):
            scope = scope.parent
        return scope

    @property
    def home(self) -> Scope:
        """Where a declaration in this scope puts its name: around its template parameters."""
        return self.parent.home if self.kind == "template" and self.parent else self

    @property
    def path(self) -> tuple[str, ...]:
        """Names of the namespaces, classes and function around and including this scope."""
        return (*(self.parent.path if self.parent else ()), *self.name)

    @property
    def file(self) -> Scope:
        return self.parent.file if self.parent else self


def least(*kinds: str) -> str:
    """The least trusted of the kinds."""
    return max(kinds, key=_TRUST.index, default="constant")


def is_constant(node: Node | None, scope: Scope) -> bool:
    """Whether an expression is known when compiling: literals, constants, template parameters, fields of types."""
    return node is not None and kind_of(node, scope) == "constant"


def kind_of(node: Node, scope: Scope) -> str:
    """The kind of an expression: that of its least trusted name; calls, elements and members are data."""
    if node.type in _CONSTANTS:
        return "constant"
    if node.type in ("identifier", "qualified_identifier", "template_function"):
        return _kind_of_name(node, scope)
    if node.type in ("parenthesized_expression", "unary_expression", "binary_expression", "conditional_expression"):
        return least(*(kind_of(child, scope) for child in node.named_children))
    cast = _cast(node)
    if cast is None:
        return "data"
    kind = kind_of(cast, scope)
    return "index" if kind == "integer" else kind


def _cast(node: Node) -> Node | None:
    """The one operand of a cast to `unsigned` or `int`, in any of its spellings."""
    if node.type == "call_expression":
        name, operand = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if name is not None and name.type == "template_function":
            arguments = name.child_by_field_name("arguments")
            name = arguments if parts(name) == ["static_cast"] else None
    elif node.type in ("cast_expression", "compound_literal_expression"):
        name, operand = node.child_by_field_name("type"), node.child_by_field_name("value")
    else:
        return None
    if name is None or text_of(name).strip("< >") not in ("unsigned", "int") or operand is None:
        return None
    if operand.type in ("argument_list", "initializer_list"):
        return operand.named_children[0] if operand.named_child_count == 1 else None
    return operand


def _kind_of_name(node: Node, scope: Scope) -> str:
    names = parts(node)
    if len(names) == 1:
        symbol = scope.find(names[0], node.start_point)
        return symbol.kind if symbol and symbol.kind in _TRUST else "data"
    inside = scope.file.inside
    owner = owner_of(names[-2], node.start_point, scope) if inside else ""
    known = [s.symbols[names[-1]] for s in inside.get(owner, ()) if names[-1] in s.symbols]
    # A field of a type from elsewhere is one of a configuration.
    return least(*(s.kind if s.kind in _TRUST else "data" for s in known))


def owner_of(name: str, at: Point, scope: Scope) -> str:
    """The class or namespace that a name stands for: what it is an alias of, or itself."""
    for _ in range(8):  # an alias of an alias; eight, should they go round
        symbol = scope.find(name, at)
        if symbol is None or symbol.kind != "type" or symbol.alias in ("", name):
            break
        name = symbol.alias
    return name
